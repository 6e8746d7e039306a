function render({ model, el }) {
  el.classList.add("wb");
  const list = h("dl", { class: "wb-tiles" });
  el.append(list);
  return follow(model, ["tiles", "label"], () => {
    list.setAttribute("aria-label", model.get("label"));
    const tiles = model.get("tiles");
    el.classList.toggle("wb-off", !tiles.length);
    while (list.children.length > tiles.length) list.lastChild.remove();
    while (list.children.length < tiles.length) list.append(h("div", {}, h("dt"), h("dd"), h("dd", { class: "wb-tile-detail" })));
    tiles.forEach((tile, i) => {
      const [label, value, detail] = list.children[i].children;
      label.textContent = tile.label;
      value.textContent = tile.value;
      detail.textContent = tile.detail || "";
      list.children[i].title = tile.tooltip || "";
    });
  });
}
export default { render };
