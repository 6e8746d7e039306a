// What a reader of a panel would see as broken: text that is cut off, boxes that stick out.
(panel) => {
  const edge = panel.getBoundingClientRect().right + 1, page = document.documentElement;
  const named = (node) => `${node.tagName.toLowerCase()}.${node.className} "${(node.textContent || node.value || "").trim().replace(/\s+/g, " ").slice(0, 90)}"`;
  const scrolls = (style) => ["auto", "scroll"].includes(style.overflowX);
  const inScroller = (node) => {
    for (let at = node.parentElement; at && at !== panel; at = at.parentElement) if (scrolls(getComputedStyle(at))) return true;
    return false;
  };
  // The browser cuts the chosen words of a closed list without telling.
  const chosenWidth = (select, style) => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = style.font;
    return pen.measureText(select.selectedOptions[0]?.textContent ?? "").width + parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
  };
  // After a step stands an arrow, in the gap to the next one.
  const skipped = ".wb-steps > li, svg, svg *, input, textarea, option, .wb-hidden-text, .wb-figure-plot *, script, style, pre, pre *";
  const ROOM = 4; // a ring of focus or a hairline may stand over the edge of what hides nothing
  const faults = new Set();
  const look = () => {
    const seen = [panel, ...panel.querySelectorAll("*")].filter((node) => !node.matches(skipped) && node.checkVisibility({ visibilityProperty: true }));
    seen.forEach(judge);
    if (page.scrollWidth > page.clientWidth + 1) faults.add(`the page is ${page.scrollWidth} px wide`);
  };
  const judge = (node) => {
    const style = getComputedStyle(node), box = node.getBoundingClientRect();
    if (!box.width || style.display === "inline") return;
    const hides = style.overflowY === "hidden" && node.scrollHeight > node.clientHeight + 3 && node.innerText?.trim();
    if (node.matches("select")) { if (chosenWidth(node, style) > box.width + 1) faults.add(`cut: ${node.selectedOptions[0].textContent}`); }
    else if (node.scrollWidth > node.clientWidth + (style.overflowX === "visible" ? ROOM : 1) && !scrolls(style) && !node.matches("table, thead, tbody, tr")) faults.add(`cut by ${node.scrollWidth - node.clientWidth} px: ${named(node)}`);
    else if (hides) faults.add(`cut below: ${named(node)}`);
    else if (box.right > edge && !inScroller(node)) faults.add(`sticks out by ${Math.round(box.right - edge)} px: ${named(node)}`);
  };
  look();
  // What is folded away is looked at, too.
  const folded = [...panel.querySelectorAll("details:not([open])")];
  folded.forEach((fold) => { fold.open = true; });
  look();
  folded.forEach((fold) => { fold.open = false; });
  return [...faults];
}
