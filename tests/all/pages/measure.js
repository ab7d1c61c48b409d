// What is wider than the window, and what stands out too little from its ground (WCAG 2: 4.5 to 1).
const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
const luminance = ([r, g, b]) => {
  const part = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const ground = (element) => {
  for (; element; element = element.parentElement) {
    const color = rgb(getComputedStyle(element).backgroundColor);
    if (color.length === 3 || color[3] > 0) return color;
  }
  return [255, 255, 255];
};
const wide = [], faint = [];
let texts = 0;
if (document.documentElement.scrollWidth > innerWidth) wide.push(`the page: ${document.documentElement.scrollWidth}`);
for (const element of document.body.querySelectorAll("*")) {
  if (element.matches("script, svg, svg *")) continue;
  const box = element.getBoundingClientRect();
  // A difference scrolls within its frame; what is only read aloud is a pixel wide.
  if (box.width > 1 && (box.right > innerWidth + 0.5 || box.left < -0.5) && !element.closest("pre")) {
    wide.push(`${element.tagName} ${element.className} ${box.left} to ${box.right}`);
  }
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || box.width === 0) continue;
  texts += 1;
  const style = getComputedStyle(element);
  const [a, b] = [luminance(rgb(style.color)), luminance(ground(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) faint.push(`${element.tagName} ${element.className} ${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
}
const pre = parent.document.createElement("pre");
pre.className = "measured";
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
pre.textContent = JSON.stringify({ page: window.name, width: innerWidth, dark, texts, wide, faint });
parent.document.body.append(pre);
