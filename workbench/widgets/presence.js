const EVERY = 5000, PATIENCE = 12000;

function render({ model, el }) {
  el.classList.add("wb");
  el.classList.add("wb-off");
  const say = speaker(model);
  const again = h("button", { type: "button", class: "wb-button" }, say("Reload the page"));
  again.addEventListener("click", () => location.reload());
  const banner = h("div", { role: "alert", "data-wb": "lost",
    style: "display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;justify-content:space-between;padding:10px 14px;border-radius:10px;"
      + "background:var(--wb-warn-soft);color:var(--wb-warn);border:1px solid currentColor" },
    h("span", {}, say("This page has lost its kernel. Runs go on in the background and are found again after a reload.")), again);
  el.append(banner);
  let answered = performance.now(), n = 0;
  const heard = (message) => {
    if (message.type !== "pong") return;
    answered = performance.now();
    el.classList.add("wb-off");
  };
  const ask = () => {
    // A page in the background is throttled by the browser; it is asked again when it comes to the front.
    if (document.hidden) { answered = performance.now(); return; }
    if (performance.now() - answered > PATIENCE) el.classList.remove("wb-off");
    try { model.send({ type: "ping", id: ++n }); } catch { el.classList.remove("wb-off"); }
  };
  // Our own page knows at once; other front ends find out by the silence.
  const lost = () => { answered = -Infinity; el.classList.remove("wb-off"); };
  addEventListener("wb-kernel-lost", lost);
  model.on("msg:custom", heard);
  model.send({ type: "shown", language: navigator.language, query: location.search });
  // Elsewhere the address is the notebook's.
  const ours = document.body.classList.contains("wb-body");
  const write = () => { if (ours) history.replaceState(null, "", location.pathname + (model.get("link") || location.search)); };
  model.on("change:link", write);
  const timer = setInterval(ask, EVERY);
  return () => { clearInterval(timer); model.off("msg:custom", heard); removeEventListener("wb-kernel-lost", lost); model.off("change:link", write); };
}
export default { render };
