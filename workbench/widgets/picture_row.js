function render({ model, el }) {
  el.classList.add("wb", "wb-pictures");
  const title = h("div", { class: "wb-pictures-title" }), caption = h("p", { class: "wb-pictures-caption" });
  const list = h("ul", { class: "wb-pictures-list" });
  el.append(title, caption, list);
  return follow(model, ["title", "pictures", "caption", "empty"], () => {
    const pictures = model.get("pictures");
    el.classList.toggle("wb-off", !pictures.length && !model.get("caption") && !model.get("empty"));
    title.textContent = model.get("title");
    caption.textContent = model.get("caption") || (pictures.length ? "" : model.get("empty"));
    list.replaceChildren(...pictures.map(({ png, name, detail }) => h("li", { title: `${name}: ${detail}` },
      png ? h("img", { src: `data:image/png;base64,${png}`, alt: `${name}: ${detail}` }) : null,
      h("span", { class: "wb-picture-name" }, name), h("span", { class: "wb-picture-detail" }, detail))));
  });
}
export default { render };
