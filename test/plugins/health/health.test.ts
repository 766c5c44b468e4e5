import http from 'node:http';
import { duplexPair } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { HttpRoute } from '../../../src/chain/index.js';
import type { Endpoint, Network } from '../../../src/net/network.js';
import { health } from '../../../src/plugins/health/setup.js';
import { setup, type TestBlock, httpRequest } from '../../support/block.js';

/** What a network does with a connection to the endpoint. */
type Behaviour = 'answers' | 'refuses' | 'is silent' | 'hangs up';

/** A network without sockets: connections lead to an HTTP server in this process. */
class MemoryNetwork implements Network {
  readonly asked: { to: Endpoint; path?: string }[] = [];
  open = 0;
  behaviour: Behaviour = 'answers';
  private readonly server = http.createServer((request, response) => {
    this.asked.at(-1)!.path = request.url!;
    this.beforeAnswer();
    response.end('OK');
  });
  beforeAnswer = (): void => undefined;

  connectTcp = (to: Endpoint): ReturnType<Network['connectTcp']> => {
    this.asked.push({ to });
    if (this.behaviour === 'refuses') return Promise.reject(new Error('connect ECONNREFUSED'));
    const [near, far] = duplexPair();
    this.open++;
    near.once('close', () => this.open--);
    if (this.behaviour === 'answers') this.server.emit('connection', far);
    if (this.behaviour === 'hangs up') far.end();
    far.on('error', () => undefined);
    return Promise.resolve({ stream: near, local: { address: '127.0.0.1', port: 40000 }, remote: to });
  };

  bindUdp = (): never => this.never();
  connectUdp = (): never => this.never();
  listenTcp = (): never => this.never();
  interfaces = (): never => this.never();
  private never(): never {
    throw new Error('health only connects');
  }
}

const blocks: TestBlock[] = [];
function started(text: string): { block: TestBlock; network: MemoryNetwork; route: HttpRoute } {
  const network = new MemoryNetwork();
  const { block } = setup(health, text, { network });
  blocks.push(block);
  return { block, network, route: block.routes[0]! };
}
afterEach(async () => {
  for (const block of blocks.splice(0)) await block.run('stop');
});

/** The number of self checks, failed ones, and the sum of their seconds. */
async function measured(block: TestBlock): Promise<Record<string, number>> {
  const lines = (await block.metrics.text())
    .split('\n')
    .filter((line) => /^coredns_health_request_(failures_total|duration_seconds_(count|sum))/.test(line));
  return Object.fromEntries(lines.map((line) => [/_(failures|count|sum)/.exec(line)![1], Number(line.split(' ')[1])]));
}
const until = (count: number, block: TestBlock): Promise<unknown> =>
  vi.waitFor(async () => expect(await measured(block)).toMatchObject({ count }), { interval: 2, timeout: 2000 });

describe('health', () => {
  it.each([
    { name: 'by itself', text: 'health', address: '', port: 8080 },
    { name: 'on all addresses', text: 'health :8081', address: '', port: 8081 },
    { name: 'at an address', text: 'health 169.254.20.10:8080', address: '169.254.20.10', port: 8080 },
    { name: 'at localhost', text: 'health localhost:8091', address: '127.0.0.1', port: 8091 },
  ])('answers OK $name', async ({ text, address, port }) => {
    const { block } = started(text);
    expect(block.routes).toMatchObject([{ address, port, path: '/health', owner: 'health' }]);
    expect(await block.routes[0]!.answer(httpRequest())).toEqual({ status: 200, body: 'OK' });
    expect(block.chain).toEqual([]);
  });

  it.each([
    { name: 'all addresses', text: 'health', to: { address: '127.0.0.1', port: 8080 } },
    { name: 'all IPv4 addresses', text: 'health 0.0.0.0:80', to: { address: '127.0.0.1', port: 80 } },
    { name: 'all IPv6 addresses', text: 'health [::]:80', to: { address: '::1', port: 80 } },
    { name: 'one address', text: 'health 10.0.0.1:80', to: { address: '10.0.0.1', port: 80 } },
  ])('asks itself once a second, listening on $name', async ({ text, to }) => {
    const { block, network } = started(text);
    expect(await measured(block)).toEqual({ count: 0, sum: 0, failures: 0 });
    await block.run('serving');
    block.clock.advance(999);
    expect(network.asked).toEqual([]);
    block.clock.advance(1);
    await until(1, block);
    block.clock.advance(1000);
    await until(2, block);
    expect(network.asked).toEqual([
      { to, path: '/health' },
      { to, path: '/health' },
    ]);
    expect(block.log.lines).toEqual([]);
    await vi.waitFor(() => expect(network.open).toBe(0));
  });

  it('asks at the port that was opened', async () => {
    const { block, network, route } = started('health 127.0.0.1:0');
    route.listening!(45678);
    await block.run('serving');
    block.clock.advance(1000);
    await until(1, block);
    expect(network.asked[0]!.to).toEqual({ address: '127.0.0.1', port: 45678 });
  });

  it.each([
    { name: 'refused', behaviour: 'refuses', elapse: 0, says: 'failed: connect ECONNREFUSED', failures: 1, sum: 0 },
    { name: 'cut off', behaviour: 'hangs up', elapse: 0, says: 'failed: socket hang up', failures: 1, sum: 0 },
    {
      name: 'never answered',
      behaviour: 'is silent',
      elapse: 3000,
      says: 'failed: no answer within 3s',
      failures: 1,
      sum: 3,
    },
  ] as const)('warns of a check that is $name', async ({ behaviour, elapse, says, failures, sum }) => {
    const { block, network } = started('health :8080');
    network.behaviour = behaviour;
    await block.run('serving');
    await block.clock.advanceAsync(1000);
    await block.clock.advanceAsync(elapse);
    await until(1, block);
    expect(block.log.lines).toEqual([
      `[WARNING] plugin/health: Local health request to "http://127.0.0.1:8080/health" ${says}`,
    ]);
    expect(await measured(block)).toEqual({ count: 1, sum, failures });
    await vi.waitFor(() => expect(network.open).toBe(0));
  });

  it('warns of a check that is slow', async () => {
    const { block, network } = started('health :8080');
    network.beforeAnswer = () => block.clock.advance(1500);
    await block.run('serving');
    block.clock.advance(1000);
    await until(1, block);
    expect(block.log.lines).toEqual([
      '[WARNING] plugin/health: Local health request to "http://127.0.0.1:8080/health" took more than 1s: 1.5s',
    ]);
    expect(await measured(block)).toEqual({ count: 1, sum: 1.5, failures: 0 });
  });

  it('looks no more once it has stopped', async () => {
    const { block } = started('health :8080');
    await block.run('serving');
    await block.run('stop');
    expect(block.clock.pending).toBe(0);
  });

  it('goes on after a failure, and ends without a word', async () => {
    const { block, network } = started('health :8080');
    network.behaviour = 'refuses';
    await block.run('serving');
    block.clock.advance(1000);
    await until(1, block);
    network.behaviour = 'is silent';
    block.clock.advance(1000);
    await vi.waitFor(() => expect(network.open).toBe(1));
    await block.run('stop');
    await vi.waitFor(() => expect(network.open).toBe(0));
    await vi.waitFor(() => expect(block.clock.pending).toBe(0));
    expect(await measured(block)).toEqual({ count: 1, sum: 0, failures: 1 });
    expect(block.log.lines).toHaveLength(1);
  });

  it.each([
    { name: 'address and time', text: 'health :8081 {\n lameduck 1s\n}\nhealth :8080 {\n lameduck 5s\n}' },
    { name: 'each by itself', text: 'health :8080\nhealth {\n lameduck 5s\n}' },
  ])('of several the last one counts: $name', ({ text }) => {
    const { block } = started(text);
    expect(block.routes.map(({ port }) => port)).toEqual([8080]);
    void block.run('shutdown');
    expect(block.log.lines).toEqual(['[INFO] plugin/health: Going into lameduck mode for 5s']);
  });

  it('delays the end of the process by the lameduck time', async () => {
    const { block } = started('health :8080 {\n lameduck 5s\n}');
    let ended = false;
    const end = block.run('shutdown').then(() => (ended = true));
    expect(block.log.lines).toEqual(['[INFO] plugin/health: Going into lameduck mode for 5s']);
    await block.clock.advanceAsync(4999);
    expect(ended).toBe(false);
    await block.clock.advanceAsync(1);
    await end;
  });

  it.each([
    { name: 'without lameduck', text: 'health' },
    { name: 'with none', text: 'health {\n lameduck 0s\n}' },
  ])('ends at once $name', async ({ text }) => {
    const { block } = started(text);
    await block.run('shutdown');
    expect(block.log.lines).toEqual([]);
  });

  it.each([
    {
      name: 'an address with too many colons',
      text: 'health abc:def:ghi',
      error: "Corefile:2: health: address: got 'abc:def:ghi', allowed: HOST:PORT",
    },
    {
      name: 'an address without port',
      text: 'health bla',
      error: "Corefile:2: health: address: got 'bla', allowed: HOST:PORT",
    },
    { name: 'a bad port', text: 'health :http', error: "Corefile:2: health: address: got ':http', allowed: HOST:PORT" },
    {
      name: 'a host name',
      text: 'health bla:80',
      error:
        "Corefile:2: health: address: got 'bla:80', allowed: IP:PORT, [IPV6]:PORT, localhost:PORT, or :PORT for all addresses",
    },
    {
      name: 'two addresses',
      text: 'health :1 :2',
      error: "Corefile:2: health: got 2 arguments (':1' ':2'), allowed: 0 to 1 arguments; usage: health [ADDRESS]",
    },
    {
      name: 'an unknown option',
      text: 'health {\n lamedudk 4s\n}',
      error: "Corefile:3: health: unknown option 'lamedudk'; allowed: lameduck; did you mean",
    },
    {
      name: 'lameduck without a duration',
      text: 'health {\n lameduck\n}',
      error: 'Corefile:3: health: lameduck: got no argument, allowed: 1 argument; usage: lameduck DURATION',
    },
    {
      name: 'a duration without unit',
      text: 'health {\n lameduck 5\n}',
      error: "Corefile:3: health: lameduck: got '5', allowed: a duration such as 30s, 250ms or 1h30m, at least 0s",
    },
    {
      name: 'a negative duration',
      text: 'health {\n lameduck -5s\n}',
      error: "Corefile:3: health: lameduck: got '-5s', allowed: a duration",
    },
    {
      name: 'a block behind lameduck',
      text: 'health {\n lameduck 5s {\n }\n}',
      error: 'Corefile:3: health: lameduck: got a block in { }, allowed: none',
    },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(health, text)).toThrow(error);
  });
});
