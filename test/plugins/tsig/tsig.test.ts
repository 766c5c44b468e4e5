import { describe, expect, it } from 'vitest';
import type { Reply } from '../../../src/chain/index.js';
import { Query, QueryContext, ReplyLease, type Outcome } from '../../../src/chain/index.js';
import { tsig } from '../../../src/plugins/tsig/setup.js';
import { SignedRequest, TsigTransaction, findTsig, tsigKey } from '../../../src/tsig/index.js';
import { setup } from '../../support/block.js';
import { client, query, reply, summary } from '../../support/dns.js';

const SECRET = 'NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk=';
const NOW = 0;
const KEY = tsigKey('key.example.', SECRET);
const OTHER = tsigKey('other.example.', SECRET);
const known = new Map([[KEY.name, KEY]]);

/** The query signed, and what the server found when it came in. */
function signed(plain: Query, key = KEY): Query {
  const bytes = new SignedRequest(key, () => NOW).sign(plain.bytes);
  plain.context.tsig = TsigTransaction.of(bytes, known, () => NOW);
  return new Query(bytes, plain.context);
}

const lease = new ReplyLease(Infinity);
const ANSWER = reply({ answer: ['www.example. 60 IN A 192.0.2.1'] }).withLease(lease);
const text = (...options: string[]): string =>
  `tsig example {\nsecret key.example. ${SECRET}\n${options.join('\n')}\n}`;

function ask(asked: Query, ...options: string[]): { got: unknown; next: Query[]; outcome: Outcome; log: string[] } {
  const next: Query[] = [];
  const { block, ask: chain } = setup(tsig, text(...options));
  const outcome = chain(asked, (passed) => {
    next.push(passed);
    return ANSWER;
  }) as Outcome;
  return { got: (summary(outcome) as { rcode: string }).rcode, next, outcome, log: block.log.lines };
}

describe('tsig', () => {
  it('hands on a query without its signature, and lets nobody else have the answer', () => {
    const asked = signed(query('www.example.'));
    const { next, outcome } = ask(asked, 'require all');
    expect(next[0]!.bytes).toEqual(query('www.example.').bytes);
    expect((outcome as Reply).lease).toBeUndefined();
    expect(asked.context.tsig!.signs).toBe(true);
  });

  it('leaves unsigned queries alone, and their answers to all', () => {
    const asked = query('www.example.');
    const { next, outcome } = ask(asked, 'require AAAA', 'require_opcode NOTIFY');
    expect(next).toEqual([asked]);
    expect(outcome).toBe(ANSWER);
  });

  it.each([
    { name: 'a type', options: ['require A AAAA'], refused: true },
    { name: 'all types', options: ['require all'], refused: true },
    { name: 'an opcode', options: ['require_opcode NOTIFY QUERY'], refused: true },
    { name: 'all opcodes', options: ['require_opcode all'], refused: true },
    { name: 'other types', options: ['require AXFR IXFR'], refused: false },
    { name: 'none', options: ['require none', 'require_opcode none'], refused: false },
    { name: 'none, said last', options: ['require A', 'require none'], refused: false },
    { name: 'nothing', options: [], refused: false },
  ])('where $name is required, an unsigned query is refused: $refused', ({ options, refused }) => {
    const { got, next, log } = ask(query('www.example.'), ...options);
    expect([got, next.length]).toEqual(refused ? ['REFUSED', 0] : ['NOERROR', 1]);
    expect(log).toEqual(refused ? ["[DEBUG] plugin/tsig: rejecting 'A' request without TSIG"] : []);
  });

  it('answers for its own zones only', () => {
    const asked = signed(query('www.elsewhere.'), OTHER);
    const { next, outcome } = ask(asked, 'require all');
    expect([next, outcome]).toEqual([[asked], ANSWER]);
    expect(asked.context.tsig!.signs).toBe(false);
  });

  it('turns away a wrong signature, required or not', () => {
    const asked = signed(query('www.example.'), OTHER);
    const { got, next, log } = ask(asked);
    expect([got, next, asked.context.tsig!.signs]).toEqual(['NOTAUTH', [], true]);
    expect(log).toEqual(['[DEBUG] plugin/tsig: TSIG validation failed: A BADKEY']);
  });

  it('turns away a signature that nobody has looked at', () => {
    const { bytes } = signed(query('www.example.'));
    expect(ask(new Query(bytes, new QueryContext(client(), 0))).got).toBe('NOTAUTH');
  });

  it('asks the server itself in the name of the client: only one who has signed passes', () => {
    const nested = (outer: Query): Query => new Query(query('www.example.').bytes, outer.context.nested());
    const good = signed(query('a.example.'));
    const { got, outcome } = ask(nested(good), 'require all');
    expect([got, (outcome as Reply).lease, good.context.tsig!.signs]).toEqual(['NOERROR', undefined, false]);
    expect(ask(nested(query('a.elsewhere.')), 'require all').got).toBe('REFUSED');
    expect(ask(nested(signed(query('a.elsewhere.'), OTHER)), 'require all').got).toBe('REFUSED');
    expect(ask(nested(query('a.elsewhere.'))).got).toBe('NOERROR');
  });

  it('strips the signature of a query that was changed on the way', () => {
    const asked = signed(query('www.example.', 'A', { edns: 4096 })).withUdpSize(512);
    const { next } = ask(asked);
    expect([next[0]!.udpSize, findTsig(next[0]!.bytes)]).toEqual([512, undefined]);
  });

  it('takes secrets from files', () => {
    const file = `key "other.example" {\n\tsecret "${SECRET}";\n};\n`;
    const { block, handlers } = setup(tsig, text('secrets keys'), { files: { keys: file } });
    expect([...block.settings.tsig!.keys()]).toEqual(['key.example.', 'other.example.']);
    expect(handlers[0]).toMatchObject({ dependsOn: 'question', role: 'wraps' });
  });

  it.each([
    { options: ['secret a'], error: "Corefile:4: tsig: secret: got 1 argument ('a'), allowed: 2 arguments; usage: secret NAME KEY" },
    { options: ['secret a.example no*base64'], error: "Corefile:4: tsig: secret: the secret of key 'a.example' is no base64" },
    { options: ['secret a..b AAAA'], error: "Corefile:4: tsig: secret: 'a..b' is no name of a key" },
    { options: ['secret KEY.example AAAA'], error: "Corefile:4: tsig: secret: key 'key.example.' a second time" },
    { options: ['secrets nosuch'], error: "Corefile:4: tsig: secrets: ENOENT: no such file or directory, open 'nosuch'" },
    { options: ['secrets bad'], error: "Corefile:4: tsig: secrets: bad:2: got algorithm 'hmac-x', allowed: hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512" },
    { options: ['require'], error: 'Corefile:4: tsig: require: got no argument, allowed: at least 1 argument; usage: require all|none|QTYPE...' },
    { options: ['require A nosuch'], error: "Corefile:4: tsig: require: got 'nosuch', allowed: A, " },
    { options: ['require_opcode'], error: 'usage: require_opcode all|none|OPCODE...' },
    { options: ['require_opcode SIGN'], error: "Corefile:4: tsig: require_opcode: got 'SIGN', allowed: QUERY, IQUERY, STATUS, NOTIFY, UPDATE" },
    { options: ['algorithm x'], error: "Corefile:4: tsig: unknown option 'algorithm'; allowed: secret, secrets, require, require_opcode" },
    { options: ['}', 'tsig {'], error: 'Corefile:5: tsig: got it a second time in this server block' },
  ])('refuses $options', ({ options, error }) => {
    const files = { bad: '\nkey b { secret AAAA; algorithm hmac-x; };' };
    expect(() => setup(tsig, text(...options), { files })).toThrow(error);
  }); // prettier-ignore
});
