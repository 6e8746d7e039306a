const duration = (seconds, say) => {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return say("{s} s", { s });
  if (s < 3600) return say("{min} min {s} s", { min: Math.floor(s / 60), s: String(s % 60).padStart(2, "0") });
  return say("{h} h {min} min", { h: Math.floor(s / 3600), min: String(Math.floor((s % 3600) / 60)).padStart(2, "0") });
};

function render({ model, el }) {
  el.classList.add("wb", "wb-progress");
  const say = speaker(model);
  const text = h("span", { class: "wb-progress-text" }), left = h("span", { class: "wb-progress-left" });
  const fill = h("div", { class: "wb-progress-fill" });
  const bar = h("div", { class: "wb-progress-bar", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const spoken = h("span", { class: "wb-hidden-text", "aria-live": "polite" });
  el.append(h("div", { class: "wb-progress-row" }, text, left), bar, spoken);
  let said = "";
  return follow(model, ["share", "text", "seconds_left", "active", "tone", "label"], () => {
    const share = model.get("share"), known = share >= 0, active = model.get("active");
    const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
    const seconds = model.get("seconds_left");
    text.textContent = model.get("text");
    left.textContent = active && seconds !== null ? say("about {time} left", { time: duration(seconds, say) }) : "";
    fill.style.transform = known ? `scaleX(${Math.min(1, Math.max(0, share))})` : "";
    bar.dataset.state = active && !known ? "unknown" : "known";
    bar.dataset.tone = model.get("tone");
    // At rest there is nothing to measure: only the words stay.
    el.classList.toggle("wb-progress-idle", !active && share === 0);
    el.classList.toggle("wb-progress-quiet", !active && share === 0 && model.get("tone") === "accent");
    bar.setAttribute("aria-label", model.get("label") || say("Progress"));
    if (known) bar.setAttribute("aria-valuenow", percent); else bar.removeAttribute("aria-valuenow");
    bar.setAttribute("aria-valuetext", [model.get("text"), left.textContent].filter(Boolean).join(", "));
    // Said aloud at every fifth of the way and when the state changes, not ten times a second.
    const saying = active && known ? say("{n} percent", { n: Math.floor(percent / 20) * 20 }) : model.get("text");
    if (saying !== said) spoken.textContent = said = saying;
  });
}
export default { render };
