const EVERY = 1000 / 30;

// What a slider says and where its handle is, by its stops or by its range.
const scaleOf = (slider) => {
  const { stops } = slider;
  if (stops) {
    const far = (value) => (value === null ? Infinity : value);
    const nearest = (value) => {
      const exact = stops.findIndex((s) => s.value === value);
      if (exact >= 0) return exact;
      const gap = (i) => Math.abs(Math.log((far(stops[i].value) + 1) / (far(value) + 1)));
      return stops.reduce((best, _, i) => (gap(i) < gap(best) ? i : best), 0);
    };
    return { low: 0, high: stops.length - 1, step: 1, at: nearest, value: (at) => stops[at].value,
      text: (value) => stops.find((s) => s.value === value)?.label ?? String(value) };
  }
  const digits = slider.format === "percent" ? Math.max(0, Math.ceil(-Math.log10(slider.step * 100) - 1e-9)) : 0;
  return { low: slider.low, high: slider.high, step: slider.step, at: (value) => value, value: (at) => Number(at.toFixed(6)),
    text: (value) => (slider.format === "percent" ? `${(100 * value).toFixed(digits)} %` : String(value)) };
};

function render({ model, el }) {
  el.classList.add("wb", "wb-sliders");
  const say = speaker(model);
  const title = h("div", { class: "wb-sliders-title" }), empty = h("p", { class: "wb-sliders-empty" }), list = h("div", { role: "group" });
  el.append(title, list, empty);
  let rows = new Map(), built = "", held = null, sent = 0, last = 0, timer = null, waiting = null;

  const send = (type, name, value) => {
    sent = Math.max(sent, model.get("generation")) + 1;
    el.dataset.asked = String(sent);
    last = performance.now();
    model.send({ type, name, value, generation: sent });
  };
  const drag = (name, value) => {
    waiting = [name, value];
    timer ??= setTimeout(() => { timer = null; if (waiting) send("input", ...waiting); waiting = null; }, Math.max(0, EVERY - (performance.now() - last)));
  };
  const release = (name, value) => {
    clearTimeout(timer);
    timer = waiting = null;
    send("change", name, value);
  };

  const makeRow = (slider) => {
    const id = uid(), scale = scaleOf(slider), { low, high, step } = scale;
    const input = h("input", { type: "range", id, min: String(low), max: String(high), step: String(step), title: slider.help || null });
    // Arrow keys move the handle; JupyterLab would take them for its cells.
    input.dataset.lmSuppressShortcuts = "true";
    const bubble = h("span", { class: "wb-slider-bubble", "aria-hidden": "true" }), value = h("span", { class: "wb-slider-value", "aria-hidden": "true" });
    const back = slider.follows ? h("button", { type: "button", class: "wb-button wb-quiet wb-slider-back", title: say("Follow the slider for all layers again") }, "↺") : null;
    back?.setAttribute("aria-label", say("{label}: follow the slider for all layers again", { label: slider.label }));
    const node = h("div", { class: "wb-slider", "data-slider": slider.name },
      h("label", { for: id, class: "wb-slider-label", title: slider.help || null }, slider.label),
      h("span", { class: "wb-slider-detail" }, slider.detail || ""),
      h("div", { class: "wb-slider-track" }, input, bubble), value, back);
    const show = (now) => {
      const own = now !== null || !slider.follows, at = own ? now : model.get("follow")[slider.name] ?? low;
      const place = scale.at(at), text = scale.text(at);
      input.value = String(place);
      node.style.setProperty("--at", String((place - low) / (high - low || 1)));
      node.toggleAttribute("data-follows", !own);
      value.textContent = bubble.textContent = text;
      input.setAttribute("aria-valuetext", own ? text : say("{value}, as for all layers", { value: text }));
      if (back) back.style.visibility = own ? "visible" : "hidden";
    };
    const now = () => scale.value(Number(input.value));
    const letGo = () => { held = null; node.removeAttribute("data-held"); };
    input.addEventListener("pointerdown", () => { held = slider.name; node.setAttribute("data-held", ""); });
    input.addEventListener("input", () => { show(now()); drag(slider.name, now()); });
    input.addEventListener("change", () => { letGo(); show(now()); release(slider.name, now()); });
    // A finger that rests where it was leaves no change behind.
    for (const end of ["pointerup", "pointercancel", "blur"]) input.addEventListener(end, () => setTimeout(letGo));
    back?.addEventListener("click", () => { show(null); input.focus(); release(slider.name, null); });
    return { node, input, back, show };
  };

  const build = () => {
    const sliders = model.get("sliders"), description = JSON.stringify(sliders);
    if (description === built) return;
    built = description;
    rows = new Map(sliders.map((slider) => [slider.name, makeRow(slider)]));
    list.replaceChildren(...[...rows.values()].map(({ node }) => node));
  };

  const fill = () => {
    title.textContent = model.get("title");
    list.setAttribute("aria-label", model.get("label") || model.get("title") || say("Sliders"));
    list.className = model.get("dense") ? "wb-sliders-dense" : "wb-sliders-wide";
    empty.textContent = rows.size ? "" : model.get("empty");
    el.classList.toggle("wb-off", !rows.size && !model.get("empty"));
    el.dataset.answered = String(model.get("answered"));
    // What Python has not heard yet is newer than what it says.
    const behind = model.get("generation") < sent || waiting !== null, values = model.get("values");
    for (const [name, row] of rows) {
      row.input.disabled = !model.get("enabled");
      if (row.back) row.back.disabled = !model.get("enabled");
      if (!behind && held !== name) row.show(values[name] ?? null);
    }
  };

  const stopBuild = follow(model, ["sliders"], () => { build(); fill(); });
  const stopFill = follow(model, ["values", "follow", "generation", "answered", "title", "label", "dense", "enabled", "empty"], fill);
  return () => { clearTimeout(timer); stopBuild(); stopFill(); };
}
export default { render };
