const INK = 0.09;
const PAUSE = 100;

// Lines through points whose coordinates are shares of the side.
const trace = (c, strokes, side) => {
  c.lineWidth = INK * side;
  c.lineCap = c.lineJoin = "round";
  for (const points of strokes) {
    c.beginPath();
    c.moveTo(points[0][0] * side, points[0][1] * side);
    // A line to where one is already draws the dot that a tap is.
    for (const [x, y] of points) c.lineTo(x * side, y * side);
    c.stroke();
  }
};

function render({ model, el }) {
  el.classList.add("wb", "wb-pad");
  const say = speaker(model), id = uid();
  const canvas = h("canvas", { class: "wb-pad-canvas", tabindex: "0", role: "img", "data-pad": "canvas", "aria-describedby": `${id}-how` });
  const undo = h("button", { type: "button", class: "wb-button", "data-pad": "undo" }, say("Undo"));
  const clear = h("button", { type: "button", class: "wb-button", "data-pad": "clear" }, say("Clear"));
  const how = h("p", { id: `${id}-how`, class: "wb-note wb-pad-how" }, say("Draw with a mouse, a pen or a finger. Backspace takes the last stroke back, Escape all."));
  const said = h("span", { class: "wb-hidden-text", role: "status" });
  el.append(canvas, h("div", { class: "wb-pad-row", role: "group", "aria-label": say("Drawing") }, undo, clear), how, said);
  let strokes = [], current = null, sent = 0, later = 0;
  // What was drawn before this page was opened.
  let before = model.get("pixels");

  const paint = () => {
    const side = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio)) || 280;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const c = canvas.getContext("2d"), style = getComputedStyle(el);
    c.clearRect(0, 0, side, side);
    c.strokeStyle = style.getPropertyValue("--wb-text").trim() || "#111";
    if (before?.byteLength) c.drawImage(picture(before), 0, 0, side, side);
    trace(c, strokes, side);
    undo.disabled = !strokes.length;
    clear.disabled = !strokes.length && !before?.byteLength;
    const n = strokes.length;
    canvas.setAttribute("aria-label", clear.disabled ? say("Pad to draw on, empty") : say("Pad to draw on, {n} strokes", { n }));
  };

  const picture = (view) => {
    const side = model.get("side"), made = new OffscreenCanvas(side, side), c = made.getContext("2d");
    const data = c.createImageData(side, side), ink = getComputedStyle(el).color.match(/\d+/g).map(Number);
    for (let i = 0; i < side * side; i++) data.data.set([ink[0], ink[1], ink[2], view.getUint8(i)], 4 * i);
    c.putImageData(data, 0, 0);
    return made;
  };

  const pixels = () => {
    const side = model.get("side"), c = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
    c.strokeStyle = "#000";
    trace(c, strokes, side);
    const all = c.getImageData(0, 0, side, side).data, grey = new Uint8Array(side * side);
    for (let i = 0; i < grey.length; i++) grey[i] = Math.max(all[4 * i + 3], before?.byteLength ? before.getUint8(i) : 0);
    return grey;
  };

  const send = () => {
    clearTimeout(later);
    later = 0;
    sent = performance.now();
    const empty = !strokes.length && !before?.byteLength;
    model.set("pixels", new DataView(empty ? new ArrayBuffer(0) : pixels().buffer));
    model.set("stroke", model.get("stroke") + 1);
    model.save_changes();
    el.dataset.stroke = model.get("stroke");
  };
  const sendSoon = () => { if (!later) later = setTimeout(send, Math.max(0, PAUSE - (performance.now() - sent))); };

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || !model.get("enabled") || current !== null) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    current = event.pointerId;
    strokes.push([place(event)]);
    paint();
    sendSoon();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== current) return;
    const all = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1).push(...(all.length ? all : [event]).map(place));
    paint();
    sendSoon();
  });
  const end = (event) => {
    if (event.pointerId !== current) return;
    current = null;
    send();
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);

  const take = (all) => {
    if (clear.disabled || current !== null || !model.get("enabled")) return;
    if (all) { strokes = []; before = null; } else if (!strokes.pop()) return;
    paint();
    said.textContent = strokes.length ? say("Last stroke taken back") : say("The pad is empty");
    send();
    if (document.activeElement?.disabled || document.activeElement === document.body) canvas.focus({ preventScroll: true });
  };
  undo.addEventListener("click", () => take(false));
  clear.addEventListener("click", () => take(true));
  el.addEventListener("keydown", (event) => {
    const back = event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey));
    const all = event.key === "Escape" || event.key === "Delete";
    if (!back && !all) return;
    event.preventDefault();
    event.stopPropagation();
    take(all);
  });

  const resized = new ResizeObserver(paint);
  resized.observe(canvas);
  const untheme = onTheme(paint);
  const unfollow = follow(model, ["enabled"], () => { el.toggleAttribute("data-off", !model.get("enabled")); paint(); });
  return () => { clearTimeout(later); resized.disconnect(); untheme(); unfollow(); };
}
export default { render };
