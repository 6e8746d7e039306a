const shownAs = (format, value) => {
  if (value === null || value === undefined) return "–";
  if (format === "share") return `${(value * 100).toFixed(1)} %`;
  if (format === "int") return Number(value).toLocaleString("en-US");
  return format === "number" ? Number(value).toPrecision(4) : String(value);
};

function render({ model, el }) {
  el.classList.add("wb", "wb-table");
  const say = speaker(model);
  const title = h("div", { class: "wb-table-title" }), scroll = h("div", { class: "wb-table-scroll" });
  el.append(title, scroll);
  let sorted = null, down = true;

  const tickOf = (key) => {
    const box = h("input", { type: "checkbox", "data-key": key, "aria-label": say("Select {row}", { row: key }) });
    box.checked = model.get("selected").includes(key);
    box.addEventListener("change", () => {
      const others = model.get("selected").filter((one) => one !== key);
      model.set("selected", box.checked ? [...others, key] : others);
      model.save_changes();
    });
    return h("td", {}, box);
  };
  // The boxes alone, so that the one with the keyboard's focus stays.
  const tick = () => {
    for (const box of scroll.querySelectorAll("input[data-key]")) box.checked = model.get("selected").includes(box.dataset.key);
  };

  const draw = () => {
    const columns = model.get("columns"), rows = [...model.get("rows")];
    title.textContent = model.get("title");
    el.classList.toggle("wb-off", !rows.length && !model.get("empty"));
    if (!rows.length) { scroll.replaceChildren(h("p", { class: "wb-table-empty" }, model.get("empty"))); return; }
    if (sorted) rows.sort((a, b) => (a[sorted] > b[sorted] ? 1 : a[sorted] < b[sorted] ? -1 : 0) * (down ? -1 : 1));
    const head = columns.map((column) => {
      const numeric = column.format && column.format !== "text";
      const button = h("button", { type: "button", title: column.tooltip || say("Sort by {column}", { column: column.label }) }, column.label,
        h("span", { "aria-hidden": "true", class: "wb-table-arrow" }, sorted === column.name ? (down ? "↓" : "↑") : ""));
      button.addEventListener("click", () => {
        if (sorted === column.name) down = !down; else { sorted = column.name; down = Boolean(numeric); }
        draw();
        scroll.querySelector(`[data-column="${CSS.escape(column.name)}"] button`).focus();
      });
      return h("th", { scope: "col", "data-numeric": numeric, "data-column": column.name,
        "aria-sort": sorted === column.name ? (down ? "descending" : "ascending") : null }, button);
    });
    const ticks = model.get("selectable");
    if (ticks) head.unshift(h("td", {}));
    const body = rows.map((row) => h("tr", { "data-row": ticks ? row.key : null }, ticks ? tickOf(row.key) : "", ...columns.map((column, i) => {
      const numeric = column.format && column.format !== "text", value = row[column.name], text = shownAs(column.format, value);
      if (i === 0) return h("th", { scope: "row" }, text);
      const bar = column.format === "share" && typeof value === "number"
        ? h("span", { class: "wb-table-bar", "aria-hidden": "true" }, h("span", { style: `transform:scaleX(${Math.min(1, value / (column.most || 1))})` })) : null;
      return h("td", { "data-numeric": numeric, "data-wrap": column.wrap }, h("span", { class: "wb-table-cell" }, bar, h("span", {}, text)));
    })));
    scroll.replaceChildren(h("table", { "aria-label": model.get("title") }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body)));
  };
  const stop = follow(model, ["title", "columns", "rows", "empty", "selectable"], draw);
  const stopTicks = follow(model, ["selected"], tick);
  return () => { stop(); stopTicks(); };
}
export default { render };
