function render({ model, el }) {
  el.classList.add("wb", "wb-question");
  const say = speaker(model);
  const asked = h("legend"), row = h("div", { class: "wb-question-choices" }), choices = h("fieldset", {}, asked, row);
  const told = h("p", { role: "status", class: "wb-question-told" });
  el.append(choices, told);
  const choose = (choice) => { model.set("chosen", choice); model.save_changes(); };
  return follow(model, ["text", "choices", "answer", "why", "chosen"], () => {
    const chosen = model.get("chosen"), answer = model.get("answer");
    asked.textContent = model.get("text");
    while (row.children.length > model.get("choices").length) row.lastChild.remove();
    while (row.children.length < model.get("choices").length) {
      const made = h("button", { type: "button", class: "wb-button" });
      made.addEventListener("click", () => choose(made.textContent));
      row.append(made);
    }
    model.get("choices").forEach((choice, i) => {
      const button = row.children[i];
      button.textContent = choice;
      button.setAttribute("aria-pressed", String(choice === chosen));
      // What is right is shown only to those who have predicted.
      button.dataset.tone = !chosen ? "" : choice === answer ? "good" : choice === chosen ? "bad" : "";
    });
    const verdict = chosen === answer ? say("You predicted it.") : say("It is {answer}.", { answer });
    told.textContent = chosen ? `${verdict} ${model.get("why")}` : "";
  });
}
export default { render };
