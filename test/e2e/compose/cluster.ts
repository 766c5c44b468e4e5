import type { Engine } from './engine.js';
import { Project } from './project.js';

/** The services of the cluster DNS. */
export const COREDNS = ['coredns-vvgfm', 'coredns-gbnm8'];

/** A line of a server's log about a query. */
export interface Logged {
  from: string;
  type: string;
  name: string;
  protocol: string;
  rest: string;
}

/** What servers logged while something was done. */
export interface Seen {
  readonly output: string;
  logged(service: string): Logged[];
}

/** The containers of one profile, and what tests ask of them. */
export class Cluster {
  readonly project: Project;

  constructor(
    private readonly engine: Engine,
    name: string,
    private readonly port: () => number,
  ) {
    this.project = new Project(engine, name, () => ({ NODENS_PROMETHEUS_PORT: String(port()) }));
  }

  /** Resolves when all servers answer. */
  async up(): Promise<void> {
    await this.project.up();
    await until('all servers serve', async () =>
      [...(await this.project.logs(this.servers)).values()].every((lines) =>
        lines.some((line) => line.startsWith('nodens-')),
      ),
    );
    for (const pod of ['curl-pod', 'curl-pod-w1']) {
      await until(
        `${pod} is answered`,
        async () =>
          (await this.project.exec(pod, 'dig', '+short', '+search', '+tries=1', 'webpod').catch(String)) ===
          '10.96.152.212\n',
      );
    }
  }

  private get servers(): string[] {
    return this.project.services.filter((service) => /^(coredns|resolver|node-cache|node-local-dns)/.test(service));
  }

  down(): Promise<void> {
    return this.project.down();
  }

  inPod(...command: string[]): Promise<string> {
    return this.project.exec('curl-pod', ...command);
  }

  onNode(...command: string[]): Promise<string> {
    return this.project.exec('k8s-ctr', ...command);
  }

  /** Entries of connection tracking on the node for DNS that an address asked for. */
  async tracked(source: string): Promise<string> {
    return (await this.onNode('conntrack', '-L', '--orig-src', source))
      .split('\n')
      .filter((line) => line.includes('dport=53 '))
      .join('\n');
  }

  metrics(at: string): Promise<string> {
    return this.inPod(
      'node',
      '-e',
      `fetch('http://${at}/metrics').then((answer) => answer.text()).then((text) => process.stdout.write(text))`,
    );
  }

  /** What Prometheus answers at its published port: the value of each series, with its pod. */
  async query(expression: string): Promise<{ pod: string | undefined; value: number }[]> {
    const text = await this.engine
      .get(`http://127.0.0.1:${this.port()}/api/v1/query?query=${encodeURIComponent(expression)}`)
      .catch(() => '');
    if (text === '') return [];
    const answer = JSON.parse(text) as {
      status: string;
      error?: string;
      data?: { result: { metric: { pod?: string }; value: [number, string] }[] };
    };
    if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error}`);
    return answer.data!.result.map(({ metric, value }) => ({ pod: metric.pod, value: Number(value[1]) }));
  }

  /** Does something, and gives what it printed and what servers logged of queries meanwhile. */
  async during(what: () => Promise<string>): Promise<Seen> {
    const before = await this.project.logs(this.servers);
    const output = await what();
    const after = await this.project.logs(this.servers);
    return {
      output,
      logged: (service) =>
        after
          .get(service)!
          .slice(before.get(service)!.length)
          .flatMap((line) => {
            const [, from, type, name, protocol, rest] =
              /^\[INFO\] ([\d.]+):\d+ - \d+ "(\w+) IN (\S+) (udp|tcp) (.*) \S+s$/.exec(line) ?? [];
            return rest === undefined || type === 'HINFO'
              ? []
              : [{ from: from!, type: type!, name: name!, protocol: protocol!, rest }];
          }),
    };
  }

  atCoredns(seen: Seen): Logged[] {
    return COREDNS.flatMap((pod) => seen.logged(pod));
  }
}

/** Resolves when something is so; rejects when that takes more than half a minute. */
async function until(what: string, so: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await so())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
