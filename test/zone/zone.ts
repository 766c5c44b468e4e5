import { formatRr, type Name } from '../../src/wire/index.js';
import { ZoneLoading, type ZoneData } from '../../src/zone/index.js';

/** Reads files by their text; throws as the system does for one that is not there. */
export const reader =
  (files: Readonly<Record<string, string>>) =>
  (path: string): Buffer => {
    const text = files[path];
    if (text === undefined)
      throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' });
    return Buffer.from(text);
  };

export function load(files: Readonly<Record<string, string>>, origin: Name = 'example.', path = 'db'): ZoneLoading {
  const loading = new ZoneLoading(path, origin, reader(files));
  while (loading.step(2) === 'more');
  return loading;
}

/** All records of a zone, those of its head first. */
export function recordsOf(zone: ZoneData): string[] {
  const { soa, soaSignatures, servers, serverSignatures } = zone.apex;
  const list = [soa, ...soaSignatures, ...servers, ...serverSignatures];
  for (let node = 0; node < zone.tree.size; node++)
    if (zone.records.has(node)) list.push(...zone.records.all(node, zone.tree.name(node)));
  return list.map((record) => formatRr(record).replaceAll('\t', ' '));
}
