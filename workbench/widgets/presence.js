// A kernel at work answers late, and a busy machine is slow: only a long silence means that it is gone.
const EVERY = 5000, PATIENCE = 30000;

function render({ model, el }) {
  el.classList.add("wb");
  el.classList.add("wb-off");
  const say = speaker(model);
  const again = h("button", { type: "button", class: "wb-button" }, say("Reload the page"));
  const told = h("span", {}, say("This page has lost its kernel. Runs go on in the background and are found again after a reload."));
  // A reload while the server is down would leave the person with the browser's error page.
  const reload = async () => {
    const script = [...document.scripts].find((one) => one.src.startsWith(location.origin));
    const there = !script || await fetch(script.src, { cache: "no-store" }).then(() => true, () => false);
    if (there) location.reload();
    else told.textContent = say("The server of this page does not answer. Have it started again, then reload.");
  };
  again.addEventListener("click", reload);
  const banner = h("div", { role: "alert", "data-wb": "lost",
    style: "display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;justify-content:space-between;padding:10px 14px;border-radius:10px;"
      + "background:var(--wb-warn-soft);color:var(--wb-warn);border:1px solid currentColor" }, told, again);
  el.append(banner);
  // Since when a question waits for its answer, how many could not be asked, and when we looked last.
  let waiting = null, unsent = 0, looked = performance.now(), n = 0;
  const forget = () => { waiting = null; unsent = 0; };
  const heard = (message) => {
    if (message.type !== "pong") return;
    forget();
    el.classList.add("wb-off");
  };
  const ask = () => {
    const now = performance.now(), late = now - looked > 2 * EVERY;
    looked = now;
    // A page in the background is throttled by the browser, and one that stood still has not read its answers yet.
    if (document.hidden || late) forget();
    if (document.hidden) return;
    try {
      model.send({ type: "ping", id: ++n });
      waiting ??= now;
      unsent = 0;
    } catch {
      unsent += 1;
    }
    // A socket that broke is opened again within seconds.
    if (unsent > 1 || (waiting !== null && now - waiting > PATIENCE)) el.classList.remove("wb-off");
  };
  // Our own page knows at once; other front ends find out by the silence.
  const lost = () => el.classList.remove("wb-off");
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
