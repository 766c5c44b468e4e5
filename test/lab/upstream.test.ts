import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/lib/clock.js';
import { Lab } from '../../src/lab/lab.js';
import { loadTopology } from '../../src/lab/topology/load.js';
import { COMMANDS } from '../../src/lab/commands/index.js';
import { Session } from '../../src/lab/session/session.js';
import { HostNetwork } from '../../src/net/host-network.js';
import type { Network } from '../../src/net/network.js';
import { Server } from '../../src/server/server.js';
import { TestLog } from '../support/block.js';

const RESOLVER = '192.0.2.53';
const COREFILE = `.:0 {
    bind 127.0.0.1
    template IN A real.example. {
        answer "{{ .Name }} 60 IN A 198.51.100.7"
    }
    template IN A google.com. {
        answer "{{ .Name }} 60 IN A 198.51.100.8"
    }
    template ANY ANY . {
        rcode NXDOMAIN
    }
}
`;

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-upstream-'));
const resolvConf = path.join(folder, 'resolv.conf');
let resolver: Server;
let lab: Lab;
let session: Session;
const asked: string[] = [];

/** The machine's network: its resolver's address is one of documentation, and leads to a server of this test. */
function machine(port: () => number): Network {
  const host = new HostNetwork();
  const led = ({ address, port: to }: { address: string; port: number }): { address: string; port: number } => {
    asked.push(`${address}:${to}`);
    return { address: '127.0.0.1', port: port() };
  };
  return {
    bindUdp: (at, onDatagram) => host.bindUdp(at, onDatagram),
    listenTcp: (at, onConnection) => host.listenTcp(at, onConnection),
    interfaces: () => host.interfaces(),
    connectUdp: (to, onDatagram, onError) => host.connectUdp(led(to), onDatagram, onError),
    connectTcp: (to, signal) => host.connectTcp(led(to), signal),
  };
}

beforeAll(async () => {
  writeFileSync(resolvConf, `nameserver ${RESOLVER}\n`);
  resolver = await Server.create({ corefile: COREFILE, log: new TestLog() });
  await resolver.listen();
  lab = await Lab.create(loadTopology('two-nodes'), {
    clock: realClock,
    upstream: { network: machine(() => resolver.served[0]!.port), resolvConf },
  });
  session = new Session(lab, { read: () => '' }, COMMANDS);
});
afterAll(async () => {
  // Nobody needs the servers' lame duck time.
  void lab.stop();
  await resolver.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = async (line: string): Promise<string> => {
  let text = '';
  await session.run(line, { write: (part) => (text += part) });
  return text;
};

describe('a lab that asks the resolver of this machine', () => {
  it.each([
    {
      name: 'a name of the real world',
      line: 'kubectl exec curl-pod -- dig +short real.example',
      text: '198.51.100.7\n',
    },
    {
      name: 'a name that the topology knows too',
      line: 'kubectl exec curl-pod -- dig +short google.com',
      text: '198.51.100.8\n',
    },
    { name: 'a name from the other node', line: 'ssh k8s-w1 dig +short real.example', text: '198.51.100.7\n' },
    {
      name: 'a name of the cluster',
      line: 'kubectl exec curl-pod -- dig +short webpod.default.svc.cluster.local',
      text: '10.96.152.212\n',
    },
  ])('$name', async ({ line, text }) => expect(await run(line)).toBe(text));

  it('asks where its resolv.conf says', () => expect(new Set(asked)).toEqual(new Set([`${RESOLVER}:53`])));

  it('tells in explain who answered', async () =>
    expect(await run('explain -v fresh.real.example')).toMatch(
      /resolver(-w1)? outside the cluster by UDP from 10\.0\.2\.15: cache (hit|miss, plugin forward asked upstream): NOERROR/,
    ));
});

it('a resolv.conf without a name server is refused with its name', async () => {
  const empty = path.join(folder, 'empty');
  writeFileSync(empty, 'search example\n');
  await expect(
    Lab.create(loadTopology('two-nodes'), {
      clock: realClock,
      upstream: { network: new HostNetwork(), resolvConf: empty },
    }),
  ).rejects.toThrow(empty);
});
