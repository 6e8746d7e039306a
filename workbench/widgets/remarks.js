function render({ model, el }) {
  el.classList.add("wb", "wb-remarks");
  const say = speaker(model);
  const title = h("div", { class: "wb-remarks-title" }), list = h("dl"), empty = h("p", { class: "wb-remarks-empty" });
  const fold = h("details", { class: "wb-fold" }), more = h("summary"), rest = h("dl");
  fold.append(more, rest);
  el.append(title, list, fold, empty);
  const entry = ({ topic, text }) => h("div", { "data-topic": topic }, h("dt", {}, topic), h("dd", {}, text));
  return follow(model, ["title", "items", "most", "empty"], () => {
    const items = model.get("items"), most = model.get("most");
    el.classList.toggle("wb-off", !items.length && !model.get("empty"));
    title.textContent = model.get("title");
    empty.textContent = items.length ? "" : model.get("empty");
    list.replaceChildren(...items.slice(0, most).map(entry));
    rest.replaceChildren(...items.slice(most).map(entry));
    fold.hidden = items.length <= most;
    more.textContent = say("{n} more", { n: Math.max(0, items.length - most) });
  });
}
export default { render };
