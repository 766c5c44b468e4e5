import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Control, controlFrame } from '../../../src/insight/compare/dnstap.js';
import { readRecording } from '../../../src/insight/compare/recording.js';
import { decodeMessage, frame, typeName } from '../../../src/wire/index.js';
import { encodeQuery, packet, pcap, type PacketOptions } from './capture-writer.js';
import { dnstapFrame, length } from './dnstap-writer.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-recordings-'));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
function read(content: string | Buffer, port = 53) {
  const file = path.join(folder, `${count++}`);
  writeFileSync(file, content);
  return readRecording(file, port);
}

/** Queries in short: transport, name, type, and the EDNS size where there is one. */
const short = (content: string | Buffer, port?: number): string[] =>
  read(content, port).queries.map(({ transport, bytes }) => {
    const { question, edns } = decodeMessage(bytes);
    const { name, type } = question[0]!;
    return [transport, name, typeName(type), ...(edns ? [`${edns.udpSize}${edns.do ? ' do' : ''}`] : [])].join(' ');
  });

const A = encodeQuery('a.example.', 'A');
const B = encodeQuery('b.example.', 'AAAA', { edns: 1232, do: true });

describe('captures', () => {
  const one = (options: PacketOptions, file?: Parameters<typeof pcap>[1]): Buffer =>
    pcap([{ bytes: packet(A, options) }], { link: options.link ?? 1, ...file });
  it.each([
    { name: 'Ethernet', bytes: one({}) },
    { name: 'Ethernet with a VLAN', bytes: one({ vlan: true }) },
    { name: 'Linux cooked', bytes: one({ link: 113 }) },
    { name: 'Linux cooked, version 2', bytes: one({ link: 276 }) },
    { name: 'raw IP', bytes: one({ link: 101 }) },
    { name: 'BSD loopback', bytes: one({ link: 0 }) },
    ...[12, 14, 108, 228, 229].map((link) => ({ name: `the link ${link}`, bytes: one({ link }) })),
    { name: 'IPv6', bytes: one({ v6: true }) },
    ...[[0], [43], [60], [135], [139], [140], [0, 60, 43]].map((extensions) => ({
      name: `IPv6 with the headers ${extensions.join(', ')}`,
      bytes: one({ v6: true, extensions }),
    })),
    { name: 'nanoseconds', bytes: one({}, { nanoseconds: true }) },
    { name: 'the other byte order', bytes: one({}, { big: true }) },
  ])('$name', ({ bytes }) => expect(short(bytes)).toEqual(['udp a.example. A']));

  it('times count from the capture', () => {
    const packets = [0, 1.5, 2000].map((at) => ({ at: 1_000_000 + at, bytes: packet(A) }));
    expect(read(pcap(packets)).queries.map(({ at }) => at - 1_000_000)).toEqual([0, 1.5, 2000]);
  });

  const segments = (...parts: readonly [number, Uint8Array, number?][]): Buffer =>
    pcap(
      parts.map(([sequence, bytes, flags]) => ({
        bytes: packet(bytes, { tcp: { sequence, ...(flags && { flags }) } }),
      })),
    );
  const stream = Buffer.concat([frame(A), frame(B)]);
  it.each([
    { name: 'one segment', bytes: segments([99, Buffer.alloc(0), 2], [100, stream]) },
    { name: 'without the beginning of the connection', bytes: segments([100, stream]) },
    {
      name: 'cut anywhere',
      bytes: segments([100, stream.subarray(0, 7)], [107, stream.subarray(7, 40)], [140, stream.subarray(40)]),
    },
    {
      name: 'out of order',
      bytes: segments([99, Buffer.alloc(0), 2], [140, stream.subarray(40)], [100, stream.subarray(0, 40)]),
    },
    {
      name: 'sent twice',
      bytes: segments([100, stream.subarray(0, 40)], [100, stream.subarray(0, 40)], [120, stream.subarray(20)]),
    },
    {
      name: 'a byte at a time',
      bytes: segments(...[...stream].map((byte, i): [number, Uint8Array] => [100 + i, Uint8Array.of(byte)])),
    },
    { name: 'with the beginning of the connection', bytes: segments([99, stream, 2]) },
    {
      name: 'over the end of the numbers',
      bytes: segments([0xfffffff0, stream.subarray(0, 16)], [0, stream.subarray(16)]),
    },
  ])('TCP: $name', ({ bytes }) => expect(short(bytes)).toEqual(['tcp a.example. A', 'tcp b.example. AAAA 1232 do']));

  it('TCP: one connection after the other, between the same ports', () =>
    expect(short(segments([100, frame(A), 0x19], [7000, frame(B)]))).toEqual([
      'tcp a.example. A',
      'tcp b.example. AAAA 1232 do',
    ]));
  it('tells of links that it does not know, and of packets that hold no IP', () => {
    const known = packet(A);
    const strange = [{ bytes: Buffer.alloc(13) }, { bytes: Buffer.alloc(60) }, { bytes: known }];
    expect(read(pcap(strange)).notes).toEqual(['2 packets are fragments or no UDP or TCP']);
    expect(() => read(pcap([{ bytes: known }], { link: 999 }))).toThrow(/999/);
  });

  it('passes over answers, other ports, fragments and what is cut off', () => {
    const answer = Buffer.from(A);
    answer[2]! |= 0x80;
    const all = pcap([
      { bytes: packet(answer) },
      { bytes: packet(A, { port: 5353 }) },
      { bytes: packet(A, { fragment: true }) },
      { bytes: packet(B) },
      { bytes: packet(A) },
    ]);
    const recording = read(all.subarray(0, all.length - 3));
    expect(recording.queries).toHaveLength(1);
    expect(recording.notes).toEqual(['1 packets are fragments or no UDP or TCP']);
    expect(short(all, 5353)).toEqual(['udp a.example. A']);
  });

  const editcap = spawnSync('sh', ['-c', 'command -v editcap']).status === 0;
  if (!editcap) console.log('test/insight/compare: editcap is not installed (Debian: tshark); its row is skipped');
  it.skipIf(!editcap).each(['pcapng', 'nsecpcap'])('what editcap makes of it: %s', (form) => {
    const [from, to] = [path.join(folder, 'from.pcap'), path.join(folder, 'to')];
    writeFileSync(
      from,
      pcap([
        { at: 5000, bytes: packet(A) },
        { at: 5250, bytes: packet(B) },
      ]),
    );
    execFileSync('editcap', ['-F', form, from, to]);
    const { queries } = readRecording(to, 53);
    expect(queries.map(({ at }) => Math.round(at))).toEqual([5000, 5250]);
  });
});

describe('dnstap', () => {
  const start = controlFrame(Control.START);
  const tap = dnstapFrame;

  it('client queries are taken, and nothing else', () =>
    expect(short(Buffer.concat([start, tap(5, A), tap(6, A), tap(3, A), tap(5, B, 2)]))).toEqual([
      'udp a.example. A',
      'tcp b.example. AAAA 1232 do',
    ]));
  it('fields that nobody knows are passed over, and time counts to the nanosecond', () => {
    const frame = dnstapFrame(5, A, 1, [
      [2, Buffer.from('\x72\x05garbage')],
      [20, 'fixed32'],
      [21, 'fixed64'],
      [9, 'fixed32'],
    ]);
    const [query] = read(Buffer.concat([start, frame])).queries;
    expect(query).toMatchObject({ at: 1_700_000_000_000 + 0x01010101 / 1e6, transport: 'udp' });
  });
  it('what is cut off is left out', () => {
    const whole = Buffer.concat([start, tap(5, A), tap(5, B)]);
    for (let cut = 1; cut < 60; cut++)
      expect(short(whole.subarray(0, whole.length - cut))).toEqual(['udp a.example. A']);
  });
  it('a frame of a gigabyte is refused', () =>
    expect(() => read(Buffer.concat([start, length(1 << 30), A]))).toThrow('got a frame of 1073741824 bytes'));
});

describe('text', () => {
  it.each([
    {
      name: 'a list',
      text: '# two\na.example A\n\nb.example. aaaa\n',
      want: ['udp a.example. A', 'udp b.example. AAAA'],
    },
    {
      name: 'a log',
      text:
        '[INFO] plugin/reload: Running configuration\n' +
        '[INFO] 10.0.0.7:40212 - 29008 "A IN a.example. udp 41 false 512" NOERROR qr,rd,ra 106 0.001315872s\n' +
        '[INFO] [fd00::7]:40212 - 1 "AAAA IN b.example. tcp 41 true 65535" - - 0 0.001s\n',
      want: ['udp a.example. A', 'tcp b.example. AAAA 65535 do'],
    },
    {
      name: 'a log with what kubectl puts before it',
      text: '[pod/coredns-1/coredns] [INFO] 10.0.0.7:1 - 2 "PTR IN 1.0.0.10.in-addr.arpa. udp 41 false 1232" NOERROR qr 106 0.1s\n',
      want: ['udp 1.0.0.10.in-addr.arpa. PTR 1232'],
    },
    {
      name: 'a log as JSON',
      text: '{"level":"info","msg":"10.0.0.7:40212 - 29008 \\"A IN a.example. udp 41 false 512\\" NOERROR qr 106 0.1s"}\n',
      want: ['udp a.example. A'],
    },
    {
      name: 'a log with fields',
      text: '{"name":"a.example.","type":"MX","proto":"tcp","do":true}\n',
      want: ['tcp a.example. MX 512 do'],
    },
  ])('$name', ({ text, want }) => expect(short(text)).toEqual(want));

  it.each([
    {
      name: 'a line that is none',
      text: 'a.example A\nb.example\n',
      want: /\/\d+:2: got 'b.example', allowed: a name and a type/,
    },
    { name: 'a type that there is not', text: 'a.example AA\n', want: /:1: got 'a.example AA'/ },
    { name: 'a name that is none', text: 'a..example A\n', want: /:1: got 'a\.\.example A'/ },
    {
      name: 'a long line, of which the beginning is shown',
      text: `${'x'.repeat(100)}\n`,
      want: /got 'x{80}', allowed/,
    },
    { name: 'JSON without a type', text: '{"name":"a.example."}\n', want: /got '\{"name":"a\.example\."\}', allowed/ },
    { name: 'JSON without a name', text: '{"type":"A"}\n', want: /got '\{"type":"A"\}', allowed/ },
    { name: 'a zero at the beginning', text: '\0a.example A\n', want: /got bytes that are no recording/ },
    { name: 'a zero in the first 4 KiB', text: `${'#'.repeat(4095)}\0\n`, want: /got bytes that are no recording/ },
    { name: 'nothing', text: '# nothing\n', want: /got no query \(list\), allowed: at least one/ },
    { name: 'other bytes', text: 'PK\x03\x04\0\0', want: /got bytes that are no recording/ },
  ])('$name is refused', ({ text, want }) => expect(() => read(text)).toThrow(want));

  it('what is refused is a fault of who called, as another flag would be', () => {
    let refused: unknown;
    try {
      read('a.example\n');
    } catch (error) {
      refused = error;
    }
    expect(refused).toMatchObject({ exitCode: 2, place: { line: 1 } });
  });

  const LOGGED = '[INFO] 10.0.0.7:1 - 2 "A IN a.example. udp 41 false 512" NOERROR qr 106 0.1s';
  it.each([
    { before: 199, want: 'log' },
    { before: 200, want: undefined },
  ])('is a log where one of the first 200 lines is: behind $before others', ({ before, want }) => {
    const text = `${'# starting\n'.repeat(before)}${LOGGED}\n`;
    if (want === undefined) expect(() => read(text)).toThrow(/:201: got/);
    else expect(read(text)).toMatchObject({ form: want, queries: [{}] });
  });
});

it('a query of a list asks for recursion', () => {
  const { queries } = read('a.example A\n');
  expect(decodeMessage(queries[0]!.bytes)).toMatchObject({ flags: 0x0100, rcode: 0, edns: undefined });
  // A list has no times.
  expect(queries[0]!.at).toBe(0);
  const logged = read('{"name":"a.example.","type":"A","bufsize":1232}\n').queries[0]!;
  expect(decodeMessage(logged.bytes).edns).toEqual({ udpSize: 1232, version: 0, do: false, options: [] });
});
