const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function render({ model, el }) {
  el.classList.add("wb");
  const legend = h("legend"), body = h("div"), note = h("p", { class: "wb-choices-note", "aria-live": "polite" });
  const error = h("p", { class: "wb-choices-error", role: "alert" });
  el.append(h("fieldset", { class: "wb-choices" }, legend, body, note, error));
  let lines = [];

  const toggle = (row, value) => {
    const chosen = { ...model.get("chosen") }, now = chosen[row.name] || [];
    const wanted = row.levels.map((l) => l.value).filter((v) => (same(v, value) ? !now.some((n) => same(n, v)) : now.some((n) => same(n, v))));
    if (wanted.length) chosen[row.name] = wanted; else delete chosen[row.name];
    model.set("chosen", chosen);
    model.save_changes();
  };

  // Tab goes from row to row; arrows go along it and between rows.
  const move = (event, r, c) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const line = lines[Math.max(0, Math.min(lines.length - 1, r + step[0]))];
    line.buttons[Math.max(0, Math.min(line.buttons.length - 1, c + step[1]))].focus();
  };

  const build = () => {
    lines = model.get("rows").map((row, r) => {
      const buttons = row.levels.map((level, c) => {
        const button = h("button", { type: "button", "data-level": String(level.value), title: level.hint, "aria-label": `${row.label}: ${level.label}` }, level.label);
        button.addEventListener("click", () => toggle(row, level.value));
        button.addEventListener("keydown", (event) => move(event, r, c));
        button.addEventListener("focus", () => buttons.forEach((b) => { b.tabIndex = b === button ? 0 : -1; }));
        return button;
      });
      buttons.forEach((b, i) => { b.tabIndex = i ? -1 : 0; });
      const node = h("div", { class: "wb-choices-row", "data-axis": row.name, role: "group", "aria-label": row.label },
        h("span", { class: "wb-choices-name", title: row.hint }, row.label), h("div", { class: "wb-choices-levels" }, ...buttons));
      return { row, buttons, node };
    });
    body.replaceChildren(...lines.map((line) => line.node));
  };

  const fill = () => {
    legend.textContent = model.get("title");
    note.textContent = model.get("note");
    error.textContent = model.get("error");
    for (const { row, buttons, node } of lines) {
      const now = model.get("chosen")[row.name] || [];
      node.toggleAttribute("data-out", !now.length);
      buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(now.some((n) => same(n, row.levels[i].value)))));
    }
  };
  const stopBuild = follow(model, ["rows"], () => { build(); fill(); });
  const stopFill = follow(model, ["title", "chosen", "error", "note"], fill);
  return () => { stopBuild(); stopFill(); };
}
export default { render };
