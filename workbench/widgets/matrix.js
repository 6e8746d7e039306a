function render({ model, el }) {
  el.classList.add("wb", "wb-matrix");
  const say = speaker(model);
  const caption = h("div", { class: "wb-matrix-title" }), said = h("p", { class: "wb-matrix-said", "aria-live": "polite" });
  const scroll = h("div", { class: "wb-matrix-scroll" });
  el.append(caption, scroll, said);
  let cells = [], focus = [0, 0];

  const tell = (row, column) => {
    const labels = model.get("labels"), counts = model.get("counts"), total = counts[row].reduce((a, b) => a + b, 0);
    const n = counts[row][column], share = total ? ((100 * n) / total).toFixed(1) : "0";
    said.textContent = row === column
      ? say("{label}: {n} of {total} right ({share} %)", { label: labels[row], n, total, share })
      : say("{label} taken for {other}: {n} of {total} ({share} %)", { label: labels[row], other: labels[column], n, total, share });
  };

  const move = (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step || !cells.length) return;
    event.preventDefault();
    const clamp = (v) => Math.max(0, Math.min(cells.length - 1, v));
    cells[focus[0]][focus[1]].tabIndex = -1;
    focus = [clamp(focus[0] + step[0]), clamp(focus[1] + step[1])];
    cells[focus[0]][focus[1]].tabIndex = 0;
    cells[focus[0]][focus[1]].focus();
  };

  const cell = (row, column, n, total, worst) => {
    const share = total ? n / total : 0, right = row === column;
    // A square root lifts the rare mistakes into sight.
    // Between the two shades neither dark nor light letters would be read well.
    const strong = right && share > 0.6;
    const depth = strong ? 0.9 + 0.25 * (share - 0.6) : right ? 0.08 + 0.8 * share : n ? 0.12 + 0.38 * Math.sqrt(n / worst) : 0;
    const button = h("button", {
      type: "button", tabindex: row === focus[0] && column === focus[1] ? "0" : "-1", "data-strong": strong, "data-zero": n === 0,
      style: `background:rgb(var(${right ? "--wb-heat" : "--wb-heat-miss"}) / ${depth.toFixed(3)})`,
    }, String(n));
    button.addEventListener("focus", () => { focus = [row, column]; tell(row, column); });
    button.addEventListener("pointerenter", () => tell(row, column));
    button.addEventListener("click", () => { model.set("selected", [row, column]); model.save_changes(); });
    button.dataset.cell = `${row},${column}`;
    return button;
  };

  const draw = () => {
    const labels = model.get("labels"), counts = model.get("counts");
    caption.textContent = model.get("title");
    el.classList.toggle("wb-off", !counts.length && !model.get("empty"));
    scroll.replaceChildren();
    cells = [];
    said.textContent = counts.length ? "" : model.get("empty");
    if (!counts.length) return;
    const worst = Math.max(1, ...counts.flatMap((row, r) => row.filter((_, c) => c !== r)));
    const head = h("tr", {}, h("td"), ...labels.map((name) => h("th", { scope: "col", title: name }, name)));
    const body = counts.map((row, r) => {
      const total = row.reduce((a, b) => a + b, 0);
      cells.push(row.map((n, c) => cell(r, c, n, total, worst)));
      return h("tr", {}, h("th", { scope: "row", title: labels[r] }, labels[r]), ...cells[r].map((b) => h("td", {}, b)));
    });
    const table = h("table", { "aria-label": model.get("title"), style: `--wb-columns:${labels.length}` }, h("thead", {},
      h("tr", {}, h("td"), h("th", { class: "wb-matrix-axis", colspan: String(labels.length), scope: "colgroup" }, model.get("column_title"))), head),
      h("tbody", {}, ...body));
    table.addEventListener("keydown", move);
    scroll.append(h("div", { class: "wb-matrix-row-title", "aria-hidden": "true" }, model.get("row_title")), table);
    const wrong = counts.flatMap((row, r) => row.map((n, c) => [r === c ? 0 : n, r, c])).sort((a, b) => b[0] - a[0])[0];
    said.textContent = wrong[0] ? say("Most common mistake: {label} taken for {other}, {n} times.", { label: labels[wrong[1]], other: labels[wrong[2]], n: wrong[0] }) : say("No mistakes.");
  };
  const mark = () => {
    const [row, column] = model.get("selected");
    cells.forEach((line, r) => line.forEach((button, c) => button.setAttribute("aria-pressed", String(r === row && c === column))));
  };
  const stopMark = follow(model, ["selected"], mark);
  const stopDraw = follow(model, ["title", "labels", "counts", "row_title", "column_title", "empty"], () => { draw(); mark(); });
  return () => { stopMark(); stopDraw(); };
}
export default { render };
