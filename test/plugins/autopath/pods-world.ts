import { Duplex } from 'node:stream';
import { ALL_FIELDS, KUBE_KINDS } from '../../../src/kube/objects/objects.js';
import { Intake } from '../../../src/kube/intake/intake.js';
import { MemorySource } from '../../../src/kube/memory-source.js';
import { KubeStore } from '../../../src/kube/store/store.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { seededRandom } from '../../../src/lib/random.js';
import type { Endpoint, Network } from '../../../src/net/network.js';
import { StubResolver, type LookupStory, type ProfileName } from '../../../src/resolver/index.js';
import { pluginsOver } from '../../../src/server/directives.js';
import { Server } from '../../../src/server/server.js';
import { FrameReader, frame } from '../../../src/wire/index.js';
import type { Manifest } from '../../support/fake-api.js';
import { RecordedLog } from '../../support/kube.js';

/** The address that every pod's resolv.conf names. */
export const DNS = '169.254.20.10';

/** Pods of a node and the DNS server on it, without sockets: what a pod asks is answered by the server's chain. */
export interface PodsWorld {
  readonly source: MemorySource;
  readonly server: Server;
  /** Looks a name up as the pod with this address and resolv.conf. */
  lookup(address: string, resolvConf: string, profile: ProfileName, name: string): Promise<LookupStory>;
}

/** @param files readable by the server, by path */
export async function podsWorld(
  corefile: string,
  manifests: readonly Manifest[],
  files: Readonly<Record<string, string>>,
): Promise<PodsWorld> {
  const clock = new ManualClock(Date.UTC(2026, 10, 20));
  const store = new KubeStore();
  const source = new MemorySource(new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log: new RecordedLog() }));
  for (const manifest of manifests) source.apply(manifest);
  source.start(store, new AbortController().signal);
  const read = (file: string): string => {
    const text = files[file];
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${file}`), { code: 'ENOENT' });
    return text;
  };
  const server = await Server.create({
    corefile,
    clock,
    random: seededRandom(3),
    plugins: pluginsOver(store),
    env: { NODE_NAME: 'node-1' },
    files: { readFile: read, glob: () => [], fileInfo: (file) => ({ mtime: 0, size: read(file).length }) },
  });
  return {
    source,
    server,
    lookup: (address, resolvConf, profile, name) => {
      const network = new ServerNetwork(server, address);
      const resolver = new StubResolver({ network, clock, random: seededRandom(7), resolvConf, profile });
      return driven(clock, resolver.lookup(name));
    },
  };
}

/** The clock runs as soon as there is nothing else to do. */
async function driven<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let done = false;
  const settled = work.finally(() => (done = true));
  for (let step = 0; !done && step < 10_000; step++) await clock.advanceAsync(step < 20 ? 0 : 50);
  return settled;
}

/** Every packet of a pod goes to the server. */
class ServerNetwork implements Network {
  private port = 40_000;

  constructor(
    private readonly server: Server,
    private readonly address: string,
  ) {}

  bindUdp: Network['bindUdp'] = async (_at, onDatagram) => {
    const local = this.local();
    return {
      local,
      send: (bytes, length, to) =>
        this.exchange(bytes.subarray(0, length), 'udp', local, (reply) => onDatagram(reply, to)),
      close: () => undefined,
    };
  };

  connectUdp: Network['connectUdp'] = async (_to, onDatagram) => {
    const local = this.local();
    return { local, close: () => undefined, send: (bytes) => this.exchange(bytes, 'udp', local, onDatagram) };
  };

  connectTcp: Network['connectTcp'] = async (to) => {
    const local = this.local();
    const frames = new FrameReader();
    const stream: Duplex = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        frames.push(chunk);
        for (let next = frames.next(); next !== undefined; next = frames.next())
          this.exchange(next, 'tcp', local, (reply) => stream.push(frame(reply)));
        done();
      },
    });
    return { stream, local, remote: to };
  };

  listenTcp: Network['listenTcp'] = () => Promise.reject(new Error('pods do not serve here'));

  interfaces = (): ReturnType<Network['interfaces']> => [{ device: 'eth0', address: this.address, loopback: false }];

  private local(): Endpoint {
    return { address: this.address, port: ++this.port };
  }

  private exchange(
    bytes: Uint8Array,
    transport: 'udp' | 'tcp',
    remote: Endpoint,
    deliver: (reply: Buffer) => void,
  ): void {
    void this.server
      .exchange(bytes, { transport, remote })
      .then((answer) => answer !== undefined && deliver(Buffer.from(answer)));
  }
}
