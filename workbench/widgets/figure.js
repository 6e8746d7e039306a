const DARK = { "#0072B2": "#56B4E9", "#D55E00": "#FF8A4C", "#24292f": "#e7ebf0" };

const asked = (model) => new Promise((found) => {
  const heard = (message, buffers) => {
    if (message.type !== "bundle") return;
    model.off("msg:custom", heard);
    found(buffers[0]);
  };
  model.on("msg:custom", heard);
  model.send({ type: "bundle" });
});

const address = async (model) => {
  const page = document.getElementById("wb-config");
  if (page) return new URL(`${JSON.parse(page.textContent).baseUrl}workbench/plotly.min.js?v=${model.get("bundle")}`, location.href).href;
  const unpacked = new Blob([await asked(model)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return URL.createObjectURL(new Blob([await new Response(unpacked).blob()], { type: "text/javascript" }));
};

// One copy a page, whoever needs it first; what another extension calls Plotly stays that.
const plotly = (model) => globalThis.wbPlotly ??= (async () => {
  const theirs = globalThis.Plotly;
  await import(await address(model));
  const ours = globalThis.Plotly;
  if (theirs) globalThis.Plotly = theirs;
  return ours;
})().catch((error) => { globalThis.wbPlotly = undefined; throw error; });

const titleOf = (figure) => { const title = figure?.layout?.title; return (typeof title === "string" ? title : title?.text) || ""; };

// The figure in the page's colours.
const dressed = (text, dark, height, root) => {
  const figure = JSON.parse(dark ? text.replace(/"(#[0-9A-Fa-f]{6})"/g, (whole, color) => (DARK[color] ? `"${DARK[color]}"` : whole)) : text);
  const style = getComputedStyle(document.documentElement), of = (name) => style.getPropertyValue(name).trim();
  const font = { family: getComputedStyle(root).fontFamily, size: 12, color: of("--wb-text") };
  const layout = { ...figure.layout, height, autosize: true, title: undefined, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
  delete layout.width;
  layout.font = { ...layout.font, ...font };
  layout.margin = { l: 48, r: 12, b: 44, ...layout.margin, t: layout.legend || layout.annotations ? 34 : 12 };
  layout.hoverlabel = { bgcolor: of("--wb-surface"), bordercolor: of("--wb-line-strong"), font, align: "left", ...layout.hoverlabel };
  layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: of("--wb-muted"), activecolor: of("--wb-accent") };
  layout.uirevision ??= "same";
  // The buttons come up at the right.
  if (layout.legend) layout.legend = { ...layout.legend, x: 0, xanchor: "left" };
  const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
  for (const name of new Set([...axes, "xaxis", "yaxis"])) {
    layout[name] = { ...layout[name], gridcolor: of("--wb-grid"), zerolinecolor: of("--wb-grid"), linecolor: of("--wb-line-strong"), automargin: true };
  }
  return { data: figure.data ?? [], layout };
};

const configFor = (say) => ({
  displaylogo: false, showSendToCloud: false, plotlyServerURL: "", responsive: false, displayModeBar: "hover",
  modeBarButtonsToRemove: ["lasso2d", "autoScale2d"], locale: "page",
  locales: { page: { format: {}, dictionary: {
    Zoom: say("Zoom"), Pan: say("Pan"), "Box Select": say("Select in a box"), "Zoom in": say("Zoom in"), "Zoom out": say("Zoom out"),
    "Reset axes": say("Show all"), "Download plot as a PNG": say("Save as a picture"), "Double-click to zoom back out": say("Double-click to zoom back out"),
  } } },
});

const written = (format, value) => {
  if (value === null || value === undefined) return "–";
  if (format === "share") return `${(value * 100).toFixed(2)} %`;
  if (format === "int") return Number(value).toLocaleString("en-US");
  return format === "number" ? String(Number(Number(value).toPrecision(5))) : String(value);
};

const tableOf = (columns, rows, press) => h("table", {},
  h("thead", {}, h("tr", {}, ...columns.map((c) => h("th", { scope: "col", title: c.tooltip, "data-numeric": c.format && c.format !== "text" }, c.label)))),
  h("tbody", {}, ...rows.map((row) => h("tr", {}, ...columns.map((c, i) => {
    const text = written(c.format, row[c.name]);
    if (i) return h("td", { "data-numeric": c.format && c.format !== "text" }, text);
    return h("th", { scope: "row" }, "custom" in row ? h("button", { type: "button", onclick: () => press(row.custom) }, text) : text);
  })))));

const plain = (point) => ({ curve: point.curveNumber, point: point.pointNumber ?? point.pointIndex ?? null, custom: point.customdata ?? null });

const loaded = (source) => new Promise((found, failed) => {
  const image = new Image();
  image.onload = () => found(image);
  image.onerror = failed;
  image.src = source;
});

class Drawing {
  constructor(model, el) {
    this.model = model;
    this.say = speaker(model);
    this.title = h("div", { class: "wb-figure-title" });
    this.summary = h("p", { class: "wb-figure-summary" });
    this.empty = h("div", { class: "wb-figure-empty" });
    this.plot = h("div", { class: "wb-figure-plot", role: "figure", "data-figure": "" });
    this.table = h("div", { class: "wb-figure-table", tabindex: "0", role: "region" });
    this.fold = h("details", {}, h("summary", {}, this.say("Data table")), this.table);
    this.fold.addEventListener("toggle", () => this.fill());
    el.append(this.title, this.summary, this.empty, this.plot, this.fold);
    this.still = stills(model, (scale) => this.picture(scale));
  }

  fill() {
    const get = (name) => this.model.get(name);
    this.fold.hidden = !get("rows").length;
    this.table.setAttribute("aria-label", get("title") || this.say("Data table"));
    if (this.fold.open) this.table.replaceChildren(tableOf(get("columns"), get("rows"), (custom) => this.send({ curve: null, point: null, custom })));
  }

  send(point) { this.model.send({ type: "click", point }); }

  refresh() {
    const get = (name) => this.model.get(name), text = get("figure"), height = get("height");
    this.title.textContent = get("title") || (text ? titleOf(JSON.parse(text)) : "");
    this.title.hidden = !this.title.textContent;
    this.summary.textContent = get("summary");
    this.plot.setAttribute("aria-label", get("summary") || get("title") || this.say("Figure"));
    this.empty.textContent = get("empty");
    this.fill();
    // Its room is kept whatever stands in it, so nothing jumps.
    if (!text) { this.drawn = false; this.globe?.purge(this.plot); this.plot.replaceChildren(); }
    this.empty.style.height = this.plot.style.height = `${height}px`;
    this.showPlot();
    this.ask();
  }

  showPlot() { this.empty.style.display = this.drawn ? "none" : ""; this.plot.style.display = this.drawn ? "" : "none"; }

  // One drawing at a time; of what changes meanwhile the last is drawn.
  async ask() {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    do { this.again = false; await this.draw(); } while (this.again && !this.gone);
    this.busy = false;
  }

  async draw() {
    const text = this.model.get("figure");
    if (!text || this.gone) return;
    try {
      this.globe ??= await plotly(this.model);
      if (this.gone || !this.model.get("figure")) return;
      const { data, layout } = dressed(text, this.dark, this.model.get("height"), this.plot.parentElement);
      const first = !this.drawn;
      this.drawn = true;
      this.showPlot();
      await this.globe.react(this.plot, data, layout, configFor(this.say));
      if (first) this.listen();
      this.still.soon();
    } catch (error) {
      this.drawn = false;
      this.showPlot();
      this.empty.textContent = this.say("The figure cannot be drawn: {error}", { error: error.message });
    }
  }

  listen() {
    this.plot.on("plotly_click", ({ points }) => points.length && this.send(plain(points[0])));
    // A press without a brush tells of none; the brush stays until a double press takes it away.
    this.plot.on("plotly_selected", (event) => event && this.model.send({ type: "select", points: event.points.map(plain) }));
    this.plot.on("plotly_deselect", () => this.model.send({ type: "select", points: [] }));
    this.plot.dataset.figure = "drawn";
  }

  resize() {
    if (!this.drawn || this.busy || !this.plot.clientWidth) return;
    if (this.plot._fullLayout && Math.abs(this.plot._fullLayout.width - this.plot.clientWidth) > 1) this.globe.Plots.resize(this.plot);
  }

  async picture(scale) {
    if (!this.drawn || !this.plot.isConnected) return null;
    const { width, height } = this.plot._fullLayout;
    const source = await this.globe.toImage(this.plot, { format: "png", width, height, scale });
    return grounded(await loaded(source), width, height, scale, this.say, this.title.textContent);
  }

  end() { this.gone = true; this.still.stop(); this.globe?.purge(this.plot); }
}

function render({ model, el }) {
  el.classList.add("wb", "wb-figure");
  const drawing = new Drawing(model, el);
  const stopTheme = onTheme((dark) => { drawing.dark = dark; drawing.ask(); });
  const stop = follow(model, ["figure", "title", "summary", "columns", "rows", "empty", "height"], () => drawing.refresh());
  const size = new ResizeObserver(() => drawing.resize());
  size.observe(drawing.plot);
  return () => { stop(); stopTheme(); size.disconnect(); drawing.end(); };
}
export default { render };
