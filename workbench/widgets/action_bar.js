function render({ model, el }) {
  el.classList.add("wb");
  const say = speaker(model);
  const row = h("div", { role: "group", style: "display:flex;flex-wrap:wrap;gap:8px" });
  const buttons = new Map();
  el.append(row);
  return follow(model, ["actions", "label", "locked"], () => {
    row.setAttribute("aria-label", model.get("label") || say("Actions"));
    for (const action of model.get("actions")) {
      let button = buttons.get(action.name);
      if (!button) {
        button = h("button", { type: "button", "data-action": action.name });
        button.addEventListener("click", () => model.send({ type: "press", name: action.name }));
        buttons.set(action.name, button);
        row.append(button);
      }
      button.className = `wb-button${action.primary ? " wb-primary" : ""}`;
      button.textContent = action.label;
      const locked = (model.get("locked") || {})[action.name];
      button.title = locked || action.tooltip || "";
      const enabled = action.enabled !== false && !locked;
      const hadFocus = document.activeElement === button;
      button.disabled = !enabled;
      button.hidden = action.shown === false;
      // A button that vanishes under the keyboard hands its focus to the next one.
      if (hadFocus && (button.hidden || button.disabled)) row.querySelector("button:not(:disabled):not([hidden])")?.focus();
    }
  });
}
export default { render };
