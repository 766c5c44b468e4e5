import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Query, QueryContext } from '../../src/chain/index.js';
import { SignedRequest, TsigTransaction, findTsig, tsigFaultName, tsigKey } from '../../src/tsig/index.js';
import { Opcode, decodeMessage, rcodeName } from '../../src/wire/index.js';
import { compiledProgram } from '../support/compiled.js';
import { client, query } from '../support/dns.js';
import { Reached, WAYS, canRun, type Line } from '../support/ways.js';

const SECRET = 'NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk=';
const KEY = tsigKey('key.test.', SECRET);
const DIRECTIVES = [
  `tsig sec.test {\n secret key.test. ${SECRET}\n require A AXFR\n require_opcode NOTIFY\n }`,
  'hosts {\n 192.0.2.1 a.sec.test a.open.test\n 2001:db8::1 a.sec.test\n }',
];

// What the batched way needs takes its time on a machine that has much to do.
beforeAll(() => void compiledProgram(), 180_000);
let reached: Reached | undefined;
afterEach(async () => {
  await reached?.stop();
  reached = undefined;
});

let ids = 100;
const plain = (name: string, type = 'A'): Buffer => query(name, type, { id: ++ids, edns: 1232 }).bytes;

/** What the answer says, and what its signature is worth. */
function said(answer: Buffer, request?: SignedRequest): string {
  const record = findTsig(answer);
  const { rcode, answer: records } = decodeMessage(answer);
  let signature = record === undefined ? 'unsigned' : tsigFaultName(record.error);
  if (record !== undefined && record.mac.length > 0 && request !== undefined) {
    try {
      request.check(answer);
      signature = 'verified';
    } catch (error) {
      signature = (error as Error).message;
    }
  }
  return `${rcodeName(rcode)} ${records.length} ${signature}`;
}

const unsigned = async (line: Line, message: Buffer): Promise<string> => said(await line.ask(message));

async function signed(
  line: Line,
  message: Buffer,
  { key = KEY, now = Date.now(), change = (bytes: Buffer) => bytes } = {},
) {
  const request = new SignedRequest(key, () => now);
  return said(await line.ask(change(request.sign(message))), request);
}

const changed = (bytes: Buffer): Buffer => {
  bytes[13]! ^= 1;
  return bytes;
};
/** The signature cut to half its length. */
function shortened(bytes: Buffer): Buffer {
  const { mac } = findTsig(bytes)!;
  const at = bytes.indexOf(mac);
  const short = Buffer.concat([bytes.subarray(0, at + 16), bytes.subarray(at + 32)]);
  short.writeUInt16BE(16, at - 2);
  const length = at - 2 - 8 - 'hmac-sha256.'.length - 1 - 2;
  short.writeUInt16BE(bytes.readUInt16BE(length) - 16, length);
  return short;
}

/** All in which messages are bytes on both sides. */
const REACHING = WAYS.filter((way) => canRun(way) && way.rejects !== true);

describe.each(REACHING)('TSIG over $name', (way) => {
  const start = async (directives: readonly string[] = DIRECTIVES): Promise<Line> => {
    reached = new Reached(way);
    await reached.start(directives, { cwd: process.cwd() });
    return reached.connect();
  };

  it('is required, looked at, and in the answer', async () => {
    const line = await start();
    expect(await unsigned(line, plain('a.sec.test.'))).toBe('REFUSED 0 unsigned');
    expect(await signed(line, plain('a.sec.test.'))).toBe('NOERROR 1 verified');
    // Whatever was kept of that answer is not for others.
    expect(await unsigned(line, plain('a.sec.test.'))).toBe('REFUSED 0 unsigned');
    expect(await unsigned(line, plain('a.sec.test.', 'AAAA'))).toBe('NOERROR 1 unsigned');
    expect(await signed(line, plain('a.sec.test.', 'AAAA'))).toBe('NOERROR 1 verified');
    expect(await unsigned(line, plain('a.open.test.'))).toBe('NOERROR 1 unsigned');
  });

  it('is judged', async () => {
    const line = await start();
    const other = tsigKey('other.test.', SECRET);
    expect(await signed(line, plain('a.sec.test.'), { key: other })).toBe('NOTAUTH 0 BADKEY');
    const wrong = tsigKey('key.test.', 'AAAA');
    expect(await signed(line, plain('a.sec.test.'), { key: wrong })).toBe('NOTAUTH 0 BADSIG');
    expect(await signed(line, plain('a.sec.test.'), { change: changed })).toBe('NOTAUTH 0 BADSIG');
    expect(await signed(line, plain('a.sec.test.'), { change: shortened })).toMatch(/^NOTAUTH 0/);
    const short = shortened(new SignedRequest(KEY, Date.now).sign(plain('a.sec.test.')));
    expect(await unsigned(line, short)).toBe('NOTAUTH 0 BADTRUNC');
    const late = await signed(line, plain('a.sec.test.'), { now: Date.now() - 400_000 });
    expect(late).toBe('NOTAUTH 0 the server says BADTIME');
    // What is not required is no less wrong.
    expect(await signed(line, plain('a.sec.test.', 'AAAA'), { key: wrong })).toBe('NOTAUTH 0 BADSIG');
    expect(await signed(line, plain('a.open.test.'), { key: wrong })).toBe('NOERROR 1 unsigned');
  });

  it('is required for NOTIFY, and needless for UPDATE, which nobody takes', async () => {
    const line = await start();
    const as =
      (opcode: number) =>
      (message: Buffer): Buffer => {
        message[2] = opcode << 3;
        return message;
      };
    expect(await unsigned(line, as(Opcode.NOTIFY)(plain('sec.test.', 'SOA')))).toBe('REFUSED 0 unsigned');
    const changing = { change: as(Opcode.NOTIFY) };
    expect(await signed(line, plain('sec.test.', 'SOA'), changing)).toBe('NOTAUTH 0 BADSIG');
    if (way.refusesOutside) return;
    expect(await unsigned(line, as(Opcode.UPDATE)(plain('sec.test.', 'SOA')))).toMatch(/^(NOTIMP|REFUSED) 0 unsigned$/);
  });

  it('is told of a whole zone, message by message', async () => {
    if (!way.streams) return;
    const line = await start([DIRECTIVES[0]!.replace('sec.test', 'example.org'), 'transfer {\n to *\n }', 'file corefiles/db.example.org example.org']);
    const message = plain('example.org.', 'AXFR');
    expect(await unsigned(line, message)).toBe('REFUSED 0 unsigned');
    expect(await signed(line, plain('example.org.', 'AXFR'))).toMatch(/^NOERROR \d\d+ verified$/);
  }); // prettier-ignore
});

describe('TSIG', () => {
  it('makes the answer smaller where both would be too long', async () => {
    reached = new Reached(WAYS.find(({ name }) => name === 'UDP, dgram')!);
    const many = Array.from({ length: 28 }, (_, i) => `192.0.2.${i + 1} a.sec.test`).join('\n ');
    await reached.start([DIRECTIVES[0]!, `hosts {\n ${many}\n }`], {});
    const line = await reached.connect();
    const message = query('a.sec.test.', 'A', { id: 7 }).bytes;
    const request = new SignedRequest(KEY, Date.now);
    const answer = await line.ask(request.sign(message));
    request.check(answer);
    expect([answer.length <= 512, (answer[2]! & 2) !== 0]).toEqual([true, true]);
  });

  it('is looked at with a clock that is given', () => {
    const asked = query('a.sec.test.');
    const bytes = new SignedRequest(KEY, () => 5000).sign(asked.bytes);
    const { context } = new Query(bytes, new QueryContext(client(), 0));
    context.tsig = TsigTransaction.of(bytes, new Map([[KEY.name, KEY]]), () => 5000);
    expect(context.nested().tsig!.verified).toBe(true);
  });
});
