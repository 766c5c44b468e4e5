// What differs between a recorded result and one that was measured.
const json = (value) => JSON.stringify(value);
const withoutSerial = (record) =>
  record.type === 'SOA' ? record.data.replace(/^(\S+ \S+) \d+ /, '$1 SERIAL ') : record.data;
const rows = (records = [], withTtl = true) =>
  records
    .map((record) => [record.name, withTtl ? record.ttl : '~', record.class, record.type, withoutSerial(record)])
    .map((row) => row.join(' '))
    .sort();

function sameWithinSlack(want = [], got = [], slack = 0) {
  if (slack === 0 || json(rows(want, false)) !== json(rows(got, false))) return false;
  return want.every((record, i) => Math.abs(record.ttl - got[i].ttl) <= slack);
}

function messageDifferences(want, got, step) {
  const bad = [];
  const note = (part, wanted, found) => bad.push(`${part}: want ${json(wanted)} got ${json(found)}`);
  for (const part of ['rcode', 'aa', 'ra', 'tc', 'ad', 'cd', 'rd', 'size'])
    if (want[part] !== got[part] && !step.loose?.includes(part)) note(part, want[part], got[part]);
  for (const part of ['question', 'edns']) if (json(want[part]) !== json(got[part])) note(part, want[part], got[part]);
  for (const section of ['answer', 'authority', 'additional']) {
    const [wanted, found] = [rows(want[section]), rows(got[section])];
    if (json(wanted) !== json(found) && !sameWithinSlack(want[section], got[section], step.ttlSlack))
      note(section, wanted, found);
  }
  return bad;
}

/**
 * The differences, one line each; none when the results are alike. Order within a section and SOA serials do not
 * count, a step's `loose` parts neither.
 */
export function differences(want, got, step) {
  if (got === undefined) return ['no result'];
  if (got.error !== want.error) return [`error: want ${json(want.error)} got ${json(got.error)}`];
  const bad = [];
  for (const part of ['exited', 'http', 'body', 'hex', 'counts', 'lines', 'log'])
    if (json(want[part]) !== json(got[part]) && !step.loose?.includes(part))
      bad.push(`${part}: want ${json(want[part])} got ${json(got[part])}`);
  return want.rcode === undefined ? bad : [...bad, ...messageDifferences(want, got, step)];
}
