"""What the browser tests ask of a report page: its contrasts, and everything that it holds."""

RATIOS = """
const luminance = (c) => {
  const [r, g, b] = c.map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
const behind = (node) => {
  for (let up = node; up; up = up.parentElement) {
    const [r, g, b, a] = rgb(getComputedStyle(up).backgroundColor);
    if (a === undefined || a === 1) return [r, g, b];
  }
  return [255, 255, 255];
};
const ratio = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + .05) / (low + .05);
};
"""
TEXTS = (
    RATIOS
    + """
const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let worst = [99, "nothing"];
while (nodes.nextNode()) {
  const node = nodes.currentNode.parentElement, said = nodes.currentNode.textContent.trim();
  if (!said || !node.getClientRects().length || node.closest("svg")) continue;
  const found = ratio(rgb(getComputedStyle(node).color).slice(0, 3), behind(node));
  if (found < worst[0]) worst = [found, said];
}
return worst;
"""
)
CHART_TEXTS = (
    RATIOS
    + """
return [...document.querySelectorAll(".plot svg text")].filter((t) => t.textContent.trim()).map((t) => {
  const bar = t.closest(".point")?.querySelector("path");
  const inside = t.classList.contains("bartext-inside") && bar;
  const back = inside ? rgb(inside.style.fill.startsWith("rgb") ? inside.style.fill : "rgb(1,1,1)") : behind(t.closest(".plot"));
  const patterned = inside && !inside.style.fill.startsWith("rgb");
  return [patterned ? 99 : ratio(rgb(getComputedStyle(t).fill), back.slice(0, 3)), t.textContent];
});
"""
)
SHOWN = """
const all = (selector, read) => Object.fromEntries(
  [...document.querySelectorAll(selector)].map((one) => [one.id, read(one)]));
const value = (cell) => "value" in cell.dataset ? JSON.parse(cell.dataset.value) : null;
return {
  charts: all(".plot", (plot) => plot.data.map((trace) => ({ ...trace }))),
  said: all(".plot", (plot) => plot.textContent),
  tables: all("table", (table) => [...table.tBodies[0].rows].map((r) => [...r.cells].map(value))),
  ledger: JSON.parse(document.getElementById("ledger").textContent),
};
"""
