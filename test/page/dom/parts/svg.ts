import { describe, expect, it, vi } from 'vitest';
import { svgOf } from '../../../../src/page/picture/svg.js';

/** As a browser works styles out. */
const LOOK = {
  display: 'block',
  visibility: 'visible',
  backgroundColor: 'rgba(0, 0, 0, 0)',
  borderTopWidth: '0px',
  borderTopColor: 'gray',
  borderTopStyle: 'solid',
  borderTopLeftRadius: '0px',
  borderLeftWidth: '0px',
  borderLeftColor: 'navy',
  color: 'black',
  fontSize: '12px',
  fontWeight: '400',
  fontFamily: '"Sans"',
  fill: 'red',
  stroke: 'green',
  strokeWidth: '2px',
  strokeDasharray: 'none',
  opacity: '1',
};

/**
 * An element of a picture. @param at left, top, width and height on the screen @param look what differs from {@link LOOK}
 */
const box = (at: string, look: Partial<typeof LOOK>, inside: string, more = ''): string =>
  `<div data-at="${at}" data-look="${encodeURIComponent(JSON.stringify(look))}" ${more}>${inside}</div>`;

/** The picture of what stands at 100, 50 on the screen, 400 wide and 200 high; words are 10 wide a letter. */
function drawn(inside: string, lines = ''): string {
  vi.stubGlobal('getComputedStyle', (element: HTMLElement) => ({
    ...LOOK,
    ...(JSON.parse(decodeURIComponent(element.dataset.look ?? '{}')) as object),
  }));
  vi.spyOn(Element.prototype, 'getBoundingClientRect').mockImplementation(function (this: Element) {
    const [left = 0, top = 0, width = 0, height = 0] = ((this as HTMLElement).dataset.at ?? '').split(' ').map(Number);
    return { left, top, width, height, right: left + width, bottom: top + height } as DOMRect;
  });
  vi.spyOn(Range.prototype, 'getClientRects').mockImplementation(function (this: Range) {
    const word = this.toString();
    if (word === 'unseen') return [] as unknown as DOMRectList;
    const top = word.startsWith('_') ? 120 : 100;
    return [{ left: 100 + 10 * this.startOffset, top, bottom: top + 10 + word.length / 100 }] as unknown as DOMRectList;
  });
  const host = document.createElement('div');
  host.dataset.look = encodeURIComponent(JSON.stringify({ backgroundColor: 'white' }));
  host.innerHTML = box(
    '100 50 400 200',
    {},
    `${inside}<svg class="lines"><defs><marker><path d="M9 9"></path></marker></defs>${lines}</svg>`,
  );
  const text = svgOf(host.firstElementChild as HTMLElement, 'a <b> & "c"');
  expect(text.endsWith('</svg>\n')).toBe(true);
  return text.slice(0, -'</svg>\n'.length);
}
const HEAD =
  '<svg xmlns="http://www.w3.org/2000/svg" width="400.0" height="200.0" viewBox="0 0 400 200">' +
  '<title>a &lt;b> &amp; &quot;c&quot;</title>' +
  '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="9" markerHeight="9" ' +
  'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="red"/></marker></defs>' +
  '<rect width="400.0" height="200.0" fill="white"/>';
/** A text of the picture. */
const text = (x: string, y: string, words: string): string =>
  `<text x="${x}" y="${y}" fill="black" font-size="12px" font-weight="400" font-family="&quot;Sans&quot;" ` +
  `dominant-baseline="central">${words}</text>`;

export function svgParts(): void {
  describe('the picture as SVG', () => {
    const filled = { backgroundColor: 'pink' };
    it.each([
      { name: 'nothing', inside: '', want: '' },
      {
        name: 'a ground',
        inside: box('110 60 80 40', { ...filled, borderTopLeftRadius: '4.25px' }, ''),
        want: '<rect x="10.0" y="10.0" width="80.0" height="40.0" rx="4.3" fill="pink"/>',
      },
      {
        name: 'a ground with round ends',
        inside: box('110 60 80 40', { ...filled, borderTopLeftRadius: '999px' }, ''),
        want: '<rect x="10.0" y="10.0" width="80.0" height="40.0" rx="20.0" fill="pink"/>',
      },
      {
        name: 'a border',
        inside: box('110 60 80 40', { borderTopWidth: '1px', borderLeftWidth: '1px' }, ''),
        want:
          '<rect x="10.0" y="10.0" width="80.0" height="40.0" rx="0.0" fill="rgba(0, 0, 0, 0)" stroke="gray" ' +
          'stroke-width="1.0"/>',
      },
      {
        name: 'a dashed border',
        inside: box('110 60 80 40', { ...filled, borderTopWidth: '1px', borderTopStyle: 'dashed' }, ''),
        want:
          '<rect x="10.0" y="10.0" width="80.0" height="40.0" rx="0.0" fill="pink" stroke="gray" stroke-width="1.0" ' +
          'stroke-dasharray="4 3"/>',
      },
      {
        name: 'a stronger line at the left',
        inside: box(
          '110 60 80 40',
          { ...filled, borderTopWidth: '1px', borderLeftWidth: '4px', borderTopLeftRadius: '6px' },
          '',
        ),
        want:
          '<rect x="10.0" y="10.0" width="80.0" height="40.0" rx="6.0" fill="navy" stroke="gray" stroke-width="1.0"/>' +
          '<rect x="14.0" y="10.0" width="76.0" height="40.0" rx="2.0" fill="pink" stroke="gray" stroke-width="1.0"/>',
      },
      {
        name: 'a line at the left that is wider than the corner',
        inside: box('110 60 80 40', { ...filled, borderLeftWidth: '4px', borderTopLeftRadius: '1px' }, ''),
        want:
          '<rect x="10.0" y="10.0" width="80.0" height="40.0" rx="1.0" fill="navy"/>' +
          '<rect x="14.0" y="10.0" width="76.0" height="40.0" rx="0.0" fill="pink"/>',
      },
      {
        name: 'no box without a width',
        inside: box('110 60 0 40', { ...filled, borderTopWidth: '1px' }, ''),
        want: '',
      },
      { name: 'words of one line', inside: box('', {}, 'one two'), want: text('0.0', '55.0', 'one two') },
      {
        name: 'lines as they are broken',
        inside: box('', {}, 'one two _three unseen _four &lt;'),
        want: text('0.0', '55.0', 'one two') + text('80.0', '75.0', '_three _four') + text('280.0', '55.0', '&lt;'),
      },
      {
        name: 'not what is hidden',
        inside: box('', { visibility: 'hidden' }, 'a') + box('', { display: 'none' }, 'b'),
        want: '',
      },
      {
        name: 'not what is for the ear alone, nor bars',
        inside: '<span class="sr">a</span><meter>b</meter><!-- c -->',
        want: '',
      },
    ])('has $name', ({ inside, want }) => expect(drawn(inside)).toBe(`${HEAD}${want}`));

    it('has parts over lines, and lines over lanes', () => {
      const part = box('110 60 80 40', filled, 'part', 'data-part="x"');
      const lane = box('100 50 400 90', { backgroundColor: 'gold' }, `lane${part}`);
      const line = '<path class="may" d="M1 1"></path>';
      expect(drawn(lane, line)).toBe(
        `${HEAD}<rect x="0.0" y="0.0" width="400.0" height="90.0" rx="0.0" fill="gold"/>${text('0.0', '55.0', 'lane')}` +
          '<path d="M1 1" fill="none" stroke="green" stroke-width="2px" opacity="1"/>' +
          `<rect x="10.0" y="10.0" width="80.0" height="40.0" rx="0.0" fill="pink"/>${text('0.0', '55.0', 'part')}`,
      );
    });

    const dashed = encodeURIComponent(JSON.stringify({ strokeDasharray: '4px' }));
    it.each([
      { name: 'a plain line', line: '<path d="M1"></path>', want: '' },
      { name: 'a dashed one', line: `<path d="M1" data-look="${dashed}"></path>`, want: ' stroke-dasharray="4px"' },
      { name: 'one that is being drawn', line: `<path d="M1" pathLength="1" data-look="${dashed}"></path>`, want: '' },
      { name: 'one with a tip', line: '<path d="M1" marker-end="url(#tip)"></path>', want: ' marker-end="url(#tip)"' },
    ])('draws $name', ({ line, want }) =>
      expect(drawn('', line)).toBe(
        `${HEAD}<path d="M1" fill="none" stroke="green" stroke-width="2px" opacity="1"${want}/>`,
      ),
    );
  });
}
