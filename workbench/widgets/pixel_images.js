function render({ model, el }) {
  el.classList.add("wb", "wb-pixels");
  const title = h("div", { class: "wb-table-title" }), row = h("div", { class: "wb-pixel-row" }), none = h("p", { class: "wb-pixel-empty" });
  el.append(title, none, row);
  return follow(model, ["title", "images", "side", "empty"], () => {
    const images = model.get("images"), side = model.get("side");
    title.textContent = model.get("title");
    title.hidden = !model.get("title");
    none.textContent = images.length ? "" : model.get("empty");
    none.hidden = !none.textContent;
    el.classList.toggle("wb-off", !images.length && !model.get("empty"));
    row.replaceChildren(...images.map((image) => {
      const rows = image.rows, high = rows.length, wide = rows[0]?.length || 1;
      const canvas = h("canvas", { width: wide, height: high, role: "img", style: `width:${Math.round((side * wide) / Math.max(wide, high))}px;height:${Math.round((side * high) / Math.max(wide, high))}px` });
      canvas.setAttribute("aria-label", [image.title, image.detail].filter(Boolean).join(", "));
      const c = canvas.getContext("2d"), data = c.createImageData(wide, high);
      rows.forEach((line, y) => line.forEach((value, x) => {
        const grey = Math.round(255 * Math.min(1, Math.max(0, value || 0)));
        data.data.set([grey, grey, grey, 255], 4 * (y * wide + x));
      }));
      c.putImageData(data, 0, 0);
      return h("figure", {}, canvas, h("figcaption", {}, h("span", {}, image.title), image.detail ? h("span", { class: "wb-pixel-detail" }, image.detail) : null));
    }));
  });
}
export default { render };
