/** Attributes as text, with what XML does not take replaced. */
const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(typeof value === 'number' ? value.toFixed(1) : value)}"`)
    .join('');

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const pixels = (length: string): number => Number.parseFloat(length) || 0;
const CLEAR = 'rgba(0, 0, 0, 0)';

/** The element's box: its ground, its border and the stronger line at its left. */
function boxOf(element: Element, style: CSSStyleDeclaration, origin: DOMRect): string {
  const { left, top, width, height } = element.getBoundingClientRect();
  const border = pixels(style.borderTopWidth);
  const edge = pixels(style.borderLeftWidth);
  if ((style.backgroundColor === CLEAR && border === 0) || width === 0) return '';
  const place = { x: left - origin.left, y: top - origin.top, width, height };
  const rx = Math.min(pixels(style.borderTopLeftRadius), height / 2);
  const dashes: Record<string, string> = style.borderTopStyle === 'dashed' ? { 'stroke-dasharray': '4 3' } : {};
  const stroke: Record<string, string | number> =
    border === 0 ? {} : { stroke: style.borderTopColor, 'stroke-width': border, ...dashes };
  if (edge <= border) return `<rect${attributes({ ...place, rx, fill: style.backgroundColor, ...stroke })}/>`;
  const inner = { x: place.x + edge, y: place.y, width: width - edge, height, rx: Math.max(0, rx - edge) };
  return (
    `<rect${attributes({ ...place, rx, fill: style.borderLeftColor, ...stroke })}/>` +
    `<rect${attributes({ ...inner, fill: style.backgroundColor, ...stroke })}/>`
  );
}

/** A text as the browser has broken it into lines. */
function textsOf(node: Text, style: CSSStyleDeclaration, origin: DOMRect): string {
  const range = document.createRange();
  const lines: { text: string; x: number; y: number }[] = [];
  for (const { 0: word, index } of node.data.matchAll(/\S+\s*/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.trimEnd().length);
    const [rect] = range.getClientRects();
    if (!rect) continue;
    const y = (rect.top + rect.bottom) / 2 - origin.top;
    const last = lines.at(-1);
    if (last && Math.abs(last.y - y) < 1) last.text += word;
    else lines.push({ text: word, x: rect.left - origin.left, y });
  }
  const look = {
    fill: style.color,
    'font-size': style.fontSize,
    'font-weight': style.fontWeight,
    'font-family': style.fontFamily,
    'dominant-baseline': 'central',
  };
  return lines
    .map(({ text, x, y }) => `<text${attributes({ x, y, ...look })}>${escaped(text.trimEnd())}</text>`)
    .join('');
}

/** An element with all in it, but for what `without` matches. */
function drawn(element: Element, origin: DOMRect, without: string): string {
  const style = getComputedStyle(element);
  if (style.display === 'none' || style.visibility === 'hidden' || element.matches('.sr, svg, meter')) return '';
  const inside = [...element.childNodes].map((node) => {
    if (node instanceof Text) return textsOf(node, style, origin);
    return node instanceof Element && !(without !== '' && node.matches(without)) ? drawn(node, origin, without) : '';
  });
  return `${boxOf(element, style, origin)}${inside.join('')}`;
}

function lineOf(path: SVGPathElement): string {
  const style = getComputedStyle(path);
  const marker: Record<string, string> = path.hasAttribute('marker-end') ? { 'marker-end': 'url(#tip)' } : {};
  // What is being drawn has a length of 1, for its dashes.
  const dashes: Record<string, string> =
    style.strokeDasharray === 'none' || path.hasAttribute('pathLength')
      ? {}
      : { 'stroke-dasharray': style.strokeDasharray };
  const look = { stroke: style.stroke, 'stroke-width': style.strokeWidth, opacity: style.opacity };
  return `<path${attributes({ d: path.getAttribute('d') ?? '', fill: 'none', ...look, ...dashes, ...marker })}/>`;
}

/** The picture as it stands on the screen, as an SVG file. @param root the element that holds lanes and lines */
export function svgOf(root: HTMLElement, title: string): string {
  const origin = root.getBoundingClientRect();
  const { width, height } = origin;
  const paths = [...root.querySelectorAll<SVGPathElement>('svg.lines path')].filter((path) => !path.closest('marker'));
  const tip = getComputedStyle(root.querySelector('svg.lines marker path')!).fill;
  const paper = getComputedStyle(root.parentElement!).backgroundColor;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg"${attributes({ width, height, viewBox: `0 0 ${width} ${height}` })}>` +
    `<title>${escaped(title)}</title>` +
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="9" markerHeight="9" ` +
    `markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="${escaped(tip)}"/></marker></defs>` +
    `<rect${attributes({ width, height, fill: paper })}/>` +
    // Lines pass over lanes and behind boxes.
    drawn(root, origin, '[data-part]') +
    paths.map(lineOf).join('') +
    [...root.querySelectorAll('[data-part]')].map((box) => drawn(box, origin, '')).join('') +
    '</svg>\n'
  );
}
