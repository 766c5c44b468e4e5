import { describe, expect, expectTypeOf, it } from 'vitest';
import { adaptPlugin } from '../../src/plugin-api/adapt.js';
import { definePlugin } from '../../src/plugin-api/contract.js';
import { manualPage } from '../../src/plugin-api/manual.js';
import { setup } from '../support/block.js';

let got: unknown;
const names = definePlugin({
  name: 'names',
  api: 1,
  about: 'answers from a file',
  at: { after: 'log' },
  needs: ['errors'],
  dependsOn: 'question',
  example: 'errors\nnames hosts.txt\n',
  options: {
    file: { type: 'file', argument: true, required: true, about: 'Where the names are.' },
    zones: { type: 'zones', argument: true },
    ttl: { type: 'seconds', min: 1, max: 3600, default: 30, about: 'TTL of answers.' },
    every: { type: 'duration', min: 1000, default: 60_000 },
    mode: { type: 'choice', choices: ['first', 'all'], default: 'first' },
    from: { type: 'network', many: true, about: 'Who is answered.' },
    to: { type: 'ip' },
    share: { type: 'percent', max: 100 },
    weight: { type: 'number' },
    size: { type: 'integer', min: 0 },
    api: { type: 'url' },
    suffix: { type: 'name' },
    note: { type: 'text', default: 'none' },
    dry_run: { type: 'flag', about: 'Changes nothing.' },
  },
  setup(_block, options) {
    expectTypeOf(options.file).toEqualTypeOf<string>();
    expectTypeOf(options.ttl).toEqualTypeOf<number>();
    expectTypeOf(options.mode).toEqualTypeOf<'first' | 'all'>();
    expectTypeOf(options.from).toEqualTypeOf<readonly string[]>();
    expectTypeOf(options.zones).toEqualTypeOf<readonly string[]>();
    expectTypeOf(options.to).toEqualTypeOf<string | undefined>();
    expectTypeOf(options.dry_run).toEqualTypeOf<boolean>();
    got = { ...options };
  },
});
const read = (text: string): unknown => {
  setup(adaptPlugin(names), text, { zones: ['example.org.'] });
  return got;
};

const DEFAULTS = {
  file: 'a',
  zones: ['example.org'],
  ttl: 30,
  every: 60_000,
  mode: 'first',
  from: [],
  to: undefined,
  share: undefined,
  weight: undefined,
  size: undefined,
  api: undefined,
  suffix: undefined,
  note: 'none',
  dry_run: false,
};

describe('options by a schema', () => {
  it('have their defaults', () => expect(read('names a')).toEqual(DEFAULTS));

  it('are read', () =>
    expect(
      read(`names a B.example 10.0.0.0/8 {
        ttl 60
        every 5m
        mode all
        from 10.0.0.0/8 fd00::/8
        from 192.0.2.0/24
        to 2001:DB8::1
        share 10%
        weight 0.5
        size 7
        api unix:///run/x.sock
        suffix Cluster.Local
        note "two words"
        dry_run
      }`),
    ).toEqual({
      file: 'a',
      zones: ['b.example', '10.in-addr.arpa'],
      ttl: 60,
      every: 300_000,
      mode: 'all',
      from: ['10.0.0.0/8', 'fd00::/8', '192.0.2.0/24'],
      to: '2001:db8::1',
      share: 10,
      weight: 0.5,
      size: 7,
      api: 'unix:///run/x.sock',
      suffix: 'cluster.local',
      note: 'two words',
      dry_run: true,
    }));

  it.each([
    ['names', 'Corefile:2: names: got no argument, allowed: at least 1 argument; usage: names FILE [ZONES...]'],
    [
      'names a {\n tll 3\n}',
      "Corefile:3: names: unknown option 'tll'; allowed: ttl, every, mode, from, to, share, weight, size, api, suffix, note, dry_run; did you mean 'ttl'?",
    ],
    ['names a {\n ttl 0\n}', "Corefile:3: names: ttl: got '0', allowed: whole seconds without a unit from 1 to 3600"],
    [
      'names a {\n ttl 1 2\n}',
      "Corefile:3: names: ttl: got 2 arguments ('1' '2'), allowed: 1 argument; usage: ttl SECONDS",
    ],
    ['names a {\n ttl 1\n ttl 2\n}', 'Corefile:4: names: ttl: got it a second time, allowed: once'],
    [
      'names a {\n every 10ms\n}',
      "Corefile:3: names: every: got '10ms', allowed: a duration such as 30s, 250ms or 1h30m, at least 1s",
    ],
    ['names a {\n mode one\n}', "Corefile:3: names: mode: got 'one', allowed: first, all"],
    [
      'names a {\n from\n}',
      'Corefile:3: names: from: got no argument, allowed: at least 1 argument; usage: from NETWORK...',
    ],
    [
      'names a {\n from 10.0.0.0/33\n}',
      "Corefile:3: names: from: got '10.0.0.0/33', allowed: an address block such as 10.0.0.0/8 or 2001:db8::/32",
    ],
    ['names a {\n to localhost\n}', "Corefile:3: names: to: got 'localhost', allowed: an IPv4 or IPv6 address"],
    [
      'names a {\n api ftp://x\n}',
      "Corefile:3: names: api: got 'ftp://x', allowed: a URL that begins with http://, https:// or unix://",
    ],
    ['names a {\n dry_run yes\n}', "Corefile:3: names: dry_run: got 1 argument ('yes'), allowed: no argument"],
    ['names a {\n ttl 1 {\n x\n }\n}', 'Corefile:3: names: ttl: got a block in { }, allowed: none'],
  ])('%j is refused', (text, error) => expect(() => read(text)).toThrow(error));

  it('an option that must be given is missed', () => {
    const one = definePlugin({
      name: 'one',
      api: 1,
      options: { api: { type: 'url', required: true } },
      setup: () => undefined,
    });
    expect(() => setup(adaptPlugin(one), 'one')).toThrow("Corefile:2: one: option 'api' is missing; usage: api URL");
  });

  it('make the manual page', () => {
    const page = manualPage(names);
    expect(page).toContain('# names\n\n## Name\n\n*names* - answers from a file\n');
    expect(page).toContain(
      'It stands after *log* unless the Corefile says otherwise. Its answers depend on the question, and are shared. It needs *errors* in the same server block.',
    );
    expect(page).toContain(
      'names FILE [ZONES...] {\n    ttl SECONDS\n    every DURATION\n    mode first|all\n    from NETWORK...\n',
    );
    expect(page).toContain(
      "* **FILE** Where the names are. It must be given.\n* **ZONES** The server block's own where none is given.\n* `ttl` **SECONDS** TTL of answers. From 1 to 3600. Default: 30.\n* `every` **DURATION** At least 1s. Default: 1m0s.\n",
    );
    expect(page).toContain('* `dry_run` Changes nothing.\n');
    expect(page).toContain('```corefile\n. {\n    errors\n    names hosts.txt\n}\n```');
  });
});
