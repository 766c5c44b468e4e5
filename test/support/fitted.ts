import { Flag, encodeMessage, type Message } from '../../src/wire/index.js';

const LAST_FIRST = ['additional', 'authority', 'answer'] as const;

/**
 * The message so that it fits `limit`: names written out if that fits, else compressed, else with as many records left
 * out from the end as have to be, and TC.
 */
export function encodeToFit(message: Message, limit: number): Buffer {
  const whole = encodeMessage(message);
  if (whole.length <= limit) return whole;
  for (let left = message; ;) {
    const bytes = encodeMessage(left, true);
    const last = LAST_FIRST.find((section) => left[section].length > 0);
    if (bytes.length <= limit || last === undefined) return bytes;
    left = { ...left, flags: left.flags | Flag.TC, [last]: left[last].slice(0, -1) };
  }
}
