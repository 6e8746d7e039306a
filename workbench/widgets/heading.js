function render({ model, el }) {
  el.classList.add("wb", "wb-heading");
  const title = h("h2", {}), subtitle = h("p", { class: "wb-subtitle" });
  const chip = h("span", { class: "wb-chip", role: "status" });
  el.append(h("div", { class: "wb-heading-row" }, title, chip), subtitle);
  return follow(model, ["title", "subtitle", "chip", "tone"], () => {
    title.textContent = model.get("title");
    subtitle.textContent = model.get("subtitle");
    subtitle.hidden = !model.get("subtitle");
    chip.textContent = model.get("chip");
    chip.hidden = !model.get("chip");
    chip.dataset.tone = model.get("tone");
  });
}
export default { render };
