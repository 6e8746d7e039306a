function render({ model, el }) {
  el.classList.add("wb", "wb-log");
  const say = speaker(model);
  const title = h("span", { class: "wb-table-title" }), copy = h("button", { type: "button", class: "wb-button wb-quiet" }, say("Copy"));
  const find = h("input", { type: "search", class: "wb-input", placeholder: say("Find"), "aria-label": say("Show only lines with this text") });
  const box = h("div", { class: "wb-log-lines", role: "log", "aria-live": "off", tabindex: "0" });
  el.append(h("div", { class: "wb-log-head" }, title, h("div", { class: "wb-log-tools" }, find, copy)), box);
  const shown = () => {
    const wanted = find.value.toLowerCase();
    return model.get("lines").filter((line) => !wanted || line.text.toLowerCase().includes(wanted));
  };
  copy.addEventListener("click", () => copyText(shown().map((l) => `${l.time || ""} ${l.text}`.trim()).join("\n"), copy, say("Copied")));
  const draw = () => {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24, dropped = model.get("dropped"), lines = shown();
    title.textContent = model.get("title");
    box.setAttribute("aria-label", model.get("label") || model.get("title"));
    box.replaceChildren(
      ...(dropped ? [h("div", { class: "wb-log-note" }, say("{n} older lines are in the file", { n: dropped }))] : []),
      ...(lines.length ? lines.map((line) => h("div", { class: "wb-log-line", "data-tone": line.tone || "quiet" },
        line.time ? h("span", { class: "wb-log-time" }, line.time) : null, h("span", {}, line.text)))
        : [h("div", { class: "wb-log-note" }, find.value ? say("No line has this text") : model.get("empty"))]));
    if (atEnd) box.scrollTop = box.scrollHeight;
  };
  find.addEventListener("input", draw);
  return follow(model, ["lines", "dropped", "title", "empty", "label"], draw);
}
export default { render };
