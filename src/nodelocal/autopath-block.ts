/** Server block keys on a line of their own, with what opens the block. */
const HEAD = /^([^\s#{}(][^{}\n]*?)[ \t]*\{[ \t]*$/gm;

/**
 * A Corefile whose block for the cluster's names, or else that for all names, walks the search lists of the node's pods
 * (`node`, `autopath @node`); undefined where there is no such block. What stands in it already stays.
 *
 * @param domain of the cluster, without final dot
 * @param node name of the node; empty for what NODE_NAME says
 */
export function withAutopath(text: string, domain: string, node: string): string | undefined {
  const heads = [...text.matchAll(HEAD)];
  const head =
    heads.find(([, keys]) => hasZone(keys!, domain.toLowerCase())) ?? heads.find(([, keys]) => hasZone(keys!, ''));
  if (head === undefined) return undefined;
  const start = head.index + head[0].length;
  const [body = ''] = text.slice(start).split(/^\}/m);
  const lines = [
    ...(has(body, 'node') ? [] : [`node ${domain}${node === '' ? '' : ` {\n        name ${node}\n    }`}`]),
    ...(has(body, 'autopath') ? [] : ['autopath @node']),
  ];
  return text.slice(0, start) + lines.map((line) => `\n    ${line}`).join('') + text.slice(start);
}

const has = (body: string, directive: string): boolean => new RegExp(`^[ \\t]*${directive}\\b`, 'm').test(body);

/** Whether one of a block's keys is for the zone: `dns://cluster.local.:53` for `cluster.local`. */
const hasZone = (keys: string, zone: string): boolean =>
  keys.split(/[\s,]+/).some(
    (key) =>
      key
        .toLowerCase()
        .replace(/^dns:\/\//, '')
        .replace(/:\d+$/, '')
        .replace(/\.$/, '') === zone,
  );
