const NS = "http://www.w3.org/2000/svg";

class Drawn {
  constructor(model, el) {
    this.model = model;
    this.svg = document.createElementNS(NS, "svg");
    this.svg.setAttribute("aria-hidden", "true");
    this.grid = h("div", { class: "wb-map", role: "group" });
    this.empty = h("div", { class: "wb-map-empty" });
    el.append(this.empty, this.grid);
    this.buttons = new Map();
  }

  build() {
    const get = (name) => this.model.get(name), nodes = get("nodes"), ways = get("ways");
    const focused = this.grid.contains(document.activeElement) ? document.activeElement.dataset.node : null;
    this.empty.textContent = get("empty");
    this.empty.hidden = Boolean(nodes.length);
    this.empty.style.display = nodes.length ? "none" : "";
    this.buttons.clear();
    this.columns = get("columns").map((title, c) => nodes.filter((node) => node.column === c).map((node) => node.id)).filter((ids) => ids.length);
    const into = (id) => ways.find((way) => way.target === id);
    this.grid.replaceChildren(this.svg, ...get("columns").map((title, c) => {
      const rows = nodes.filter((node) => node.column === c).map((node) => this.row(node, into(node.id)));
      return rows.length ? h("div", { class: "wb-map-column", "data-column": String(c) }, h("div", { class: "wb-map-head" }, title), ...rows) : null;
    }).filter(Boolean));
    this.grid.setAttribute("aria-label", get("label"));
    if (focused) this.buttons.get(focused)?.focus();
    this.mark();
  }

  row(node, way) {
    const button = h("button", { type: "button", class: "wb-map-node", "data-node": node.id, "data-tone": way?.tone, title: node.title, "aria-label": node.said || node.name },
      h("span", { class: "wb-map-name" }, node.name), node.detail ? h("span", { class: "wb-map-detail" }, node.detail) : null);
    button.addEventListener("click", () => { this.model.set("chosen", node.id); this.model.save_changes(); this.model.send({ type: "choose", id: node.id }); });
    button.addEventListener("keydown", (event) => this.move(event, node));
    this.buttons.set(node.id, button);
    const label = way ? h("span", { class: "wb-map-label", "data-tone": way.tone, "aria-hidden": "true" }, `${way.mark} ${way.label}`.trim()) : null;
    return h("div", { class: "wb-map-row" }, label, button);
  }

  move(event, node) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const c = this.columns.findIndex((ids) => ids.includes(node.id)), r = this.columns[c].indexOf(node.id);
    const column = this.columns[Math.max(0, Math.min(this.columns.length - 1, c + step[0]))];
    this.buttons.get(column[Math.max(0, Math.min(column.length - 1, r + step[1]))]).focus();
  }

  mark() {
    const chosen = this.model.get("chosen"), first = this.model.get("nodes")[0]?.id;
    const stop = this.buttons.has(chosen) ? chosen : first;
    this.buttons.forEach((button, id) => { button.setAttribute("aria-pressed", String(id === chosen)); button.tabIndex = id === stop ? 0 : -1; });
    this.draw();
  }

  // From the right side of a node to the label before another one.
  draw() {
    const frame = this.grid.getBoundingClientRect();
    if (!frame.width) return;
    const at = (x, y) => `${(x - frame.left).toFixed(1)} ${(y - frame.top).toFixed(1)}`;
    this.svg.replaceChildren(...this.model.get("ways").flatMap((way) => {
      const from = this.buttons.get(way.source), to = this.buttons.get(way.target);
      if (!from || !to) return [];
      const a = from.getBoundingClientRect(), b = to.getBoundingClientRect(), label = to.previousElementSibling?.getBoundingClientRect() ?? b;
      const [x1, y1, x2, y2, x3] = [a.right, a.top + a.height / 2, label.left, b.top + b.height / 2, b.left];
      const bend = Math.max(24, (x2 - x1) / 2), path = document.createElementNS(NS, "path");
      path.setAttribute("d", `M ${at(x1, y1)} C ${at(x1 + bend, y1)} ${at(x2 - bend, y2)} ${at(x2, y2)} M ${at(label.right, y2)} L ${at(x3, y2)}`);
      path.dataset.tone = way.tone;
      if (way.target === this.model.get("chosen")) path.dataset.chosen = "1";
      return [path];
    }));
  }
}

function render({ model, el }) {
  el.classList.add("wb");
  const drawn = new Drawn(model, el);
  let asked = false;
  // Several traits change at once; the map is built once for them.
  const soon = () => { if (!asked) { asked = true; queueMicrotask(() => { asked = false; drawn.build(); }); } };
  const stop = follow(model, ["columns", "nodes", "ways", "empty", "label"], soon);
  const stopMark = follow(model, ["chosen"], () => drawn.mark());
  const size = new ResizeObserver(() => drawn.draw());
  size.observe(drawn.grid);
  return () => { stop(); stopMark(); size.disconnect(); };
}
export default { render };
