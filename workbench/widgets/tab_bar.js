function render({ model, el }) {
  el.classList.add("wb", "wb-tabs");
  const row = h("div", { role: "tablist", class: "wb-tab-row" });
  el.append(row);
  const choose = (name) => { model.set("selected", name); model.save_changes(); };
  row.addEventListener("keydown", (event) => {
    const all = [...row.children], at = all.indexOf(document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    next.focus();
    choose(next.dataset.tab);
  });
  return follow(model, ["tabs", "selected", "label"], () => {
    row.setAttribute("aria-label", model.get("label"));
    const tabs = model.get("tabs"), selected = model.get("selected");
    while (row.children.length > tabs.length) row.lastChild.remove();
    while (row.children.length < tabs.length) {
      const made = h("button", { type: "button", role: "tab", class: "wb-tab" }, h("span"), h("span", { class: "wb-tab-badge" }));
      made.addEventListener("click", () => choose(made.dataset.tab));
      row.append(made);
    }
    tabs.forEach((tab, i) => {
      const button = row.children[i], on = tab.name === selected;
      button.dataset.tab = tab.name;
      button.children[0].textContent = tab.label;
      button.children[1].textContent = tab.badge || "";
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
    });
  });
}
export default { render };
