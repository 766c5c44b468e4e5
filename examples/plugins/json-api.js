// @ts-check
/**
 * Records from a JSON API: a list of `{ "name", "type", "ttl", "data" }`, or an object with such a list under
 * `records`. Asked for again on a schedule, with the mark of what is known, and kept over a restart.
 */

const options = /** @type {const} */ ({
  api: { type: 'url', argument: true, required: true, about: 'Where the list is.' },
  every: { type: 'duration', default: 30_000, min: 1000, about: 'How often it is asked for.' },
  keep: { type: 'file', about: 'Where the last good list is kept over a restart.' },
  token: { type: 'text', about: 'Environment variable that holds a bearer token.' },
  ttl: { type: 'seconds', default: 30, max: 86_400, about: 'TTL of records that have none.' },
});

/** @typedef {import('nodens/plugin').ResourceRecord} ResourceRecord */

/** The records by name. Throws where one of them has no name, type or data. @type {(body: unknown, ttl: number) => Map<string, ResourceRecord[]>} */
function byName(body, ttl) {
  const list = Array.isArray(body) ? body : /** @type {{ records?: unknown } | null} */ (body)?.records;
  if (!Array.isArray(list)) throw new Error('expected a list of records, or an object with `records`');
  /** @type {Map<string, ResourceRecord[]>} */
  const found = new Map();
  for (const [i, record] of list.entries()) {
    const { name, type, data } = record ?? {};
    if (typeof name !== 'string' || typeof type !== 'string' || data === undefined)
      throw new Error(`records[${i}]: expected name, type and data, got ${JSON.stringify(record)}`);
    const key = name.toLowerCase().replace(/\.$/, '');
    found.set(key, [...(found.get(key) ?? []), { ttl, ...record, type: type.toUpperCase() }]);
  }
  return found;
}

/** @type {import('nodens/plugin').Plugin<typeof options>} */
export default {
  name: 'json_api',
  api: 1,
  about: 'answers with records from a JSON API',
  at: { before: 'cache' },
  dependsOn: 'question',
  options,
  example: 'json_api https://names.example.org/records {\n    every 1m\n    keep /var/lib/nodens/records.json\n}',
  setup(block, { api, every, keep, token, ttl }) {
    const secret =
      token === undefined ? undefined : (block.env[token] ?? block.fail(`there is no variable ${token}`, 'token'));
    /** @type {string | null} */
    let mark = null;
    const table = block.table({
      every,
      ...(keep !== undefined && { keep }),
      load: async ({ signal }) => {
        const response = await fetch(api, {
          signal,
          headers: {
            accept: 'application/json',
            ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
            ...(mark !== null && { 'if-none-match': mark }),
          },
        });
        if (response.status === 304) return undefined;
        if (!response.ok) throw new Error(`${api}: HTTP status ${response.status}`);
        const records = byName(await response.json(), ttl);
        mark = response.headers.get('etag');
        return records;
      },
    });
    return (query, next) => {
      const records = table.get(query.name);
      if (records === undefined) return next();
      const fits = records.filter(({ type }) => type === query.type || type === 'CNAME');
      return { answers: fits.map((record) => ({ ...record, name: query.question.name })) };
    };
  },
};
