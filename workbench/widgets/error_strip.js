function render({ model, el }) {
  el.classList.add("wb", "wb-error-host");
  const say = speaker(model);
  const text = h("p", { style: "margin:0;flex:1 1 220px;overflow-wrap:anywhere" });
  const copy = h("button", { class: "wb-button wb-quiet", type: "button", style: "color:inherit" }, say("Copy"));
  const close = h("button", { class: "wb-button wb-quiet", type: "button", style: "color:inherit", "aria-label": say("Dismiss this message") }, say("Dismiss"));
  const strip = h("div", {
    role: "alert", "data-wb": "error",
    style: "display:flex;flex-wrap:wrap;gap:4px 12px;align-items:center;padding:8px 8px 8px 14px;border-radius:8px;"
      + "border:1px solid currentColor;color:var(--wb-bad);background:var(--wb-bad-soft)",
  }, text, h("div", { style: "display:flex" }, copy, close));
  copy.addEventListener("click", () => copyText(model.get("detail") || model.get("message"), copy, say("Copied")));
  close.addEventListener("click", () => { model.set("message", ""); model.save_changes(); });
  const stopTheme = onTheme(() => {});
  const stop = follow(model, ["message"], () => {
    const message = model.get("message");
    text.textContent = message;
    // An empty strip leaves no gap in the panel's column.
    el.classList.toggle("wb-off", !message);
  });
  el.append(strip);
  return () => { stop(); stopTheme(); };
}
export default { render };
