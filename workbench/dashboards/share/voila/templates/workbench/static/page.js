// The page's side of the widget protocol, for what dashboards are made of: anywidgets in boxes, and plain HTML.
// Voila's own client carries the whole of JupyterLab (5 MB of script, two seconds of start-up); this one does not.
// Protocol: Jupyter messages over the kernel's websocket (v1), widget messages 2.1.

const config = JSON.parse(document.getElementById("wb-config").textContent);
const session = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
const text = new TextEncoder(), plain = new TextDecoder();
// The scripts of all our widgets come once, not with each widget's state.
const leaves = fetch(`${config.baseUrl}workbench/leaves.json?v=${config.leaves}`).then((found) => found.json()).catch(() => ({}));

// ---- messages: [count of offsets][offsets…][channel][header][parent][metadata][content][buffers…], little-endian 64 bit

const pack = (channel, type, content, buffers = [], metadata = {}) => {
  const header = { msg_id: `${session}-${++pack.count}`, msg_type: type, username: "", session, date: new Date().toISOString(), version: "5.3" };
  const parts = [channel, ...[header, {}, metadata, content].map((part) => JSON.stringify(part))].map((part) => text.encode(part));
  parts.push(...buffers.map((b) => new Uint8Array(b.buffer ?? b, b.byteOffset ?? 0, b.byteLength)));
  const start = 8 * (parts.length + 2), size = parts.reduce((sum, part) => sum + part.length, start);
  const message = new Uint8Array(size), view = new DataView(message.buffer);
  view.setBigUint64(0, BigInt(parts.length + 1), true);
  let at = start;
  parts.forEach((part, i) => {
    view.setBigUint64(8 * (i + 1), BigInt(at), true);
    message.set(part, at);
    at += part.length;
  });
  view.setBigUint64(8 * (parts.length + 1), BigInt(at), true);
  return { id: header.msg_id, message };
};
pack.count = 0;

const unpack = (data) => {
  const view = new DataView(data), count = Number(view.getBigUint64(0, true));
  const offset = (i) => Number(view.getBigUint64(8 * (i + 1), true));
  const part = (i) => new Uint8Array(data, offset(i), offset(i + 1) - offset(i));
  const [header, parent, metadata, content] = [1, 2, 3, 4].map((i) => JSON.parse(plain.decode(part(i))));
  const buffers = [];
  for (let i = 5; i < count - 1; i++) { const b = part(i); buffers.push(new DataView(data, b.byteOffset, b.byteLength)); }
  return { channel: plain.decode(part(0)), header, parent, metadata, content, buffers };
};

// Binary values travel beside the JSON; their paths say where they belong.
const putBuffers = (state, paths, buffers) => paths.forEach((path, i) => {
  const holder = path.slice(0, -1).reduce((value, key) => value[key], state);
  holder[path.at(-1)] = buffers[i];
});

const takeBuffers = (value, path, paths, buffers) => {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) { paths.push(path); buffers.push(value); return undefined; }
  if (Array.isArray(value)) return value.map((v, i) => takeBuffers(v, [...path, i], paths, buffers) ?? null);
  if (value && typeof value === "object") {
    const copy = {};
    for (const [key, v] of Object.entries(value)) { const kept = takeBuffers(v, [...path, key], paths, buffers); if (kept !== undefined) copy[key] = kept; }
    return copy;
  }
  return value;
};

// ---- the kernel's socket, opened again when it breaks

class Kernel {
  constructor() { this.handlers = new Map(); this.waiting = new Map(); this.patience = 250; }

  connect() {
    const url = new URL(`${config.baseUrl}api/kernels/${config.kernelId}/channels?session_id=${session}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.socket = new WebSocket(url, "v1.kernel.websocket.jupyter.org");
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.ask();
    this.socket.onmessage = (event) => this.take(unpack(event.data));
    this.socket.onclose = () => {
      clearTimeout(this.asking);
      // No answer will come to what was asked; what was not sent yet waits for the next socket.
      this.waiting.clear();
      manager.models.forEach((model) => { model.busy = false; });
      this.patience = Math.min(10000, this.patience * 2);
      setTimeout(() => this.connect(), this.patience);
    };
  }

  get open() { return this.socket.readyState === WebSocket.OPEN; }

  // A message sent before the server listens to the kernel is lost, so ask until the answer comes.
  ask() {
    if (!this.open) return;
    const comm_id = crypto.randomUUID?.() ?? String(Math.random());
    this.control = comm_id;
    this.send("comm_open", { comm_id, target_name: "workbench.states", data: {} });
    this.asking = setTimeout(() => this.ask(), 1500);
  }

  send(type, content, buffers, metadata) {
    if (!this.open) throw new Error("the kernel's socket is closed");
    const { id, message } = pack("shell", type, content, buffers, metadata);
    this.socket.send(message);
    return id;
  }

  // Calls back once the kernel has dealt with a message.
  whenDone(id, callback) { this.waiting.set(id, callback); }

  take({ header, parent, content, buffers }) {
    if (header.msg_type === "status") {
      if (content.execution_state === "idle") {
        this.waiting.get(parent.msg_id)?.();
        this.waiting.delete(parent.msg_id);
      }
      // A kernel that died is started again by the server, but empty: only a reload helps.
      if (["restarting", "autorestarting", "dead"].includes(content.execution_state)) dispatchEvent(new Event("wb-kernel-lost"));
    } else if (header.msg_type === "comm_msg" && content.comm_id === this.control) {
      clearTimeout(this.asking);
      this.patience = 250;
      manager.restore(content.data, buffers);
    } else if (header.msg_type === "comm_msg") {
      manager.models.get(content.comm_id)?.receive(content.data, buffers);
    } else if (header.msg_type === "comm_open" && content.target_name === "jupyter.widget") {
      putBuffers(content.data.state, content.data.buffer_paths ?? [], buffers);
      manager.add(content.comm_id, content.data.state);
    } else if (header.msg_type === "comm_close") {
      manager.models.get(content.comm_id)?.emit("destroy");
      manager.models.delete(content.comm_id);
    }
  }
}

// ---- models: the face that anywidget scripts know

class Model {
  constructor(id, state) { this.id = this.model_id = id; this.state = state; this.heard = new Map(); this.changed = {}; this.busy = false; }

  get widget_manager() { return { get_model: (id) => manager.model(id) }; }
  get(name) { return this.state[name]; }

  set(name, value) {
    const values = typeof name === "string" ? { [name]: value } : name;
    for (const [key, one] of Object.entries(values)) {
      if (this.state[key] === one) continue;
      this.state[key] = this.changed[key] = one;
      this.emit(`change:${key}`, this, one);
    }
    this.emit("change", this);
  }

  // One update is under way at a time; what changes meanwhile goes with the next, the last value wins.
  save_changes(now = false) {
    if ((this.busy && !now) || !kernel.open || !Object.keys(this.changed).length) return;
    const buffer_paths = [], buffers = [], state = {};
    for (const [key, value] of Object.entries(this.changed)) {
      const kept = takeBuffers(value, [key], buffer_paths, buffers);
      if (kept !== undefined) state[key] = kept;
    }
    const id = kernel.send("comm_msg", { comm_id: this.id, data: { method: "update", state, buffer_paths } }, buffers);
    this.changed = {};
    this.busy = true;
    kernel.whenDone(id, () => { this.busy = false; this.save_changes(); });
  }

  send(content, _callbacks, buffers = []) {
    // A button must not overtake what was set before it was pressed.
    manager.models.forEach((model) => model.save_changes(true));
    kernel.send("comm_msg", { comm_id: this.id, data: { method: "custom", content } }, buffers);
  }

  on(names, callback) {
    for (const name of names.split(" ")) this.heard.set(name, [...(this.heard.get(name) ?? []), callback]);
  }

  off(names, callback) {
    for (const name of names ? names.split(" ") : [...this.heard.keys()]) {
      this.heard.set(name, callback ? (this.heard.get(name) ?? []).filter((one) => one !== callback) : []);
    }
  }

  emit(name, ...values) { for (const callback of [...(this.heard.get(name) ?? [])]) callback(...values); }

  receive(data, buffers) {
    if (data.method === "custom") this.emit("msg:custom", data.content, buffers);
    if (data.method !== "update") return;
    putBuffers(data.state, data.buffer_paths ?? [], buffers);
    this.update(data.state);
  }

  // All values first, then the news: a script that hears of one finds the others in place.
  update(state) {
    // What was changed here and is not sent yet is newer than what the kernel says.
    const news = Object.keys(state).filter((key) => !Object.is(this.state[key], state[key]) && !(key in this.changed));
    news.forEach((key) => { this.state[key] = state[key]; });
    news.forEach((key) => this.emit(`change:${key}`, this, state[key]));
    if (news.length) this.emit("change", this);
  }
}

// ---- views

const scripts = new Map();
const load = (esm) => {
  if (!scripts.has(esm)) {
    const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
    scripts.set(esm, import(url).then(async ({ default: face }) => (typeof face === "function" ? await face() : face)));
  }
  return scripts.get(esm);
};

const dress = (id, css) => {
  if (!css || document.querySelector(`style[data-widget="${CSS.escape(id)}"]`)) return;
  const style = document.createElement("style");
  style.dataset.widget = id;
  style.textContent = css;
  document.head.append(style);
};

const lay = (el, model) => {
  const layout = manager.models.get(String(model.get("layout")).replace("IPY_MODEL_", ""));
  const fill = () => {
    for (const [name, value] of Object.entries(layout.state)) {
      if (!name.startsWith("_")) el.style.setProperty(name.replaceAll("_", "-"), value ?? "");
    }
  };
  layout?.on("change", fill);
  if (layout) fill();
};

const draw = {
  async any(model, el) {
    const id = model.get("_anywidget_id"), fetched = (await leaves)[id] ?? {};
    const face = await load(model.get("_esm") ?? fetched._esm);
    dress(id, model.get("_css") ?? fetched._css);
    model.ready ??= Promise.resolve(face.initialize?.({ model }));
    await model.ready;
    return face.render?.({ model, el });
  },

  box(model, el) {
    el.classList.add("widget-box", "jupyter-widgets");
    if (model.get("_model_name") === "VBoxModel") el.classList.add("widget-vbox");
    const drawn = new Map();
    const fill = () => {
      const wanted = model.get("children").map((name) => name.replace("IPY_MODEL_", ""));
      for (const [id, view] of drawn) if (!wanted.includes(id)) { view.remove(); drawn.delete(id); }
      el.append(...wanted.map((id) => {
        if (!drawn.has(id)) drawn.set(id, manager.show(id));
        return drawn.get(id);
      }));
    };
    model.on("change:children", fill);
    fill();
  },

  html(model, el) {
    const fill = () => { el.innerHTML = model.get("value"); };
    model.on("change:value", fill);
    fill();
  },

  unknown(model, el) {
    el.textContent = `This page does not draw ${model.get("_model_name")}; open the notebook in JupyterLab to see it.`;
  },
};

const kinds = { AnyModel: "any", BoxModel: "box", VBoxModel: "box", HBoxModel: "box", GridBoxModel: "box", HTMLModel: "html" };

class Manager {
  constructor() { this.models = new Map(); this.wanted = new Map(); }

  add(id, state) {
    const known = this.models.get(id);
    if (known) { known.update(state); return; }
    this.models.set(id, new Model(id, state));
    this.wanted.get(id)?.forEach((found) => found(this.models.get(id)));
    this.wanted.delete(id);
  }

  model(id) {
    if (this.models.has(id)) return Promise.resolve(this.models.get(id));
    return new Promise((found) => this.wanted.set(id, [...(this.wanted.get(id) ?? []), found]));
  }

  restore({ method, states, buffer_paths = [] }, buffers) {
    if (method !== "update_states") return;
    putBuffers(states, buffer_paths, buffers);
    // Of a layout only what is set is told; what was set before a socket broke may be so no longer.
    const blank = (id) => Object.fromEntries(Object.keys(this.models.get(id)?.state ?? {}).map((name) => [name, null]));
    for (const [id, { model_name, state }] of Object.entries(states)) {
      this.add(id, { ...(model_name === "LayoutModel" ? blank(id) : {}), _model_name: model_name, ...state });
    }
    this.models.forEach((model) => model.save_changes());
  }

  // An element at once; it fills when the model is there.
  show(id) {
    const el = document.createElement("div");
    this.model(id).then(async (model) => {
      el.classList.add(...(model.get("_dom_classes") ?? []));
      model.on("change:_dom_classes", () => el.classList.add(...model.get("_dom_classes")));
      lay(el, model);
      await draw[kinds[model.get("_model_name")] ?? "unknown"](model, el);
    }).catch((error) => {
      console.error(error);
      el.textContent = window.wbWords.broken.replace("{error}", error.message);
    });
    return el;
  }
}

const manager = new Manager();
const kernel = new Kernel();
kernel.connect();
const places = document.querySelectorAll("[data-widget-view]");
places.forEach((place) => place.append(manager.show(place.dataset.widgetView)));
if (!places.length) {
  // The cell failed: what Voila wrote about it stands in the page.
  document.getElementById("wb-skeleton").textContent = window.wbWords.failed;
}

document.getElementById("wb-copy").addEventListener("click", async () => {
  const { saveCopy } = await import("./copy.js");
  saveCopy(window.wbWords.saved.replace("{time}", new Date().toLocaleString(window.wbWords.lang)));
});

// A page that is left gives its kernel back; jobs are not its children and go on.
addEventListener("pagehide", () => {
  const form = new FormData();
  form.append("_xsrf", document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "");
  navigator.sendBeacon(`${config.baseUrl}voila/api/shutdown/${config.kernelId}`, form);
});
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
