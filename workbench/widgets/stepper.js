const MARKS = { none: "", running: "…", done: "✓", failed: "!" };

function render({ model, el }) {
  el.classList.add("wb", "wb-stepper");
  const say = speaker(model);
  const row = h("ol", { class: "wb-steps" }), back = h("p", { class: "wb-steps-back" });
  const nav = h("nav", {}, row, back);
  el.append(nav);

  const scroll = (name) => {
    const place = document.querySelector(`.wb-place-${CSS.escape(name)}`);
    if (!place) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    place.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    const head = place.querySelector("h2");
    if (head) { head.tabIndex = -1; head.focus({ preventScroll: true }); }
  };
  const go = (name) => { scroll(name); model.send({ type: "go", name }); };

  const make = () => {
    const mark = h("span", { class: "wb-step-mark", "aria-hidden": "true" });
    const button = h("button", { type: "button", class: "wb-step" }, mark,
      h("span", { class: "wb-step-text" }, h("span", { class: "wb-step-label" }), h("span", { class: "wb-step-word" }), h("span", { class: "wb-step-detail" })));
    button.addEventListener("click", () => go(button.dataset.step));
    return h("li", {}, button);
  };

  // A place that was chosen elsewhere, by a link or another panel.
  let before = null;
  const chosen = () => {
    const place = model.get("selected");
    if (before !== null && place && place !== before && document.activeElement?.dataset?.step !== place) scroll(place);
    before = place;
  };

  return follow(model, ["steps", "back", "selected", "label"], () => {
    const steps = model.get("steps");
    nav.setAttribute("aria-label", model.get("label") || say("Steps"));
    while (row.children.length > steps.length) row.lastChild.remove();
    while (row.children.length < steps.length) row.append(make());
    steps.forEach((step, i) => {
      const button = row.children[i].firstChild, [mark, text] = button.children;
      button.dataset.step = step.name;
      button.dataset.state = step.state;
      if (step.name === model.get("selected")) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
      mark.textContent = MARKS[step.state] || String(i + 1);
      [step.label, step.word, step.detail || ""].forEach((value, k) => { if (text.children[k].textContent !== value) text.children[k].textContent = value; });
    });
    back.textContent = model.get("back") ? `↺ ${model.get("back")}` : "";
    chosen();
  });
}
export default { render };
