import { watchHandlers, type AttemptNote } from '../../chain/index.js';
import { exchangeOnce } from '../../exchange/index.js';
import { sleep, type Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Network } from '../../net/network.js';
import type { Server } from '../../server/server.js';
import { Type, encodeMessage, isName, type Name } from '../../wire/index.js';
import type { Story, TcpFinding } from './story.js';

/** An upstream is asked over TCP for so long, and a probe for a loop has so long to come back. */
const PATIENCE: Milliseconds = 1000;
/** Upstreams that are looked at for one query. */
const MOST_UPSTREAMS = 4;

/** With what one finds out about upstreams: the server's own network, so that ways are the same. */
export interface ProbeWays {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * What can be found out about why a query came to nothing: asks upstreams over TCP that were silent over UDP, and sends
 * a probe through the chain that nobody else asks for. Takes 1 s at most; for a query that was answered, no time.
 */
export async function findOut(
  server: Pick<Server, 'inspect'>,
  story: Story,
  name: Name,
  around: ProbeWays,
): Promise<Pick<Story, 'upstreams' | 'loops'>> {
  if (story.result !== undefined && story.result !== 'SERVFAIL') return {};
  const silent = story.notes.filter(
    (note): note is AttemptNote => note.kind === 'attempt' && note.result === 'timeout',
  );
  const hidden = story.notes.some(
    (note) => note.kind === 'reason' && (note.reason === 'joined' || note.reason === 'remembered'),
  );
  if (silent.length === 0 && !hidden) return {};
  const places = [
    ...new Set(silent.filter(({ protocol }) => protocol === 'udp' || protocol === 'tcp').map(({ to }) => to)),
  ].slice(0, MOST_UPSTREAMS);
  const [loops, states] = await Promise.all([
    comesBack(server, name, around),
    Promise.all(places.map(async (place) => [place, await stateOf(place, name, around)] as const)),
  ]);
  return { loops, upstreams: Object.fromEntries(states) };
}

/** Whether a probe that the chain sends upstream is asked of this server again. */
async function comesBack(server: Pick<Server, 'inspect'>, name: Name, { clock, random }: ProbeWays): Promise<boolean> {
  const prefix = `${random.uint32()}-${random.uint32()}-loop.`;
  const probe = isName(prefix + name) ? prefix + name : prefix;
  let back = (_seen: boolean): void => undefined;
  const seen = new Promise<boolean>((resolve) => (back = resolve));
  const end = watchHandlers(({ phase, query }) => {
    if (phase === 'enter' && !query.context.inspects && query.name.startsWith(prefix)) back(true);
  });
  const given = new AbortController();
  const asked = server.inspect({ name: probe, type: Type.HINFO }).then(() => false);
  const late = sleep(clock, PATIENCE, given.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([seen, asked, late]);
  } finally {
    given.abort(new Error('settled'));
    end();
  }
}

/** How an upstream takes the same question over TCP. */
async function stateOf(place: string, name: Name, { network, clock, random }: ProbeWays): Promise<TcpFinding> {
  const [, address = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(place) ?? [];
  const message = encodeMessage({
    id: 0,
    flags: 0x100,
    rcode: 0,
    question: [{ name, type: Type.A, class: 1 }],
    answer: [],
    authority: [],
    additional: [],
  });
  try {
    const to = { address, port: Number(port) };
    await exchangeOnce(network, clock, random, message, to, { transport: 'tcp', timeoutMs: PATIENCE });
    return 'answers';
  } catch (error) {
    const text = (error as Error).message;
    if (!text.startsWith('dial ')) return 'hangs';
    return text.endsWith('connection refused') ? 'refuses' : 'away';
  }
}
