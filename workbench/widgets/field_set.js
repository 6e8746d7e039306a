const number = (text, kind) => {
  const value = Number(text.replace(",", "."));
  // What is no number goes to Python as it was typed; the declaration says what is wrong with it.
  return text.trim() === "" ? null : Number.isFinite(value) && (kind === "float" || Number.isInteger(value)) ? value : text;
};

const selectControl = (field, id, changed, say) => {
  const select = h("select", { id, class: "wb-input" });
  if (field.optional) select.append(h("option", { value: "" }, field.placeholder || say("Automatic")));
  field.choices.forEach((c, i) => select.append(h("option", { value: String(i) }, c.label)));
  if (field.other) return otherControl(field, id, changed, select);
  select.addEventListener("change", () => changed(select.value === "" ? null : field.choices[Number(select.value)].value));
  return { node: select, focus: select, write: (value) => {
    const index = field.choices.findIndex((c) => c.value === value);
    select.value = index < 0 ? "" : String(index);
  } };
};

// What is not among the choices is typed: the last choice reveals a line for it.
const otherControl = (field, id, changed, select) => {
  const { label, name, placeholder } = field.other;
  const text = h("input", { id: `${id}-other`, class: "wb-input", type: "text", autocomplete: "off", spellcheck: "false",
    "aria-label": name || label, placeholder: placeholder || null });
  const reveal = () => { text.hidden = select.value !== "other"; };
  select.append(h("option", { value: "other" }, label));
  select.addEventListener("change", () => {
    reveal();
    changed(text.hidden ? field.choices[Number(select.value)].value : text.value.trim());
    if (!text.hidden) text.focus();
  });
  text.addEventListener("change", () => changed(text.value.trim()));
  return { node: h("div", { class: "wb-other" }, select, text), focus: select, inputs: [select, text],
    // Nobody has done anything wrong before the first letter.
    calm: () => !text.hidden && text.value === "", write: (value) => {
      const index = field.choices.findIndex((c) => c.value === value);
      select.value = index < 0 ? "other" : String(index);
      reveal();
      if (index < 0 && text.value.trim() !== value && document.activeElement !== text) text.value = value ?? "";
    } };
};

const cardsControl = (field, id, changed) => {
  const inputs = field.choices.map((c, i) => h("input", { type: "radio", name: id, id: `${id}-${i}`, class: "wb-hidden-text" }));
  inputs.forEach((input, i) => input.addEventListener("change", () => changed(field.choices[i].value)));
  const node = h("div", { class: "wb-cards", role: "radiogroup", "aria-labelledby": `${id}-label` },
    ...field.choices.map((c, i) => h("div", { class: "wb-card-slot" }, inputs[i], h("label", { class: "wb-card", for: `${id}-${i}` },
      h("span", { class: "wb-card-name" }, c.label), c.hint ? h("span", { class: "wb-card-hint" }, c.hint) : null))));
  return { node, inputs, write: (value) => inputs.forEach((input, i) => { input.checked = field.choices[i].value === value; }) };
};

const switchControl = (field, id, changed) => {
  const input = h("input", { type: "checkbox", role: "switch", id, class: "wb-switch" });
  input.addEventListener("change", () => changed(input.checked));
  return { node: input, focus: input, write: (value) => { input.checked = Boolean(value); } };
};

const textControl = (field, id, changed) => {
  const numeric = field.kind === "int" || field.kind === "float";
  const input = h("input", { id, class: "wb-input", type: "text", inputmode: numeric ? "decimal" : null, autocomplete: "off",
    spellcheck: "false", placeholder: field.placeholder || null });
  const read = () => (numeric ? number(input.value, field.kind) : input.value || (field.optional ? null : ""));
  input.addEventListener("change", () => changed(read()));
  // Of a path that is longer than its line the end tells which one it is.
  const showEnd = () => { if (document.activeElement !== input && input.value.includes("/")) input.scrollLeft = input.scrollWidth; };
  input.addEventListener("blur", () => requestAnimationFrame(showEnd));
  if (numeric) input.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const now = read(), step = field.step || 1;
    if (typeof now !== "number") return;
    event.preventDefault();
    const next = now + (event.key === "ArrowUp" ? step : -step);
    if ((field.low ?? -Infinity) <= next && next <= (field.high ?? Infinity)) {
      input.value = String(Number(next.toPrecision(12)));
      changed(read());
    }
  });
  const node = field.unit ? h("div", { class: "wb-with-unit" }, input, h("span", {}, field.unit)) : input;
  return { node, focus: input, write: (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    if (input.value !== text && !(document.activeElement === input && read() === value)) input.value = text;
    requestAnimationFrame(showEnd);
  } };
};

const control = (field, id, changed, say) => {
  if (field.kind === "choice") return (field.cards ? cardsControl : selectControl)(field, id, changed, say);
  return (field.kind === "bool" ? switchControl : textControl)(field, id, changed);
};

function render({ model, el }) {
  el.classList.add("wb", "wb-fields");
  const say = speaker(model);
  const form = h("div", { role: "group", class: "wb-form" });
  const fold = h("details", { class: "wb-fold" }), foldTitle = h("summary"), inside = h("div", { class: "wb-form wb-fold-body" });
  fold.append(foldTitle, inside);
  el.append(form, fold);
  let rows = new Map(), built = "";

  const changed = (name) => (value) => {
    model.set("values", { ...model.get("values"), [name]: value });
    model.save_changes();
  };

  const build = () => {
    const description = JSON.stringify(model.get("fields"));
    if (description === built) return;
    built = description;
    rows = new Map();
    form.replaceChildren();
    inside.replaceChildren();
    for (const field of model.get("fields")) {
      const id = uid(), made = control(field, id, changed(field.name), say);
      const label = h(made.focus ? "label" : "span", { class: "wb-label", id: `${id}-label`, for: made.focus ? id : null }, field.label);
      const note = h("p", { class: "wb-note", id: `${id}-note` }), error = h("p", { class: "wb-field-error", id: `${id}-error`, role: "alert" });
      const row = h("div", { class: `wb-field wb-field-${field.kind}`, "data-field": field.name, "data-half": field.half, title: field.help || null }, label, made.node, note, error);
      row.querySelector(".wb-other > input")?.setAttribute("aria-describedby", `${id}-note ${id}-error`);
      (made.focus || made.node).setAttribute("aria-describedby", `${id}-note ${id}-error`);
      (field.advanced ? inside : form).append(row);
      rows.set(field.name, { ...made, field, note, error });
    }
    fold.hidden = !inside.children.length;
  };

  const fill = () => {
    const values = model.get("values"), errors = model.get("errors"), notes = model.get("notes"), enabled = model.get("enabled");
    form.setAttribute("aria-label", model.get("label") || say("Settings"));
    foldTitle.textContent = model.get("advanced_title") || say("Advanced settings");
    for (const [name, row] of rows) {
      row.write(values[name]);
      row.note.textContent = notes[name] || row.field.note || "";
      const wrong = row.calm?.() ? "" : errors[name] || "";
      row.error.textContent = wrong;
      const inputs = row.inputs || [row.focus];
      inputs.forEach((input) => { input.disabled = !enabled; });
      const faulty = row.inputs && row.focus ? row.inputs : [row.focus || row.node];
      faulty.forEach((node) => node.setAttribute("aria-invalid", String(Boolean(wrong) && !(row.calm && node.tagName === "SELECT"))));
      if (wrong && row.field.advanced) fold.open = true;
    }
  };

  const stopBuild = follow(model, ["fields"], () => { build(); fill(); });
  const stopFill = follow(model, ["values", "errors", "notes", "enabled", "label", "advanced_title"], fill);
  return () => { stopBuild(); stopFill(); };
}
export default { render };
