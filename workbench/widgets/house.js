// Shared first lines of every leaf widget: build elements, follow the page's theme.
const h = (tag, props = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") node.style.cssText = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

const isDark = () => {
  const root = document.documentElement;
  if (root.dataset.wbTheme) return root.dataset.wbTheme === "dark";
  const jupyter = document.body.dataset.jpThemeLight;
  if (jupyter) return jupyter === "false";
  if (document.body.classList.contains("vscode-dark")) return true;
  if (document.body.classList.contains("vscode-light")) return false;
  return matchMedia("(prefers-color-scheme: dark)").matches;
};

// Calls back now and at each change of theme; returns a function that stops it.
const onTheme = (callback) => {
  let last;
  const look = () => {
    const dark = isDark();
    document.documentElement.toggleAttribute("data-wb-dark", dark);
    if (dark !== last) callback((last = dark));
  };
  const watcher = new MutationObserver(look);
  const what = { attributes: true, attributeFilter: ["data-wb-theme", "data-jp-theme-light", "class"] };
  watcher.observe(document.documentElement, what);
  watcher.observe(document.body, what);
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", look);
  look();
  return () => { watcher.disconnect(); media.removeEventListener("change", look); };
};

const uid = (() => { let n = 0; const page = Math.random().toString(36).slice(2, 7); return () => `wb-${page}-${++n}`; })();

// Redraws when any of these traits changes; returns a function that stops it.
const follow = (model, names, draw) => {
  names.forEach((name) => model.on(`change:${name}`, draw));
  draw();
  return () => names.forEach((name) => model.off(`change:${name}`, draw));
};

const copyText = async (text, button, done) => {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages without a secure context have no clipboard: use a selection instead.
    const area = h("textarea", { style: "position:fixed;opacity:0" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.textContent = done;
  setTimeout(() => { button.textContent = before; }, 1200);
};

// What a widget says itself, in the reader's language: `const say = speaker(model)`, then `say("{n} of {all}", { n, all })`.
const speaker = (model) => (text, values = {}) =>
  ((model.get("words") || {})[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
