function render({ model, el }) {
  el.classList.add("wb", "wb-timeline");
  const title = h("div", { class: "wb-table-title" }), list = h("ol", { class: "wb-moments" }), none = h("p", { class: "wb-timeline-empty" });
  const spoken = h("span", { class: "wb-hidden-text", "aria-live": "polite" });
  const box = h("div", { class: "wb-moments-box", tabindex: "0" }, none, list);
  el.append(title, box, spoken);
  let last = "";
  return follow(model, ["title", "moments", "empty", "newest_first", "height", "label"], () => {
    const moments = [...model.get("moments")], newest = moments[moments.length - 1];
    title.textContent = model.get("title");
    title.hidden = !model.get("title");
    none.textContent = moments.length ? "" : model.get("empty");
    none.hidden = !none.textContent;
    list.hidden = !moments.length;
    box.style.height = model.get("height") ? `${model.get("height")}px` : "";
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", model.get("label") || model.get("title"));
    if (model.get("newest_first")) moments.reverse();
    list.replaceChildren(...moments.map((m) => h("li", { "data-kind": m.kind, "data-tone": m.tone || "quiet" },
      h("span", { class: "wb-moment-time" }, m.time), h("span", { class: "wb-moment-kind" }, m.kind), h("span", { class: "wb-moment-words", title: m.words }, m.words))));
    const said = newest ? `${newest.kind}: ${newest.words}` : "";
    if (said !== last) spoken.textContent = last = said;
  });
}
export default { render };
