// A picture of what a widget shows, for whoever opens the notebook without its kernel. `paint(scale)` gives a canvas.
const MOST_BYTES = 60_000, CALM = 1500, SCALES = [1.5, 1.2, 1, 0.8, 0.6, 0.45, 0.3];
const stills = (model, paint) => {
  let timer, last = "", stopped = false;
  const take = async () => {
    for (const scale of SCALES) {
      const canvas = await paint(scale);
      if (!canvas || stopped) return;
      const png = canvas.toDataURL("image/png").split(",")[1];
      if (png.length * 0.75 > MOST_BYTES) continue;
      if (png !== last) model.send({ type: "still", png: (last = png), width: Math.round(canvas.width / scale), height: Math.round(canvas.height / scale) });
      return;
    }
  };
  return {
    // Our own page keeps no notebook.
    soon() { clearTimeout(timer); if (!document.getElementById("wb-config")) timer = setTimeout(() => take().catch(() => {}), CALM); },
    stop() { stopped = true; clearTimeout(timer); },
  };
};

// What is drawn on a transparent ground, on the ground that it is seen on, under its title and above what wakes it.
const FOOT = 24;
const grounded = (source, width, height, scale, say, title = "") => {
  const canvas = h("canvas"), c = canvas.getContext("2d"), style = getComputedStyle(document.documentElement), head = title ? 26 : 0;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round((height + head + FOOT) * scale);
  c.fillStyle = style.getPropertyValue("--wb-surface").trim() || "#fff";
  c.fillRect(0, 0, canvas.width, canvas.height);
  c.drawImage(source, 0, Math.round(head * scale), canvas.width, Math.round(height * scale));
  c.fillStyle = style.getPropertyValue("--wb-text").trim() || "#000";
  c.font = `600 ${14 * scale}px ${style.getPropertyValue("--wb-font") || "sans-serif"}`;
  c.fillText(title, 8 * scale, 18 * scale);
  c.fillStyle = style.getPropertyValue("--wb-muted").trim() || "#555";
  c.font = c.font.replace("600", "400").replace(/[\d.]+px/, `${12.5 * scale}px`);
  c.fillText(say("A picture of how it was last. Run this cell to move it again."), 8 * scale, canvas.height - 8 * scale);
  return canvas;
};
