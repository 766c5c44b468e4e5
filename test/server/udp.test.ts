import { beforeEach, describe, expect, it } from 'vitest';
import { Reply, ReplyLease, type Handler } from '../../src/chain/index.js';
import { SharedAnswerCache } from '../../src/fastpath/shared-answer-cache.js';
import type { UdpWorkerPool } from '../../src/fastpath/udp-worker-pool.js';
import { ManualClock } from '../../src/lib/clock.js';
import type { OnDatagram } from '../../src/net/network.js';
import { Chain, type Routes } from '../../src/server/routes.js';
import { PlainUdp, SharedUdp } from '../../src/server/udp.js';
import { Flag, Rcode, encodeRecords } from '../../src/wire/index.js';
import { SERVER, query, rrs } from '../support/dns.js';
import { LoopbackNetwork } from '../support/loopback-network.js';
import { noRoutes, strictResponder } from '../support/routes.js';
import { table } from '../support/shared-answer.js';

const AT = { address: '127.0.0.1', port: 53 };
const FROM = { address: '127.0.0.1', port: 4000 };
const www = query('www.example.org.').bytes;

const clock = new ManualClock(1_000_000);
/** What may be given again. */
let shared: SharedAnswerCache;
/** Answers that went out. */
let sent: number;
/** Lets the handler answer. */
let answer: () => void;

/** Routes to a handler that answers, with a lease, when it is told to. */
function routes(...before: readonly Partial<Handler>[]): Routes {
  const made = noRoutes();
  const records = encodeRecords({ answer: rrs('www.example.org. 30 IN A 192.0.2.1'), authority: [], additional: [] });
  const reply = Reply.ofRecords(Flag.AA, Rcode.NOERROR, records, undefined, undefined, new ReplyLease(Infinity));
  const handle = (): Promise<Reply> => new Promise((resolve) => (answer = () => resolve(reply)));
  const handlers = [...before, { dependsOn: 'question' }].map(
    (declared): Handler => ({ name: 'handler', handle, ...declared }) as Handler,
  );
  made.add('.', new Chain(handle, handlers));
  return made;
}

/** Listens with threads that hand over what the returned function is called with. */
async function listening(served: { server: typeof SERVER; routes: Routes }): Promise<() => void> {
  let hand!: OnDatagram;
  const bindUdp: UdpWorkerPool['bindUdp'] = (local, _server, onDatagram) => {
    hand = onDatagram;
    return {
      local,
      serving: Promise.resolve(),
      send: () => void sent++,
      pause: () => Promise.resolve(),
      close: () => undefined,
    };
  };
  const responder = strictResponder(clock);
  const pool = { bindUdp, stopped: false } as UdpWorkerPool;
  const plain = new PlainUdp(new LoopbackNetwork(0), clock, responder);
  await new SharedUdp(pool, shared, clock, responder, plain).listen(AT, served);
  return () => hand(Buffer.from(www), FROM);
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  shared = new SharedAnswerCache(table(8), clock);
  sent = 0;
});

describe('an answer that went out to one client', () => {
  it('is given to others by the threads', async () => {
    (await listening({ server: SERVER, routes: routes() }))();
    answer();
    await settled();
    expect([sent, shared.size]).toEqual([1, 1]);
  });

  it.each([
    { name: 'a handler wants every query', before: { dependsOn: 'query' } },
    { name: 'a handler wants queries like this one', before: { dependsOn: 'question', seesEach: () => true } },
    { name: 'a handler does not say what it wants', before: {} },
  ] satisfies { name: string; before: Partial<Handler> }[])('is its own where $name', async ({ before }) => {
    (await listening({ server: SERVER, routes: routes(before) }))();
    answer();
    await settled();
    expect([sent, shared.size]).toEqual([1, 0]);
  });

  it('is its own where another configuration serves meanwhile', async () => {
    const served = { server: SERVER, routes: routes() };
    (await listening(served))();
    served.routes = routes();
    answer();
    await settled();
    expect([sent, shared.size]).toEqual([1, 0]);
  });
});
