function render({ model, el }) {
  el.classList.add("wb", "wb-code");
  const say = speaker(model);
  const title = h("summary"), code = h("code"), copy = h("button", { type: "button", class: "wb-button wb-quiet" }, say("Copy"));
  copy.addEventListener("click", () => copyText(model.get("code"), copy, say("Copied")));
  // Long lines scroll sideways; the keyboard must be able to reach them.
  el.append(h("details", {}, title, h("div", { class: "wb-code-body" }, h("pre", { tabindex: "0" }, code), copy)));
  return follow(model, ["code", "title"], () => {
    code.textContent = model.get("code");
    title.textContent = model.get("title") || say("The same in Python");
  });
}
export default { render };
