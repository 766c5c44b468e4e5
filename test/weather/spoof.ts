import { randomBelow, seededRandom } from '../../src/lib/random.js';
import { askAll, type Answers } from './client.js';
import { FarUpstream, answerTo } from './far-upstream.js';
import type { Figure, Scale, Weather } from './row.js';
import { WeatherServer } from './server.js';

const UPSTREAM = 5307;
/** Last byte of the address that only forged replies have. */
const FORGED = 66;
const SEED = 20_262;
/** Queries that the forger aims at: the latest ones at ports that it knows. */
const AIMED_AT = 64;
/** Sent at a time: the upstream is in the same process. */
const AT_ONCE = 100;
/** A port is known to others when so many queries have come from it: who sees each as it goes sees its id too. */
const USES = 3;

const isGenuine = (answer: Buffer): boolean => (answer[3]! & 0x0f) === 0 && answer.at(-1) === 1;
const isTaken = (answer: Buffer): boolean => answer.at(-1) === FORGED;

/** Sends replies with guessed ids from the upstream's own address to ports that it knows. */
export class Forger {
  sent = 0;
  /** Queries that had come when the first forged reply was sent. */
  known = 0;
  private readonly random = seededRandom(SEED);
  private readonly uses = new Map<number, number>();
  private seen = 0;
  private readonly targets: { query: Buffer; send: (reply: Buffer) => void }[] = [];

  /**
   * @param each forged replies for each query that comes
   * @param from queries that are awaited first, and then aimed at
   */
  constructor(
    private readonly each: number,
    private readonly from = 0,
  ) {}

  readonly meddle = (query: Buffer, port: number, send: (reply: Buffer) => void): void => {
    const uses = (this.uses.get(port) ?? 0) + 1;
    this.uses.set(port, uses);
    this.seen++;
    if (uses < USES) return;
    this.targets.push({ query, send });
    if (this.targets.length > Math.max(AIMED_AT, this.from)) this.targets.shift();
    if (this.seen < this.from) return;
    if (this.sent > 0) return this.forge(this.each);
    this.known = this.targets.length;
    this.forge(this.each * Math.max(1, this.from));
  };

  private forge(count: number): void {
    const now = Math.min(count, AT_ONCE);
    for (let i = 0; i < now; i++) {
      const target = this.targets[randomBelow(this.random, this.targets.length)]!;
      const reply = answerTo(target.query, FORGED);
      reply.writeUInt16BE(randomBelow(this.random, 0x10000), 0);
      target.send(reply);
      this.sent++;
    }
    if (count > now) setImmediate(() => this.forge(count - now));
  }
}

async function under(forger: Forger, upstream: FarUpstream, zone: string, count: number, rate: number) {
  upstream.meddle = forger.meddle;
  upstream.ports.clear();
  const names = Array.from({ length: count }, (_, i) => `n${i}.${zone}.`);
  let taken = 0;
  const isRight = (answer: Buffer): boolean => {
    if (isTaken(answer)) taken++;
    return isGenuine(answer);
  };
  const answers: Answers = await askAll({ port: 1053, names, rate, isRight });
  return { ...answers, taken, ports: upstream.ports.size };
}

/**
 * Somebody answers before the upstream does, from its address, to ports that are known, with guessed ids. A run lasts
 * less than a minute, so one guess of all counts: one in 65,536 runs ends with a forged reply that was taken, where
 * nothing is wrong (`UdpPool`). It is two where the first minute is over before the row is.
 */
export const spoof: Weather = {
  name: 'spoof',
  needs: [],
  async play(scale: Scale): Promise<Figure[]> {
    const full = scale === 'full';
    const upstream = await FarUpstream.start(UPSTREAM, 30);
    const server = await WeatherServer.start(
      `.:1053 {\n bind 127.0.0.1\n cache\n forward . 127.0.0.1:${UPSTREAM}\n}\n`,
    );
    try {
      // An upstream that has never answered is given up sooner.
      await under(new Forger(0), upstream, 'first.test', 20, 200);
      // All of them are in flight, at ports that are shared, when it begins.
      upstream.away = 400;
      const forger = new Forger(full ? 10 : 2, 1900);
      const crowd = await under(forger, upstream, 'crowd.test', 2000, 8000);
      upstream.away = 30;
      const one = await under(new Forger(20), upstream, 'one.test', 100, 100);
      const { sent, known } = forger;
      return [
        { what: 'forged replies: right of 100', got: one.right, unit: '', atLeast: 100 },
        { what: 'forged replies: source ports of 100', got: one.ports, unit: '', atLeast: 95 },
        { what: 'of 2,000 in flight at known ports', got: known, unit: '', atLeast: 1800, timed: true },
        { what: `these, ${sent} forged replies: taken`, got: crowd.taken, unit: '', atMost: 0 },
        { what: 'these: lost or failed', got: crowd.lost + crowd.wrong, unit: '', atMost: 0, timed: true },
      ];
    } finally {
      await server.stop();
      await upstream.stop();
    }
  },
};
