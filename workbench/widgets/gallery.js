// Grey or RGB bytes become a canvas of the image's own size; the style sheet scales it, pixel by pixel.
const draw = (canvas, bytes, at, [, height, width, channels]) => {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d"), image = context.createImageData(width, height), from = at * height * width * channels;
  for (let i = 0; i < height * width; i += 1) {
    for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = bytes[from + i * channels + (channels === 3 ? c : 0)];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
};

const bytesOf = (value) => (value?.buffer ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value || 0));

const counted = (n) => n.toLocaleString("en-US");

function render({ model, el }) {
  el.classList.add("wb", "wb-gallery");
  const say = speaker(model);
  const title = h("div", { class: "wb-gallery-title" }), caption = h("p", { class: "wb-gallery-caption" });
  const list = h("div", { class: "wb-gallery-list", role: "group" });
  const before = h("button", { type: "button", class: "wb-button wb-quiet", "data-page": "previous" }, say("Previous"));
  const after = h("button", { type: "button", class: "wb-button wb-quiet", "data-page": "next" }, say("Next"));
  const place = h("span", { class: "wb-gallery-place" }), pages = h("div", { class: "wb-gallery-pages" }, before, place, after);
  const large = h("canvas", { "aria-hidden": "true" }), about = h("p", { "aria-live": "polite" });
  const close = h("div", { class: "wb-gallery-close" }, large, about);
  el.append(title, caption, list, pages, close);
  let buttons = [], focus = 0, closeUp = -1;

  const turn = (step) => model.send({ type: "page", start: model.get("start") + step * model.get("page") });
  before.addEventListener("click", () => turn(-1));
  after.addEventListener("click", () => turn(1));

  const look = (at) => {
    const items = model.get("items"), bytes = bytesOf(model.get("pixels"));
    closeUp = at;
    close.hidden = at < 0 || at >= items.length;
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === at)));
    if (close.hidden) return;
    draw(large, bytes, at, model.get("shape"));
    about.textContent = items[at].about || [items[at].name, items[at].detail].filter(Boolean).join(", ");
  };

  const pick = (at) => {
    look(at === closeUp ? -1 : at);
    if (closeUp >= 0) model.send({ type: "pick", at });
  };

  // Tab goes to the gallery once; arrows walk in it, by rows too.
  list.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && closeUp >= 0) { look(-1); return; }
    const wide = Math.max(1, buttons.filter((b) => b.offsetTop === buttons[0]?.offsetTop).length);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide, Home: -buttons.length, End: buttons.length }[event.key];
    if (!step || !buttons.length) return;
    event.preventDefault();
    buttons[focus].tabIndex = -1;
    focus = Math.max(0, Math.min(buttons.length - 1, focus + step));
    buttons[focus].tabIndex = 0;
    buttons[focus].focus();
  });

  const fill = () => {
    const items = model.get("items"), shape = model.get("shape"), bytes = bytesOf(model.get("pixels"));
    const start = model.get("start"), total = model.get("total");
    if (items.length !== shape[0] || bytes.length !== shape.reduce((a, b) => a * b, 1)) return;
    el.classList.toggle("wb-off", !items.length && !model.get("caption") && !model.get("empty"));
    title.textContent = model.get("title");
    list.setAttribute("aria-label", model.get("title") || say("Images"));
    caption.textContent = model.get("caption") || (items.length ? "" : model.get("empty"));
    const held = list.contains(document.activeElement);
    focus = 0;
    buttons = items.map((item, i) => {
      const canvas = h("canvas", { "aria-hidden": "true" });
      draw(canvas, bytes, i, shape);
      const words = [item.name, item.detail].filter(Boolean).join(", ");
      const button = h("button", { type: "button", class: "wb-gallery-item", "data-sample": String(start + i), "data-tone": item.tone, "aria-pressed": "false",
        "aria-label": words, title: item.about || words, tabindex: i ? "-1" : "0" }, canvas,
        h("span", { class: "wb-gallery-name" }, item.name), item.detail ? h("span", { class: "wb-gallery-detail" }, item.detail) : null);
      button.addEventListener("click", () => pick(i));
      button.addEventListener("focus", () => { buttons[focus].tabIndex = -1; focus = i; button.tabIndex = 0; });
      return button;
    });
    list.replaceChildren(...buttons);
    if (held) buttons[0]?.focus();
    pages.hidden = total <= items.length;
    before.disabled = start <= 0;
    after.disabled = start + items.length >= total;
    place.textContent = say("{first} to {last} of {total}", { first: counted(start + 1), last: counted(start + items.length), total: counted(total) });
    look(-1);
  };
  return follow(model, ["title", "caption", "empty", "shape", "pixels", "items", "start", "total"], fill);
}
export default { render };
