import { beforeEach, describe, expect, it } from 'vitest';
import { DROP, definePlugin, type ServerAddress } from '../../src/chain/index.js';
import { bannerLines } from '../../src/server/banner.js';
import { PLUGINS } from '../../src/server/directives.js';
import { Chain, type Routes } from '../../src/server/routes.js';
import { Server } from '../../src/server/server.js';
import type { Plugin } from '../../src/plugin-api/contract.js';
import { decodeMessage } from '../../src/wire/index.js';
import { TestLog } from '../support/block.js';
import { SERVER, query } from '../support/dns.js';
import { FakeNetwork } from '../support/fake-network.js';
import { noRoutes } from '../support/routes.js';

const CLIENT = { address: '127.0.0.9', port: 4000 };
const HERE = '127.0.0.1';

let network: FakeNetwork;
let corefile: string;
let log: TestLog;
/** What happened, in order: plugins that ended, answers that came. */
let events: string[];

beforeEach(() => {
  network = new FakeNetwork();
  log = new TestLog();
  events = [];
});

/** Answers after a second, and says when its configuration ends. `slow NAME` names it. */
const slow: Plugin = {
  name: 'slow',
  api: 1,
  options: { called: { type: 'text', argument: true, required: true } },
  setup(block, options) {
    block.onStop(() => void events.push(`${String(options.called)} ended`));
    return async () => {
      await new Promise<void>((resolve) => void network.clock.setTimeout(resolve, 1000));
      return { rcode: 'NOERROR' };
    };
  },
};

async function started(text: string): Promise<Server> {
  corefile = text;
  const server = await Server.create({
    corefile: { name: 'Corefile', read: () => corefile },
    external: [slow],
    network,
    clock: network.clock,
    log,
  });
  await server.listen();
  return server;
}

const block = (port: number, ...lines: readonly string[]): string =>
  `.:${port} {\n    bind ${HERE}\n${lines.map((line) => `    ${line}\n`).join('')}}\n`;

/** Asks over UDP; the answer is an event when the server sends it. */
async function ask(port: number): Promise<void> {
  const bytes = Buffer.from(query('www.example.org.').bytes);
  network.fate = ({ from, bytes }) => {
    if (from.port === port) events.push(`answer ${decodeMessage(bytes).rcode}`);
    return [1];
  };
  const socket = await network.bindUdp(CLIENT, () => undefined);
  socket.send(bytes, bytes.length, { address: HERE, port });
  await network.clock.advanceAsync(5);
}

/** Tries another Corefile; whether it was taken. */
async function reload(server: Server, text: string): Promise<boolean> {
  corefile = text;
  const taken = server.reload();
  await network.clock.advanceAsync(20);
  return taken;
}

describe('the order of plugins', () => {
  // Of plugin.cfg of CoreDNS 1.14.7, without those that handle no query (tls, https, sign).
  const ORDER = `root metadata geoip cancel timeouts multisocket reload nsid bufsize bind debug trace ready health pprof
    shed prometheus errors log dnstap local dns64 any chaos loadbalance tsig rewrite autopath acl cache header dnssec
    minimal template transfer hosts k8s_external kubernetes file auto secondary etcd loop forward grpc erratic whoami on
    view nomad`.split(/\s+/);

  it('is that of CoreDNS', () => {
    const names = PLUGINS.map(({ name }) => name).filter((name) => ORDER.includes(name));
    expect(names).toEqual(ORDER.filter((name) => names.includes(name)));
    expect(names.length).toBeGreaterThan(40);
  });
});

describe('a reload that fails', () => {
  it('at the second of two new addresses gives the first one back', async () => {
    const server = await started(block(53, 'slow first'));
    const other = await network.listenTcp({ address: HERE, port: 55 }, () => undefined);
    const wanted = block(53, 'slow second') + block(54, 'slow second') + block(55, 'slow second');
    expect(await reload(server, wanted)).toBe(false);
    expect(network.taken).toEqual(['tcp 53', 'tcp 55', 'udp 53']);
    other.close();
    expect(await reload(server, wanted)).toBe(true);
    expect(network.taken).toEqual(['tcp 53', 'tcp 54', 'tcp 55', 'udp 53', 'udp 54', 'udp 55']);
    await server.stop();
  });

  it('because a port is taken for UDP does not keep it for TCP', async () => {
    const server = await started(block(53, 'slow first'));
    await network.bindUdp({ address: HERE, port: 54 }, () => undefined);
    expect(await reload(server, block(54, 'slow second'))).toBe(false);
    expect(network.taken).toEqual(['tcp 53', 'udp 53', 'udp 54']);
    await server.stop();
  });

  it('gives its HTTP addresses back', async () => {
    const server = await started(block(53, 'slow first'));
    await network.bindUdp({ address: HERE, port: 54 }, () => undefined);
    expect(await reload(server, block(54, `health ${HERE}:8080`, 'slow second'))).toBe(false);
    expect(network.taken).not.toContain('tcp 8080');
    await server.stop();
  });

  it('or not, it keeps HTTP addresses that are named, and no others', async () => {
    const server = await started(block(53, `health ${HERE}:8080`, `ready ${HERE}:8181`, 'slow first'));
    expect(await reload(server, block(53, `ready ${HERE}:8181`, 'slow second'))).toBe(true);
    expect(network.taken.filter((one) => one.includes('8'))).toEqual(['tcp 8181']);
    await server.stop();
    expect(network.taken).toEqual([]);
  });

  it('ends the plugins of the refused configuration, and no others', async () => {
    const server = await started(block(53, 'slow first'));
    await network.bindUdp({ address: HERE, port: 54 }, () => undefined);
    expect(await reload(server, block(54, 'slow second'))).toBe(false);
    expect(events).toEqual(['second ended']);
    await server.stop();
  });
});

describe('answers under way', () => {
  const rows: { name: string; act: (server: Server) => Promise<unknown> }[] = [
    { name: 'a stop', act: (server) => server.stop() },
    { name: 'a reload that keeps the address', act: (server) => replace(server, block(53, 'slow second')) },
    { name: 'a reload that gives the address up', act: (server) => replace(server, block(54, 'slow second')) },
  ];
  const replace = (server: Server, text: string): Promise<boolean> => {
    corefile = text;
    return server.reload();
  };

  it.each(rows)('go out after $name, and their plugins end after that', async ({ act }) => {
    const server = await started(block(53, 'slow first'));
    await ask(53);
    const acted = act(server);
    await network.clock.advanceAsync(500);
    expect(events).toEqual([]);
    await network.clock.advanceAsync(5000);
    await acted;
    await network.clock.advanceAsync(10);
    expect(events.slice(0, 2)).toEqual(['answer 0', 'first ended']);
    await server.stop();
  });

  it('do not keep an address that was given up open to new connections', async () => {
    const server = await started(block(53, 'slow first'));
    await ask(53);
    const reloaded = replace(server, block(54, 'slow second'));
    await network.clock.advanceAsync(100);
    expect(network.taken).not.toContain('tcp 53');
    await network.clock.advanceAsync(5000);
    await reloaded;
    await server.stop();
  });
});

describe('hooks of a block', () => {
  it('are called in their order, and it knows where it is served', async () => {
    const seen: string[] = [];
    const hooked = definePlugin('hooked', (_, block) => {
      for (const name of ['Start', 'Serving', 'Stop', 'Shutdown'] as const)
        block[`on${name}`](
          () =>
            void seen.push(
              `${name} ${block
                .addresses()
                .map(({ label }) => label)
                .join()}`,
            ),
        );
      return { name: 'hooked', handle: (asked, next) => next(asked) };
    });
    corefile = block(53, 'hooked');
    const plugins = [...PLUGINS, hooked];
    const server = await Server.create({
      ...{ corefile: { name: 'Corefile', read: () => corefile }, plugins, network, clock: network.clock, log },
    });
    const at = `dns://${HERE}:53`;
    expect(seen).toEqual([`Start ${at}`]);
    await server.listen();
    expect(seen.splice(0)).toEqual([`Start ${at}`, `Serving ${at}`]);
    expect(await reload(server, block(54, 'hooked'))).toBe(true);
    const then = `dns://${HERE}:54`;
    expect(seen.splice(0)).toEqual([`Start ${then}`, `Serving ${then}`, `Stop ${at}`]);
    expect(log.lines.slice(-2)).toEqual(['[INFO] Reloading', '[INFO] Reloading complete']);
    await server.stop();
    expect(seen).toEqual([`Shutdown ${then}`, `Stop ${then}`]);
  });
});

describe('what tells where zones are served', () => {
  it('names scheme and address where they are not the usual ones, and warns of names that no host has', () => {
    const at = (scheme: string, address: string): ServerAddress => ({ ...SERVER, scheme, address });
    const routes = (...zones: string[]): Routes => {
      const made = noRoutes();
      for (const zone of zones) made.add(zone, new Chain(() => DROP, []));
      return made;
    };
    const served = new Map([
      [at('dns', ''), routes('b.example.', '.', '10.in-addr.arpa.')],
      [at('tls', HERE), routes('_a.example.')],
    ]);
    expect(bannerLines(served)).toEqual([
      '.:53',
      '10.in-addr.arpa.:53',
      'b.example.:53',
      'Warning: Domain "_a.example." does not follow RFC1035 preferred syntax',
      `tls://_a.example.:53 on ${HERE}`,
    ]);
  });
});

describe('a query for which there is no block', () => {
  it('is refused, and counted', async () => {
    const server = await started(`example.net:53 {\n    bind ${HERE}\n    prometheus ${HERE}:9153\n    whoami\n}\n`);
    await ask(53);
    expect(events).toEqual(['answer 5']);
    expect(await server.runtime.metrics.text()).toMatch(
      /^coredns_dns_responses_total\{.*rcode="REFUSED".*zone="dropped".*\} 1$/m,
    );
    await server.stop();
  });
});
