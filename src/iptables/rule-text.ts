import type { NodeCacheRule } from './node-cache-rules.js';

/** A rule as the arguments that follow the chain in iptables' commands, in the order of iptables-save. */
export function ruleArgs(rule: NodeCacheRule): readonly string[] {
  const { family, protocol, side, address, port, target, comment } = rule;
  return [
    ...[side === 'to' ? '-d' : '-s', `${address}/${family === 4 ? 32 : 128}`, '-p', protocol],
    ...['-m', protocol, side === 'to' ? '--dport' : '--sport', String(port)],
    ...['-m', 'comment', '--comment', comment, '-j', target],
  ];
}

/** Arguments as iptables-save prints them: quoted where they hold more than letters, digits, `-` and `_`. */
export const quoted = (comment: string): string => (/^[\w-]+$/.test(comment) ? comment : `"${comment}"`);

/** The part of a line of iptables-save that follows the chain. */
export const ruleText = (rule: NodeCacheRule): string =>
  ruleArgs(rule)
    .map((arg) => (arg === rule.comment ? quoted(arg) : arg))
    .join(' ');

/** A line of iptables-save. */
export const ruleLine = (rule: NodeCacheRule): string => `-A ${rule.chain} ${ruleText(rule)}`;

/** The words of a line of iptables-save; quotes hold one together. */
export const words = (line: string): string[] =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, inner]) => inner?.replace(/\\(.)/g, '$1') ?? word);
