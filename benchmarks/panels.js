// Stands in a page before its own scripts and notes when what becomes visible; times are the page's own, milliseconds.

// One control a panel, and a value that the kernel has something to say to.
const CONTROLS = {
  jobs: ["[data-step=train]"], load_dataset: ["[data-field=label] input", "9000"], train: ["[data-field=epochs] input", "9000"],
  evaluate: ["[data-field=min_accuracy] input", "9000"], draw: ["[data-field=preprocessing] select", "2"],
  compress: ["[data-field=epochs] input", "9000"], sweep: ["[data-field=trials] input", "900000"],
  convert: ["[data-field=seed] input", "-9000"], serve: ["[data-field=port] input", "900000"], monitor: ["[data-field=recent_seconds] input", "-9000"],
};

// What the kernel says of a control: what is wrong with its value, or the code with it, or the step that one is at.
const said = (panel, control) => [
  control.closest("[data-field]")?.querySelector(".wb-field-error")?.textContent, panel.querySelector(".wb-code code")?.textContent,
  control.getAttribute("aria-current"),
].join("|");

// Touch one control of each panel as soon as it stands there: when the last one stands, the first and the last is answered.
window.benchOpened = {};
const openingOf = (verbs) => {
  const touched = new Map(), answered = new Map();
  const look = () => {
    for (const verb of verbs) {
      const panel = document.querySelector(`.wb-place-${verb}`), [where, value] = CONTROLS[verb], control = panel?.querySelector(where);
      if (!control || !panel.querySelector("h2")?.textContent) continue;
      if (!touched.has(verb)) {
        touched.set(verb, said(panel, control));
        if (value === undefined) control.click();
        else { control.value = value; control.dispatchEvent(new Event("change")); }
        benchOpened.drawn = performance.now();
      } else if (!answered.has(verb) && said(panel, control) !== touched.get(verb)) {
        answered.set(verb, performance.now());
        benchOpened.first ??= performance.now();
      }
    }
    if (answered.size < verbs.length) { benchOpened.open = verbs.filter((verb) => !answered.has(verb)); return; }
    watcher.disconnect();
    benchOpened.each = Object.fromEntries(answered);
    benchOpened.all = performance.now();
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["aria-current"] });
};

// When a change is on screen: right before the next frame.
const onScreen = (callback) => requestAnimationFrame(() => callback(performance.now()));

// Moves of the sliders: how often the figures change while a finger drags, and when they are those of where it let go.
window.benchSlider = () => {
  const panel = document.querySelector(".wb-place-compress"), group = panel.querySelector("[data-slider=sparsity]").closest(".wb-sliders");
  const figures = () => [...panel.querySelectorAll(".wb-tiles")].slice(0, 2).map((tiles) => tiles.textContent).join("|");
  const bench = { shown: figures(), moved: null, updates: 0, released: null, asked: null, results: [] };
  const look = () => {
    const now = figures();
    if (now !== bench.shown && bench.moved !== null && bench.released === null) bench.updates += 1;
    bench.shown = now;
    if (bench.asked === null || group.dataset.answered !== bench.asked) return;
    const { released, moved, updates } = bench;
    bench.asked = null;
    onScreen((now) => bench.results.push({ wait: now - released, dragged: released - moved, updates }));
  };
  const watcher = new MutationObserver(look);
  watcher.observe(panel, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["data-answered"] });
  group.addEventListener("pointerdown", () => Object.assign(bench, { moved: null, updates: 0, released: null, asked: null }), true);
  group.addEventListener("input", () => { bench.moved ??= performance.now(); }, true);
  group.addEventListener("pointerup", (event) => { bench.released = event.timeStamp; }, true);
  group.addEventListener("change", () => { bench.asked = group.dataset.asked; look(); });
  window.benchMoves = bench;
};

// Somebody else at a slider, every so many milliseconds.
window.benchIdle = (every, first) => {
  const handle = document.querySelector(".wb-place-compress [data-slider=sparsity] input");
  let n = 0;
  const move = () => {
    handle.value = String(0.3 + 0.05 * (++n % 10));
    handle.dispatchEvent(new Event("input", { bubbles: true }));
    handle.dispatchEvent(new Event("change", { bubbles: true }));
  };
  setTimeout(() => { move(); setInterval(move, every); }, first);
};

// Strokes on the pad: when the last of all cards has answered the stroke that ended.
window.benchPad = () => {
  const panel = document.querySelector(".wb-place-draw"), pad = panel.querySelector(".wb-pad");
  const bench = { ended: null, cards: {}, results: [] };
  const look = () => {
    const cards = [...panel.querySelectorAll(".wb-answers-card")];
    if (bench.ended === null || !cards.length) return;
    for (const card of cards) if (card.dataset.stroke === pad.dataset.stroke) bench.cards[card.dataset.model] ??= performance.now() - bench.ended;
    if (cards.some((card) => card.dataset.stroke !== pad.dataset.stroke)) return;
    const { ended, cards: each } = bench;
    bench.ended = null;
    onScreen((now) => bench.results.push({ wait: now - ended, each }));
  };
  const watcher = new MutationObserver(look);
  watcher.observe(panel, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-stroke"] });
  panel.querySelector("[data-pad=canvas]").addEventListener("pointerup", (event) => { Object.assign(bench, { ended: event.timeStamp, cards: {} }); look(); });
  window.benchStrokes = bench;
};

// Milliseconds between frames until it is told to stop.
window.benchFrames = () => {
  const bench = { times: [], stop: false };
  let before = null;
  const frame = (now) => {
    if (before !== null) bench.times.push(now - before);
    before = now;
    if (!bench.stop) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.benchPan = bench;
};
