import { RrTextError } from '../wire/index.js';

/** TTL of generated records that name none, in seconds: CoreDNS gives them this whatever `$TTL` says. */
export const GENERATED_TTL = 3600;
/** Most steps of one `$GENERATE`, the first not counted; CoreDNS allows no more. */
const MAX_STEPS = 65_535;

/** A part of a line: text, or a number that counts. */
type LinePart = string | { readonly offset: number; readonly width: number; readonly base: string };

const SHOWN: Readonly<Record<string, (value: number) => string>> = {
  d: String,
  o: (value) => value.toString(8),
  x: (value) => value.toString(16),
  X: (value) => value.toString(16).toUpperCase(),
};

/**
 * The lines that `$GENERATE RANGE TEMPLATE` stands for, as a file. `range` is `START-STOP` or `START-STOP/STEP`; in
 * the template `$` is the number, `${OFFSET,WIDTH,BASE}` the number in another form, and `$$` or `\$` a dollar sign.
 * Throws an RrTextError.
 */
export function expand(range: string, template: string): Buffer {
  const match = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/.exec(range);
  const [start, stop, step] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3] ?? 1)];
  if (match === null || step === 0 || stop < start)
    throw new RrTextError(`expected a range such as 1-254 or 0-30/2, got '${range}'`);
  if (Math.floor((stop - start) / step) > MAX_STEPS)
    throw new RrTextError(`range ${range} has more than ${MAX_STEPS + 1} steps`);
  const parts = partsOf(template);
  for (const part of parts) {
    if (typeof part !== 'string' && (start + part.offset < 0 || stop + part.offset > 0x7fffffff))
      throw new RrTextError(`offset ${part.offset} leads below 0 or above ${0x7fffffff} in range ${range}`);
  }
  let text = '';
  for (let value = start; value <= stop; value += step) {
    for (const part of parts)
      text += typeof part === 'string' ? part : SHOWN[part.base]!(value + part.offset).padStart(part.width, '0');
    text += '\n';
  }
  return Buffer.from(text, 'latin1');
}

function partsOf(template: string): LinePart[] {
  const parts: LinePart[] = [];
  for (const [found, escaped, modifier] of template.matchAll(/\\([\s\S])|\$\{([^}]*)\}|\$\$|\$\{|\$|[^\\$]+/g)) {
    if (found === '${') throw new RrTextError("'${' without '}'");
    if (escaped !== undefined) parts.push(escaped === '$' ? '$' : found);
    else if (modifier !== undefined) parts.push(numberPart(modifier));
    else if (found === '$') parts.push(numberPart('0'));
    else parts.push(found === '$$' ? '$' : found);
  }
  return parts;
}

function numberPart(modifier: string): LinePart {
  const match = /^([+-]?\d{1,10})(?:,(\d{1,3})(?:,([doxX]))?)?$/.exec(modifier);
  const [, offset, width = '', base = 'd'] = match ?? [];
  if (offset === undefined || Number(width) > 255)
    throw new RrTextError(`expected OFFSET,WIDTH,BASE with BASE d, o, x or X, got '${modifier}'`);
  return { offset: Number(offset), width: Number(width), base };
}
