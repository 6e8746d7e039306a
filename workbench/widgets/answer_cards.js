const inPercent = (share) => `${(100 * share).toFixed(1)} %`;

function render({ model, el }) {
  el.classList.add("wb", "wb-answers");
  const say = speaker(model);
  const title = h("div", { class: "wb-answers-title" }), verdict = h("p", { class: "wb-answers-verdict", role: "status", "data-answers": "verdict" });
  const row = h("div", { class: "wb-answers-row", role: "list" });
  el.append(title, verdict, row);
  const made = [];

  const make = () => {
    const part = {
      name: h("span", { class: "wb-answers-name" }), flag: h("span", { class: "wb-answers-flag" }), detail: h("span", { class: "wb-answers-detail" }),
      top: h("span", { class: "wb-answers-top" }), sure: h("span", { class: "wb-answers-sure" }), time: h("span", { class: "wb-answers-detail" }),
      note: h("p", { class: "wb-answers-note" }), bars: h("div", { class: "wb-answers-bars", role: "img" }),
    };
    part.card = h("div", { class: "wb-answers-card", role: "listitem" },
      h("div", { class: "wb-answers-head" }, part.name, part.flag), part.detail,
      h("div", { class: "wb-answers-said" }, part.top, part.sure), part.bars, part.time, part.note);
    return part;
  };

  const fill = (part, card) => {
    const classes = model.get("classes"), shares = card.shares || [], best = shares.indexOf(Math.max(...shares));
    const answered = shares.length > 0;
    part.card.toggleAttribute("data-differs", Boolean(card.differs));
    part.card.toggleAttribute("data-silent", Boolean(card.note));
    if (answered) part.card.dataset.stroke = card.stroke; else delete part.card.dataset.stroke;
    part.card.dataset.model = card.name;
    part.name.textContent = card.name;
    part.name.title = card.name;
    part.flag.textContent = card.differs ? say("differs") : "";
    part.detail.textContent = card.detail || "";
    part.top.textContent = answered ? classes[best] ?? String(best) : "–";
    part.sure.textContent = answered ? inPercent(shares[best]) : "";
    part.time.textContent = card.time || "";
    part.note.textContent = card.note || "";
    part.note.hidden = !card.note;
    part.bars.hidden = Boolean(card.note);
    const wanted = Math.max(classes.length, shares.length);
    while (part.bars.children.length > wanted) part.bars.lastChild.remove();
    while (part.bars.children.length < wanted) part.bars.append(h("span", { class: "wb-answers-bar" }, h("span", { class: "wb-answers-share" }), h("span", { class: "wb-answers-class" })));
    [...part.bars.children].forEach((bar, i) => {
      const name = classes[i] ?? String(i);
      bar.firstChild.style.transform = `scaleY(${answered ? Math.min(1, Math.max(0, shares[i])) : 0})`;
      bar.toggleAttribute("data-best", answered && i === best);
      bar.lastChild.textContent = name;
      bar.title = answered ? `${name}: ${inPercent(shares[i])}` : name;
    });
    part.bars.setAttribute("aria-label", answered ? say("{name} says {label}, {share} sure", { name: card.name, label: classes[best] ?? best, share: inPercent(shares[best]) }) : say("No answer yet"));
  };

  return follow(model, ["title", "classes", "cards", "verdict", "tone", "empty"], () => {
    const cards = model.get("cards");
    title.textContent = model.get("title");
    const text = cards.length ? model.get("verdict") : model.get("empty");
    if (verdict.textContent !== text) verdict.textContent = text;
    verdict.dataset.tone = cards.length ? model.get("tone") : "quiet";
    while (made.length > cards.length) made.pop().card.remove();
    while (made.length < cards.length) { made.push(make()); row.append(made.at(-1).card); }
    cards.forEach((card, i) => fill(made[i], card));
  });
}
export default { render };
