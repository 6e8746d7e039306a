function render({ model, el }) {
  el.classList.add("wb", "wb-heat");
  const title = h("div", { class: "wb-heat-title" }), scroll = h("div", { class: "wb-heat-scroll" });
  const said = h("p", { class: "wb-heat-said", "aria-live": "polite" });
  el.append(title, scroll, said);
  let buttons = [], focus = [0, 0];

  const move = (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    let [row, column] = focus;
    // Steps over what is no cell.
    do { row += step[0]; column += step[1]; } while (buttons[row] && column in buttons[row] && !buttons[row][column]);
    const next = buttons[row]?.[column];
    if (!next) return;
    buttons[focus[0]][focus[1]].tabIndex = -1;
    focus = [row, column];
    next.tabIndex = 0;
    next.focus();
  };

  const cellOf = (cell, row, column) => {
    if (!("text" in cell)) return null;
    // Between the two shades neither dark nor light letters would be read well, nor dark ones on a deeper one.
    const strong = cell.shade > 0.6, depth = strong ? 0.72 + 0.4 * (cell.shade - 0.6) : 0.05 + 0.8 * cell.shade;
    const button = h("button", { type: "button", tabindex: "-1", "data-row": String(row), "data-column": String(column), "data-strong": strong,
      "aria-label": cell.hint, style: `background:rgb(var(--wb-heat-miss) / ${depth.toFixed(3)})` }, cell.text);
    const tell = () => { said.textContent = cell.hint; };
    button.addEventListener("focus", () => { buttons[focus[0]][focus[1]].tabIndex = -1; focus = [row, column]; button.tabIndex = 0; tell(); });
    button.addEventListener("pointerenter", tell);
    button.addEventListener("click", () => model.send({ type: "pick", row, column }));
    return button;
  };

  const mark = () => {
    const marked = new Set(model.get("marked").map(String));
    buttons.forEach((row, r) => row.forEach((button, c) => {
      button?.toggleAttribute("data-marked", marked.has(`${r},${c}`));
      button?.setAttribute("aria-pressed", String(marked.has(`${r},${c}`)));
    }));
  };

  const draw = () => {
    const rows = model.get("rows"), columns = model.get("columns"), cells = model.get("cells");
    title.textContent = model.get("title");
    el.classList.toggle("wb-off", !cells.length && !model.get("empty"));
    said.textContent = cells.length ? model.get("caption") : model.get("empty");
    buttons = cells.map((row, r) => row.map((cell, c) => cellOf(cell, r, c)));
    scroll.replaceChildren();
    if (!cells.length) return;
    const first = buttons.flatMap((row, r) => row.map((b, c) => [b, r, c])).find(([b]) => b);
    if (first) { focus = [first[1], first[2]]; first[0].tabIndex = 0; }
    const table = h("table", { "aria-label": model.get("title"), style: `--wb-columns:${columns.length}` },
      h("thead", {}, h("tr", {}, h("td"), ...columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows.map((name, r) => h("tr", {}, h("th", { scope: "row", title: name }, name), ...buttons[r].map((b) => h("td", {}, b))))));
    table.addEventListener("keydown", move);
    table.addEventListener("pointerleave", () => { said.textContent = model.get("caption"); });
    scroll.append(table);
    mark();
  };
  const stopDraw = follow(model, ["title", "rows", "columns", "cells", "caption", "empty"], draw);
  const stopMark = follow(model, ["marked"], mark);
  return () => { stopDraw(); stopMark(); };
}
export default { render };
