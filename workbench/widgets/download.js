function render({ model, el }) {
  el.classList.add("wb", "wb-off");
  const save = (message, buffers) => {
    if (message.type !== "file") return;
    const url = URL.createObjectURL(new Blob([buffers[0]], { type: message.media }));
    h("a", { href: url, download: message.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  model.on("msg:custom", save);
  return () => model.off("msg:custom", save);
}
export default { render };
