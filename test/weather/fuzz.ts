import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { randomBelow, seededRandom, type Random } from '../../src/lib/random.js';
import { frame } from '../../src/wire/index.js';
import { askAll, queryFor } from './client.js';
import { FarUpstream } from './far-upstream.js';
import type { Figure, Scale, Weather } from './row.js';
import { WeatherServer } from './server.js';

const UPSTREAM = 5303;
const SEED = 20_261;
/** Datagrams sent before others have their turn. */
const BURST = 50;

const CERTIFICATES = path.resolve(import.meta.dirname, '../exchange/certificates');
const TLS_PORT = 1853;

const COREFILE = `tls://.:${TLS_PORT} {
 bind 127.0.0.1
 tls ${CERTIFICATES}/server.pem ${CERTIFICATES}/server.key
 whoami
}
.:1053 {
 bind 127.0.0.1
 errors
 cache 30
 rewrite name suffix .old.test .test
 template IN TXT txt.test {
 answer "{{ .Name }} 60 IN TXT {{ .Question.Name }}"
 }
 hosts {
 192.0.2.1 hello.nodens.test
 fallthrough
 }
 forward . 127.0.0.1:${UPSTREAM}
}
`;

/** Hostile messages: parts that are right each, put together so that the whole often is not. */
export class Grammar {
  constructor(private readonly random: Random) {}

  message(): Buffer {
    const kind = this.below(10);
    if (kind === 0) return this.bytes(this.below(80));
    const parts = [this.header(), this.question(), ...Array.from({ length: this.below(4) }, () => this.record())];
    const message = Buffer.concat(parts);
    if (kind < 3) for (let i = this.below(6); i >= 0; i--) message[this.below(message.length)] = this.below(256);
    if (kind === 3) return message.subarray(0, this.below(message.length));
    if (kind === 4) return Buffer.concat([message, this.bytes(this.below(600))]);
    return message;
  }

  private header(): Buffer {
    const header = Buffer.alloc(12);
    header.writeUInt16BE(this.below(0x10000), 0);
    header.writeUInt16BE(this.pick([0x100, 0x100, 0x100, 0x110, 0x120, 0, 0x8180, 0x2400, 0x2800, 0xffff]), 2);
    header.writeUInt16BE(this.pick([1, 1, 1, 1, 0, 2, 0xffff]), 4);
    for (const at of [6, 8, 10]) header.writeUInt16BE(this.pick([0, 0, 0, 1, 1, 2, 0xffff]), at);
    return header;
  }

  private question(): Buffer {
    const rest = Buffer.alloc(4);
    rest.writeUInt16BE(this.pick([1, 28, 16, 255, 6, 251, 252, 41, 250, 0, this.below(0x10000)]), 0);
    rest.writeUInt16BE(this.pick([1, 1, 1, 3, 4, 254, 255, this.below(0x10000)]), 2);
    return Buffer.concat([this.name(), rest]);
  }

  private record(): Buffer {
    const fixed = Buffer.alloc(10);
    const data = this.bytes(this.below(24));
    fixed.writeUInt16BE(this.pick([41, 41, 41, 1, 6, 250, 24, this.below(0x10000)]), 0);
    fixed.writeUInt16BE(this.pick([1, 512, 4096, 0, 0xffff]), 2);
    fixed.writeUInt32BE(this.pick([0, 0x8000, 0x10000, 0xffffffff]), 4);
    fixed.writeUInt16BE(this.pick([data.length, data.length, 0, 0xffff]), 8);
    return Buffer.concat([this.below(3) === 0 ? this.name() : Buffer.alloc(1), fixed, data]);
  }

  private name(): Buffer {
    const parts: Buffer[] = [];
    for (let i = this.below(6); i > 0; i--) {
      const label = this.pick([
        this.bytes(1 + this.below(63)),
        Buffer.from('txt'),
        Buffer.from('old'),
        Buffer.from('test'),
      ]);
      parts.push(Buffer.of(label.length), label);
    }
    // An end, a pointer to somewhere, a length that there is none of.
    parts.push(this.pick([Buffer.of(0), Buffer.of(0), Buffer.of(0), Buffer.of(0xc0, this.below(40)), Buffer.of(0x80)]));
    return Buffer.concat(parts);
  }

  private bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  private below(bound: number): number {
    return randomBelow(this.random, bound);
  }
}

export async function overUdp(grammar: Grammar, count: number): Promise<void> {
  const socket = dgram.createSocket('udp4');
  socket.on('error', () => undefined);
  for (let sent = 0; sent < count; sent += BURST) {
    for (let i = 0; i < BURST; i++) socket.send(grammar.message(), 1053, '127.0.0.1');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  socket.close();
}

/** A connection for each burst: what breaks the frames ends it. */
export async function overTcp(grammar: Grammar, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += BURST) {
    const socket = net.connect(1053, '127.0.0.1');
    const gone = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined).resume();
    for (let i = 0; i < BURST; i++) socket.write(frame(grammar.message()));
    setTimeout(() => socket.destroy(), 20);
    await gone;
  }
}

/** By turns in the clear, where a handshake is expected, and after one. */
async function overTls(grammar: Grammar, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += BURST) {
    const secured = (sent / BURST) % 2 === 0;
    const socket = secured
      ? tls.connect({ port: TLS_PORT, host: '127.0.0.1', rejectUnauthorized: false })
      : net.connect(TLS_PORT, '127.0.0.1');
    const gone = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined).resume();
    await Promise.race([once(socket, secured ? 'secureConnect' : 'connect').catch(() => undefined), gone]);
    for (let i = 0; i < BURST; i++) socket.write(frame(grammar.message()));
    setTimeout(() => socket.destroy(), 20);
    await gone;
  }
}

/** Right for `hello.nodens.test. A`: its own question, and the one address. */
export const isHello = (answer: Buffer, name: string): boolean =>
  (answer[3]! & 0x0f) === 0 &&
  answer.readUInt16BE(6) === 1 &&
  answer.subarray(12).indexOf(queryFor(name).subarray(12, -4)) === 0 &&
  answer.includes(Buffer.from([192, 0, 2, 1]));

/** Hostile packets from a seeded grammar, over UDP, TCP and TLS, while somebody asks as one should. */
export const fuzz: Weather = {
  name: 'fuzz',
  needs: [],
  async play(scale: Scale): Promise<Figure[]> {
    const packets = scale === 'full' ? 1_000_000 : 30_000;
    const upstream = await FarUpstream.start(UPSTREAM, 0);
    const server = await WeatherServer.start(COREFILE);
    try {
      const grammar = new Grammar(seededRandom(SEED));
      let over = false;
      const attack = Promise.all([
        overUdp(grammar, packets * 0.85),
        overTcp(grammar, packets * 0.1),
        overTls(grammar, packets * 0.05),
      ]).then(() => (over = true));
      const totals = { asked: 0, wrong: 0, lost: 0 };
      while (!over) {
        const told = await askAll({
          port: 1053,
          names: new Array<string>(100).fill('hello.nodens.test.'),
          rate: 100,
          patience: 2000,
          isRight: isHello,
        });
        totals.asked += told.asked;
        totals.wrong += told.wrong;
        totals.lost += told.lost;
      }
      await attack;
      const { text, child } = server.program;
      return [
        {
          what: `${packets} hostile packets: wrong or foreign answers of ${totals.asked}`,
          got: totals.wrong,
          unit: '',
          atMost: 0,
        },
        { what: 'lost in the crowd', got: totals.lost, unit: '' },
        { what: 'crashes', got: child.exitCode === null && child.signalCode === null ? 0 : 1, unit: '', atMost: 0 },
        {
          what: 'panics and stacks in the log',
          got: [...text.matchAll(/panic|uncaught|unhandled|^\s+at /gm)].length,
          unit: '',
          atMost: 0,
        },
      ];
    } finally {
      await server.stop();
      await upstream.stop();
    }
  },
};
