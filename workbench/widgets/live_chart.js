// Ticks at 1, 2 or 5 times a power of ten.
const ticksOf = (low, high, wanted) => {
  const rough = (high - low) / Math.max(1, wanted), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.8) || power * 10;
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-6); i * step <= high + step * 1e-6; i++) ticks.push(i * step);
  return { ticks, step };
};

const formatter = (format, step) => (value) => {
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step * (format === "percent" ? 100 : 1)) + 1e-9)));
  return format === "percent" ? `${(value * 100).toFixed(digits)} %` : (Math.abs(value) < step / 2 ? 0 : value).toFixed(digits);
};

const exact = (format, value) => (format === "percent" ? `${(value * 100).toFixed(2)} %` : value.toPrecision(4));

// The bytes as [{name, style, color, x, y}].
const unpack = (series, view) => {
  if (!view || !view.byteLength) return series.map((s) => ({ ...s, x: [], y: [] }));
  const floats = new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  let at = 0;
  return series.map((s) => {
    const x = floats.subarray(at, at + s.count), y = floats.subarray(at + s.count, at + 2 * s.count);
    at += 2 * s.count;
    return { ...s, x, y };
  });
};

const extent = (values) => {
  let low = Infinity, high = -Infinity;
  for (const list of values) for (const v of list) if (Number.isFinite(v)) { if (v < low) low = v; if (v > high) high = v; }
  return low <= high ? [low, high] : null;
};

const bounds = (found, fixed, padding) => {
  let [low, high] = found || [0, 1];
  const room = (high - low || Math.abs(high) * 0.1 || 1) * padding;
  if (found) { low -= room; high += room; }
  if (fixed[0] !== null) low = fixed[0];
  if (fixed[1] !== null) high = fixed[1];
  if (!(high > low)) high = low + 1;
  return [low, high];
};

const nearest = (xs, x) => {
  let low = 0, high = xs.length - 1;
  while (high - low > 1) { const middle = (low + high) >> 1; if (xs[middle] < x) low = middle; else high = middle; }
  return Math.abs(xs[high] - x) < Math.abs(xs[low] - x) ? high : low;
};

class Chart {
  constructor(model, el) {
    this.model = model;
    this.say = speaker(model);
    this.hiddenNames = new Set();
    this.cursor = null;
    this.title = h("span", { class: "wb-chart-title" });
    this.legend = h("div", { class: "wb-chart-legend" });
    this.canvas = h("canvas", { tabindex: "0", role: "img" });
    this.tip = h("div", { class: "wb-chart-tip", "aria-hidden": "true" });
    this.spoken = h("span", { class: "wb-hidden-text", "aria-live": "polite" });
    this.plot = h("div", { class: "wb-chart-plot" }, this.canvas, this.tip, this.spoken);
    el.append(h("div", { class: "wb-chart-head" }, this.title, this.legend), this.plot);
    this.still = stills(model, async (scale) => (this.box && this.all.some((s) => s.x.length)
      ? grounded(this.canvas, this.plot.clientWidth, this.plot.clientHeight, scale, this.say, model.get("title")) : null));
    this.canvas.addEventListener("pointermove", (event) => this.pointAt(event.offsetX));
    this.canvas.addEventListener("pointerleave", () => this.setCursor(null));
    this.canvas.addEventListener("blur", () => this.setCursor(null));
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  readColors() {
    const style = getComputedStyle(document.documentElement), of = (name) => style.getPropertyValue(name).trim();
    this.colors = {
      series: [0, 1, 2, 3].map((i) => of(`--wb-series-${i}`)), grid: of("--wb-grid"), text: of("--wb-muted"),
      surface: of("--wb-surface"), strong: of("--wb-line-strong"), font: getComputedStyle(this.plot).fontFamily,
    };
    this.ask();
  }

  // One redraw a frame, however many traits changed.
  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; if (this.colors && this.canvas.isConnected) this.draw(); });
  }

  refresh() {
    const get = (name) => this.model.get(name);
    this.all = unpack(get("series"), get("data"));
    this.title.textContent = get("title");
    this.plot.style.height = `${get("height")}px`;
    this.drawLegend();
    const said = this.all.filter((s) => s.x.length).map((s) => `${s.name} ${exact(get("y_format"), s.y[s.y.length - 1])}`);
    const { say } = this, names = { title: get("title"), x: get("x_label") };
    this.canvas.setAttribute("aria-label", said.length
      ? say("{title} over {x}, last values: {values}. Arrow keys read the values.", { ...names, values: said.join(", ") })
      : say("{title} over {x}, no data yet.", names));
    this.ask();
    this.still.soon();
  }

  drawLegend() {
    // What never had a point has no key, unless nothing has.
    const keyed = this.all.some((s) => s.x.length) ? this.all.filter((s) => s.x.length) : this.all;
    const known = keyed.map((s) => s.name).join("\n");
    if (known !== this.known) {
      this.known = known;
      this.keys = keyed.map((s) => {
        const value = h("span", { class: "wb-chart-value" });
        const key = h("button", { type: "button", class: "wb-chart-key", "aria-pressed": "true", title: this.say("Show or hide {series}", { series: s.name }) },
          h("span", { class: "wb-chart-swatch", "data-style": s.style, style: `--swatch:var(--wb-series-${s.color || 0})` }), s.name, value);
        key.addEventListener("click", () => {
          if (!this.hiddenNames.delete(s.name)) this.hiddenNames.add(s.name);
          key.setAttribute("aria-pressed", String(!this.hiddenNames.has(s.name)));
          this.ask();
        });
        return { key, value };
      });
      this.legend.replaceChildren(...this.keys.map(({ key }) => key));
    }
    keyed.forEach((s, i) => {
      this.keys[i].value.textContent = s.y.length && (s.style !== "dots" || s.y.length === 1) ? exact(this.model.get("y_format"), s.y[s.y.length - 1]) : "";
    });
  }

  draw() {
    const width = this.plot.clientWidth, height = this.plot.clientHeight, ratio = devicePixelRatio || 1;
    if (!width || !height) return;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const c = this.canvas.getContext("2d");
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    c.font = `11.5px ${this.colors.font}`;
    const get = (name) => this.model.get(name);
    const shown = this.all.filter((s) => !this.hiddenNames.has(s.name) && s.x.length);
    const xs = bounds(extent(shown.map((s) => s.x)), get("x_range"), 0);
    const ys = bounds(extent(shown.map((s) => s.y)), get("y_range"), 0.06);
    const yt = ticksOf(...ys, Math.max(2, height / 46)), yf = formatter(get("y_format"), yt.step);
    const left = Math.ceil(Math.max(24, ...yt.ticks.map((t) => c.measureText(yf(t)).width))) + 10;
    const box = this.box = { left, top: 8, right: width - 10, bottom: height - 38, xs };
    const px = this.px = (x) => box.left + ((x - xs[0]) / (xs[1] - xs[0])) * (box.right - box.left);
    const py = this.py = (y) => box.bottom - ((y - ys[0]) / (ys[1] - ys[0])) * (box.bottom - box.top);
    this.drawAxes(c, { px, py, xs, yt, yf, width, height });
    if (!shown.length) this.drawEmpty(c, get("empty"));
    c.save();
    c.beginPath();
    c.rect(box.left - 5, box.top - 5, box.right - box.left + 10, box.bottom - box.top + 10);
    c.clip();
    for (const s of shown) this.drawSeries(c, s, shown.length > 1);
    c.restore();
    this.drawMarks(c, get("marks"));
    this.drawCursor(c, shown);
  }

  drawAxes(c, { px, py, xs, yt, yf, height }) {
    const { box, colors } = this;
    c.lineWidth = 1;
    c.strokeStyle = colors.grid;
    c.fillStyle = colors.text;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const t of yt.ticks) {
      const y = Math.round(py(t)) + 0.5;
      if (y < box.top - 1 || y > box.bottom + 1) continue;
      c.beginPath(); c.moveTo(box.left, y); c.lineTo(box.right, y); c.stroke();
      c.fillText(yf(t), box.left - 8, y);
    }
    const xt = ticksOf(...xs, Math.max(2, Math.min(10, (box.right - box.left) / 64))), xf = formatter("number", xt.step);
    c.textAlign = "center";
    c.textBaseline = "top";
    for (const t of xt.ticks) c.fillText(xf(t), px(t), box.bottom + 6);
    c.strokeStyle = colors.strong;
    c.beginPath(); c.moveTo(box.left, box.bottom + 0.5); c.lineTo(box.right, box.bottom + 0.5); c.stroke();
    c.textAlign = "right";
    c.textBaseline = "bottom";
    c.fillText(this.model.get("x_label"), box.right, height - 1);
    c.textAlign = "left";
    c.fillText(this.model.get("y_label"), 0, height - 1);
  }

  drawEmpty(c, text) {
    c.textAlign = "center";
    c.textBaseline = "middle";
    c.font = `13px ${this.colors.font}`;
    const middle = (this.box.left + this.box.right) / 2, y = (this.box.top + this.box.bottom) / 2;
    const width = c.measureText(text).width;
    c.fillStyle = this.colors.surface;
    c.fillRect(middle - width / 2 - 8, y - 12, width + 16, 24);
    c.fillStyle = this.colors.text;
    c.fillText(text, middle, y);
  }

  drawSeries(c, s, inCompany) {
    const color = this.colors.series[s.color || 0], faint = s.style === "faint" && inCompany;
    c.strokeStyle = color;
    c.lineWidth = faint ? 1.5 : 2;
    c.globalAlpha = faint ? 0.6 : 1;
    c.lineJoin = "round";
    c.beginPath();
    let drawing = false;
    for (let i = 0; i < s.x.length; i++) {
      if (!Number.isFinite(s.y[i])) { drawing = false; continue; }
      if (drawing) c.lineTo(this.px(s.x[i]), this.py(s.y[i])); else c.moveTo(this.px(s.x[i]), this.py(s.y[i]));
      drawing = true;
    }
    if (s.style !== "dots") c.stroke();
    c.globalAlpha = 1;
    // Points that would touch one another are left to their line.
    const apart = s.x.length < 2 || this.px(s.x[s.x.length - 1]) - this.px(s.x[0]) > 9 * (s.x.length - 1);
    const dots = s.style === "dots" || (s.style === "points" && apart) ? s.x.keys() : s.x.length === 1 ? [0] : [];
    for (const i of dots) this.dot(c, s.x[i], s.y[i], color, 3.5);
  }

  dot(c, x, y, color, radius) {
    if (!Number.isFinite(y)) return;
    c.beginPath();
    c.arc(this.px(x), this.py(y), radius, 0, 7);
    c.fillStyle = color;
    c.fill();
    c.lineWidth = 1.5;
    c.strokeStyle = this.colors.surface;
    c.stroke();
  }

  drawMarks(c, marks) {
    for (const [i, mark] of marks.entries()) {
      if (mark.until !== undefined) {
        c.globalAlpha = 0.1;
        c.fillStyle = this.colors.text;
        c.fillRect(this.px(mark.x), this.box.top, this.px(mark.until) - this.px(mark.x), this.box.bottom - this.box.top);
        c.globalAlpha = 1;
      }
      const x = Math.round(this.px(mark.x)) + 0.5, wide = c.measureText(mark.label).width + 6;
      c.strokeStyle = this.colors.strong;
      c.setLineDash([3, 3]);
      c.beginPath(); c.moveTo(x, this.box.top); c.lineTo(x, this.box.bottom); c.stroke();
      c.setLineDash([]);
      c.font = `11.5px ${this.colors.font}`;
      c.fillStyle = this.colors.text;
      c.textBaseline = "bottom";
      c.textAlign = x + wide > this.box.right ? "right" : "left";
      c.fillText(mark.label, x + (c.textAlign === "right" ? -5 : 5), this.box.bottom - 4 - 15 * i);
    }
  }

  drawCursor(c, shown) {
    if (this.cursor === null || !shown.length) { this.tip.style.display = "none"; return; }
    const lead = shown.reduce((a, b) => (b.x.length > a.x.length ? b : a));
    const at = lead.x[nearest(lead.x, this.cursor)], x = Math.round(this.px(at)) + 0.5;
    c.strokeStyle = this.colors.strong;
    c.lineWidth = 1;
    c.beginPath(); c.moveTo(x, this.box.top); c.lineTo(x, this.box.bottom); c.stroke();
    const rows = shown.map((s) => {
      const i = nearest(s.x, at);
      this.dot(c, s.x[i], s.y[i], this.colors.series[s.color || 0], 4);
      return [s, exact(this.model.get("y_format"), s.y[i])];
    });
    const head = `${this.model.get("x_label")} ${Number(at.toFixed(2))}`;
    this.tip.replaceChildren(h("div", { class: "wb-chart-tip-head" }, head), ...rows.map(([s, value]) => h("div", {},
      h("span", { class: "wb-chart-swatch", "data-style": s.style, style: `--swatch:var(--wb-series-${s.color || 0})` }), `${s.name} `, h("b", {}, value))));
    this.tip.style.display = "block";
    const wide = this.tip.offsetWidth, room = this.plot.clientWidth;
    this.tip.style.left = `${Math.max(0, x + 14 + wide > room ? x - wide - 14 : x + 14)}px`;
    if (this.byKey) this.spoken.textContent = `${head}: ${rows.map(([s, value]) => `${s.name} ${value}`).join(", ")}`;
  }

  pointAt(pixel) {
    if (!this.box) return;
    const { left, right, xs } = this.box;
    this.byKey = false;
    this.setCursor(xs[0] + ((Math.min(right, Math.max(left, pixel)) - left) / (right - left)) * (xs[1] - xs[0]));
  }

  setCursor(x) { this.cursor = x; this.ask(); }

  onKey(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (event.key === "Escape") { this.setCursor(null); return; }
    if (!(event.key in steps)) return;
    const shown = this.all.filter((s) => !this.hiddenNames.has(s.name) && s.x.length);
    if (!shown.length) return;
    event.preventDefault();
    const lead = shown.reduce((a, b) => (b.x.length > a.x.length ? b : a)).x;
    const now = this.cursor === null ? lead.length : nearest(lead, this.cursor);
    this.byKey = true;
    this.setCursor(lead[Math.max(0, Math.min(lead.length - 1, now + steps[event.key]))]);
  }
}

function render({ model, el }) {
  el.classList.add("wb", "wb-chart");
  const chart = new Chart(model, el);
  const stop = follow(model, ["series", "data", "title", "x_label", "y_label", "y_format", "x_range", "y_range", "marks", "empty", "height"],
    () => chart.refresh());
  const stopTheme = onTheme(() => chart.readColors());
  const size = new ResizeObserver(() => chart.ask());
  size.observe(chart.plot);
  return () => { stop(); stopTheme(); size.disconnect(); chart.still.stop(); };
}
export default { render };
