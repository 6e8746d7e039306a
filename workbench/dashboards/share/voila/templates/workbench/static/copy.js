// A copy of the page as it stands: one file without script or kernel, for those who only look.

// Every rule of the page, wherever it came from, so that the copy asks nobody for it.
const styles = () => [...document.styleSheets, ...document.adoptedStyleSheets].flatMap((sheet) => {
  try { return [...sheet.cssRules].map((rule) => rule.cssText); } catch { return []; }
}).join("\n");

const asPicture = (canvas) => {
  const image = document.createElement("img"), { width, height } = canvas.getBoundingClientRect();
  image.src = canvas.toDataURL("image/png");
  image.alt = canvas.getAttribute("aria-label") ?? "";
  image.style.cssText = `width:${width}px;height:${height}px;max-width:100%`;
  return image;
};

// What was typed and chosen stands in properties, which a clone does not have.
const keepValue = (control, copy) => {
  if (control.type === "checkbox" || control.type === "radio") copy.toggleAttribute("checked", control.checked);
  else if (control.tagName === "SELECT") [...copy.options].forEach((o, i) => o.toggleAttribute("selected", control.options[i].selected));
  else if (control.tagName === "TEXTAREA") copy.textContent = control.value;
  else copy.setAttribute("value", control.value);
  copy.setAttribute("disabled", "");
};

const inPairs = (root, what, each) => {
  const copies = [...root.querySelectorAll(what)];
  [...document.querySelectorAll(what)].forEach((one, i) => each(one, copies[i]));
};

export const copyOfPage = (note) => {
  const root = document.documentElement.cloneNode(true);
  inPairs(root, "canvas", (canvas, copy) => copy.replaceWith(asPicture(canvas)));
  inPairs(root, "input, select, textarea", keepValue);
  root.querySelectorAll("script, noscript, link, style, meta[http-equiv], .wb-top button, .wb-skip").forEach((node) => node.remove());
  root.querySelectorAll("button").forEach((button) => button.setAttribute("disabled", ""));
  // A copy that came to run something would run it with the trust of whoever opens it.
  const lock = document.createElement("meta"), look = document.createElement("style");
  lock.setAttribute("http-equiv", "Content-Security-Policy");
  lock.setAttribute("content", "default-src 'none'; img-src data:; style-src 'unsafe-inline'");
  look.textContent = styles();
  root.querySelector("head").prepend(lock);
  root.querySelector("head").append(look);
  const said = document.createElement("p");
  said.className = "wb-note-page";
  said.textContent = note;
  root.querySelector(".wb-top").after(said);
  return `<!doctype html>\n${root.outerHTML}`;
};

export const saveCopy = (note) => {
  const link = document.createElement("a"), name = document.title.toLowerCase().replace(/\W+/g, "-") || "dashboard";
  link.href = URL.createObjectURL(new Blob([copyOfPage(note)], { type: "text/html" }));
  link.download = `${name}-${new Date().toISOString().slice(0, 16).replace(/[:T]/g, "")}.html`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
