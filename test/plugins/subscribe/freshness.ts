import { Intake } from '../../../src/kube/intake/intake.js';
import { MemorySource } from '../../../src/kube/memory-source.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../../src/kube/objects/objects.js';
import { KubeStore } from '../../../src/kube/store/store.js';
import type { Milliseconds } from '../../../src/lib/units.js';
import { pluginsOver } from '../../../src/server/directives.js';
import { Server } from '../../../src/server/server.js';
import { decodeMessage } from '../../../src/wire/index.js';
import { TestLog } from '../../support/block.js';
import { query, texts } from '../../support/dns.js';
import type { Manifest } from '../../support/fake-api.js';
import { FakeNetwork, elapse } from '../../support/fake-network.js';
import { RecordedLog } from '../../support/kube.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { seededRandom } from '../../../src/lib/random.js';

export const CLUSTER = `cluster.local:53 in-addr.arpa:53 {
  bind 10.0.0.53
  cache 30
  push {
    to *
  }
  kubernetes cluster.local in-addr.arpa {
    pods verified
  }
}`;

export const NODE = `cluster.local:53 in-addr.arpa:53 {
  bind BIND
  cache {
    success 9984 30
    denial 9984 30
    serve_stale 1h immediate
  }
  subscribe {
    settle 0s
  }
  forward . 10.0.0.53 {
    force_tcp
  }
}`;

/** A cluster's DNS and node caches that ask it, in a network whose time stands still. */
export class Freshness {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork(this.clock);
  readonly source = new MemorySource(new Intake({ kinds: KUBE_KINDS, fields: ALL_FIELDS, log: new RecordedLog() }));
  readonly log = new TestLog();
  readonly nodes: Server[] = [];
  cluster: Server | undefined;
  clusterText = CLUSTER;
  nodeText = NODE;
  private readonly store = new KubeStore();

  constructor(objects: readonly Manifest[] = []) {
    this.source.start(this.store, new AbortController().signal);
    for (const object of objects) this.source.apply(object);
  }

  async startCluster(): Promise<void> {
    this.cluster = await this.start(() => this.clusterText, 'cluster');
  }

  async stopCluster(): Promise<void> {
    const stopped = this.cluster!.stop();
    await this.pass(200);
    await stopped;
    this.cluster = undefined;
  }

  /** Starts node caches and gives them time to subscribe. */
  async startNodes(count: number): Promise<void> {
    for (let i = 0; i < count; i++)
      this.nodes.push(await this.start(() => this.nodeText.replace('BIND', `10.0.1.${i + 1}`), `node ${i}`));
    await this.pass(50);
  }

  /** As `RCODE record, record`; `none` for what was not answered. */
  async told(server: Server, name: string, type = 'A'): Promise<string> {
    const asked = server.exchange(query(name, type).bytes);
    let settled = false;
    void asked.then(() => (settled = true));
    for (let i = 0; i < 2000 && !settled; i++) await this.pass(i === 0 ? 0 : 1);
    const bytes = await asked;
    if (bytes === undefined) return 'none';
    const { rcode, answer } = decodeMessage(bytes);
    // TTLs count down, and answers of a cache come in any order.
    return [rcode, ...texts(answer).map((text) => text.replace(/ \d+ IN /, ' '))].join(' ');
  }

  pass(time: Milliseconds): Promise<void> {
    return time === 0 ? this.clock.advanceAsync(0) : elapse(this.clock, time);
  }

  /** A sample of a server's metrics, 0 where it is not there. */
  async metric(server: Server, sample: string): Promise<number> {
    const lines = (await server.runtime.metrics.text()).split('\n');
    return Number(lines.find((line) => line.startsWith(`${sample} `))?.split(' ')[1] ?? 0);
  }

  async stop(): Promise<void> {
    const stopping = [...this.nodes, ...(this.cluster === undefined ? [] : [this.cluster])].map((each) => each.stop());
    await this.pass(6000);
    await Promise.all(stopping);
  }

  private async start(read: () => string, name: string): Promise<Server> {
    const { network, clock, log } = this;
    const server = await Server.create({
      corefile: { name, read },
      network,
      clock,
      log,
      random: seededRandom(name.length),
      plugins: pluginsOver(this.store),
    });
    await server.listen();
    return server;
  }
}
