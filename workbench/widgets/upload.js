const inWords = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${Number((bytes / 1e6).toPrecision(3))} MB`);

function render({ model, el }) {
  el.classList.add("wb", "wb-upload");
  const say = speaker(model), id = uid();
  const input = h("input", { type: "file", class: "wb-hidden-text", tabindex: "-1", "aria-hidden": "true", "data-upload": "file" });
  const title = h("span", { id: `${id}-title`, class: "wb-upload-title" });
  const choose = h("button", { type: "button", class: "wb-button", "data-upload": "choose", "aria-describedby": `${id}-title ${id}-note` }, say("Choose a file…"));
  const stop = h("button", { type: "button", class: "wb-button wb-quiet", "data-upload": "stop" }, say("Stop"));
  const fill = h("span"), bar = h("span", { class: "wb-upload-bar", role: "progressbar", "aria-label": say("Upload"), "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const said = h("span", { class: "wb-upload-said", "data-upload": "said", role: "status" });
  const note = h("p", { id: `${id}-note`, class: "wb-note" }), error = h("p", { class: "wb-field-error", "data-upload": "error", role: "alert" });
  const zone = h("div", { class: "wb-upload-zone", "data-upload": "zone" }, title, choose, input, h("div", { class: "wb-upload-going" }, bar, said, stop));
  el.append(zone, note, error);
  // One file at a time: `next` is the first byte that was not sent, `taken` how many the other side has.
  let going = null, count = 0, complaint = "";

  const show = () => {
    const open = model.get("enabled"), busy = model.get("busy"), done = model.get("done");
    title.textContent = model.get("title");
    note.textContent = model.get("note");
    error.textContent = complaint || model.get("error");
    choose.disabled = !open || Boolean(going) || Boolean(busy);
    input.accept = model.get("suffixes").join(",");
    bar.hidden = !going && !busy;
    stop.hidden = !going;
    const share = going ? (going.file.size ? going.taken / going.file.size : 1) : 0;
    bar.toggleAttribute("data-unknown", !going);
    if (going) bar.setAttribute("aria-valuenow", String(Math.round(100 * share))); else bar.removeAttribute("aria-valuenow");
    fill.style.transform = going ? `scaleX(${share})` : "";
    said.textContent = going ? say("{taken} of {size} sent", { taken: inWords(going.taken), size: inWords(going.file.size) }) : busy || done;
  };

  const send = async () => {
    const mine = going, size = model.get("slice_bytes");
    while (mine === going && mine.flight < model.get("in_flight") && mine.next < mine.file.size) {
      const at = mine.next, part = mine.file.slice(at, at + size);
      mine.next = at + part.size;
      mine.flight += 1;
      try {
        const bytes = await part.arrayBuffer();
        if (mine !== going) return;
        model.send({ type: "slice", number: mine.number, at }, undefined, [bytes]);
      } catch {
        if (mine !== going) return;
        model.send({ type: "cancel", number: mine.number });
        going = null;
        complaint = say("The file can no longer be read; choose it again.");
        show();
        return;
      }
    }
    if (mine === going && mine.taken >= mine.file.size && !mine.over) { mine.over = true; model.send({ type: "end", number: mine.number }); }
  };

  const refusal = (file) => {
    const limit = model.get("limit"), left = model.get("left"), ends = model.get("suffixes"), name = file.name.toLowerCase();
    if (!ends.some((one) => name.endsWith(one))) return say("The file's name must end in {ends}.", { ends: ends.join(", ") });
    if (file.size > limit) return say("The file must have at most {limit}, this one has {size}; nothing was sent.", { limit: inWords(limit), size: inWords(file.size) });
    return file.size > left ? say("This page may send {left} more, the file has {size}; nothing was sent.", { left: inWords(left), size: inWords(file.size) }) : "";
  };

  const begin = (file) => {
    if (!file || going || model.get("busy") || !model.get("enabled")) return;
    complaint = refusal(file);
    if (!complaint) {
      count += 1;
      going = { file, number: Date.now() % 1e9 * 1000 + count, next: 0, taken: 0, flight: 0 };
      model.send({ type: "begin", number: going.number, name: file.name, size: file.size });
    }
    show();
  };

  const heard = (message) => {
    if (!going || message.number !== going.number) return;
    if (message.type === "taken") {
      going.flight -= 1;
      going.taken += Math.min(model.get("slice_bytes"), going.file.size - message.at);
    }
    if (message.type === "refused" || message.type === "ended") going = null;
    show();
    if (going) send();
  };

  input.addEventListener("change", () => { begin(input.files[0]); input.value = ""; });
  choose.addEventListener("click", () => input.click());
  stop.addEventListener("click", () => {
    model.send({ type: "cancel", number: going.number });
    going = null;
    show();
    choose.focus();
  });
  const over = (event, inside) => { event.preventDefault(); event.stopPropagation(); zone.toggleAttribute("data-over", inside && model.get("enabled")); };
  zone.addEventListener("dragover", (event) => over(event, true));
  zone.addEventListener("dragleave", (event) => over(event, false));
  zone.addEventListener("drop", (event) => {
    over(event, false);
    if (event.dataTransfer.files.length > 1) { complaint = say("Drop one file; put a folder into a .zip first."); show(); return; }
    begin(event.dataTransfer.files[0]);
  });
  model.on("msg:custom", heard);
  const unfollow = follow(model, ["title", "note", "suffixes", "limit", "left", "enabled", "busy", "done", "error"], show);
  return () => {
    if (going) model.send({ type: "cancel", number: going.number });
    model.off("msg:custom", heard);
    unfollow();
  };
}
export default { render };
