function render({ model, el }) {
  el.classList.add("wb", "wb-edit");
  const say = speaker(model);
  const title = h("div", { class: "wb-table-title" }), list = h("ul", { class: "wb-edit-list" }), note = h("p", { class: "wb-edit-note" });
  const fresh = h("input", { type: "text", class: "wb-edit-input", autocomplete: "off", spellcheck: "false", "aria-label": say("New line") });
  const add = h("button", { type: "button", class: "wb-button" }, say("Add"));
  el.append(title, list, h("div", { class: "wb-edit-row" }, fresh, add), note);
  const write = (items) => { model.set("items", items); model.save_changes(); };
  const items = () => [...model.get("items")];
  const append = () => { const text = fresh.value.trim(); if (text && !items().includes(text)) { write([...items(), text]); fresh.value = ""; } fresh.focus(); };
  add.addEventListener("click", append);
  fresh.addEventListener("keydown", (event) => { if (event.key === "Enter") append(); });

  const row = (text, i) => {
    const id = uid(), input = h("input", { type: "text", class: "wb-edit-input", autocomplete: "off", spellcheck: "false", "aria-describedby": id });
    const chip = h("span", { class: "wb-edit-chip" }), wrong = h("p", { class: "wb-edit-error", id, role: "alert" });
    const drop = h("button", { type: "button", class: "wb-button wb-quiet" }, "✕");
    input.value = text;
    input.setAttribute("aria-label", say("Line {n}", { n: i + 1 }));
    drop.setAttribute("aria-label", say("Remove line {n}", { n: i + 1 }));
    input.addEventListener("change", () => write(items().map((t, j) => (j === i ? input.value.trim() : t)).filter(Boolean)));
    drop.addEventListener("click", () => { write(items().filter((_, j) => j !== i)); fresh.focus(); });
    return { node: h("li", {}, h("div", { class: "wb-edit-row" }, input, chip, drop), wrong), text, input, chip, wrong, drop };
  };
  let rows = [];
  return follow(model, ["items", "errors", "chips", "title", "placeholder", "note", "enabled", "label"], () => {
    const now = model.get("items"), errors = model.get("errors"), chips = model.get("chips"), enabled = model.get("enabled");
    title.textContent = model.get("title");
    note.textContent = model.get("note");
    fresh.placeholder = model.get("placeholder");
    list.setAttribute("aria-label", model.get("label") || model.get("title"));
    // What somebody types in must not be taken away by a state that changes every second.
    if (rows.map((r) => r.text).join("\n") !== now.join("\n") || rows.length !== now.length) {
      rows = now.map(row);
      list.replaceChildren(...rows.map((r) => r.node));
    }
    for (const r of rows) {
      r.wrong.textContent = errors[r.text] || "";
      r.input.setAttribute("aria-invalid", String(Boolean(errors[r.text])));
      r.chip.textContent = chips[r.text]?.text || "";
      r.chip.dataset.tone = chips[r.text]?.tone || "quiet";
      r.input.disabled = r.drop.disabled = !enabled;
    }
    fresh.disabled = add.disabled = !enabled;
  });
}
export default { render };
