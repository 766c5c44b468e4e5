import dgram from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostNetwork } from '../../src/net/host-network.js';
import { FrameReader, frame } from '../../src/wire/index.js';
import { query, type QuestionOptions } from '../support/dns.js';
import { Program, PROGRAM } from '../support/program.js';
import { webService } from '../support/web-service.js';

const network = new HostNetwork();

/** Ways of taking datagrams that have to be the same to everybody outside. */
const MODES = [
  ['-io', 'dgram'],
  ['-io', 'batched', '-workers', '1'],
  ['-io', 'batched', '-workers', '4'],
];

async function freePort(): Promise<number> {
  const listener = await network.listenTcp({ address: '127.0.0.1', port: 0 }, () => undefined);
  listener.close();
  return listener.local.port;
}

/** A client that keeps its port, and so stays with one thread of the server; `turn` draws another. */
class Client {
  private socket = dgram.createSocket('udp4');

  constructor(private readonly port: number) {}

  async ask(bytes: Uint8Array): Promise<string> {
    const { socket } = this;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('no answer'), 3000);
      socket.once('message', (answer) => {
        clearTimeout(timer);
        resolve(answer.toString('hex'));
      });
      socket.send(bytes, this.port, '127.0.0.1');
    });
  }

  turn(): void {
    this.socket.close();
    this.socket = dgram.createSocket('udp4');
  }

  close(): void {
    this.socket.close();
  }
}

async function askTcp(port: number, bytes: Uint8Array): Promise<string> {
  const { stream } = await network.connectTcp({ address: '127.0.0.1', port });
  const reader = new FrameReader();
  const answer = new Promise<string>((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      const message = reader.next();
      if (message) resolve(message.toString('hex'));
    });
    stream.on('close', () => resolve('closed'));
  });
  stream.write(frame(bytes));
  const got = await answer;
  stream.destroy();
  return got;
}

const manifests = (ip: string): string => `${webService(ip)}---
apiVersion: v1
kind: Service
metadata: { name: headless, namespace: default }
spec: { clusterIP: None, clusterIPs: [None], ports: [{ name: http, port: 80, protocol: TCP }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: headless-a, namespace: default, labels: { kubernetes.io/service-name: headless } }
addressType: IPv4
endpoints: [${Array.from({ length: 40 }, (_, i) => `{ addresses: [10.0.0.${i + 1}], conditions: { ready: true } }`).join(', ')}]
ports: [{ name: http, port: 80, protocol: TCP }]
`;

/** Answers that take the cache and that are no objects of the cluster: made by a template, always the same. */
const corefile = (port: number, metrics: number, address = '192.0.2.1'): string => `cluster.local:${port} {
    bind 127.0.0.1
    prometheus 127.0.0.1:${metrics}
    kubernetes cluster.local {
        manifests objects.yaml
    }
}
.:${port} {
    bind 127.0.0.1
    prometheus 127.0.0.1:${metrics}
    cache 3600 {
        keepttl
    }
    template IN A example.org {
        match ^none
        rcode NXDOMAIN
        authority "example.org. 300 IN SOA ns.example.org. root.example.org. 1 2 3 4 300"
        fallthrough
    }
    template IN A example.org {
        answer "{{ .Name }} 300 IN A ${address}"
        fallthrough
    }
    template IN ANY example.org {
        authority "example.org. 300 IN SOA ns.example.org. root.example.org. 1 2 3 4 300"
    }
}
`;

const WEB = 'web.default.svc.cluster.local.';
const QUESTIONS: { name: string; type?: string; options?: QuestionOptions }[] = [
  { name: 'www.example.org.' },
  { name: 'www.example.org.', options: { edns: 512 } },
  { name: 'www.example.org.', options: { edns: 1232 } },
  { name: 'www.example.org.', options: { edns: 65_535 } },
  { name: 'www.example.org.', options: { edns: 0 } },
  { name: 'www.example.org.', options: { edns: 1232, do: true } },
  { name: 'www.example.org.', options: { cd: true } },
  { name: 'www.example.org.', options: { ad: true } },
  { name: 'www.example.org.', options: { rd: false } },
  { name: 'www.example.org.', options: { edns: 1232, options: [{ code: 10, data: Buffer.alloc(8, 1) }] } },
  { name: 'WwW.eXample.org.' },
  { name: 'www.example.org.', options: { id: 0 } },
  { name: 'www.example.org.', type: 'AAAA' },
  { name: 'www.example.org.', options: { class: 3 } },
  { name: 'none.example.org.' },
  { name: 'none.example.org.', options: { edns: 1232 } },
  { name: 'elsewhere.test.' },
  { name: WEB },
  { name: WEB, options: { edns: 1232, do: true } },
  { name: 'Web.Default.Svc.cluster.local.' },
  { name: 'web.default.svc.Cluster.local.' },
  { name: WEB, type: 'AAAA' },
  { name: WEB, type: 'SRV', options: { edns: 4096 } },
  { name: 'missing.default.svc.cluster.local.' },
  { name: 'missing.default.svc.cluster.local.', options: { edns: 1232 } },
  { name: 'headless.default.svc.cluster.local.' },
  { name: 'headless.default.svc.cluster.local.', options: { edns: 600 } },
  { name: 'headless.default.svc.cluster.local.', options: { edns: 4096 } },
  { name: 'cluster.local.', type: 'TXT' },
  { name: 'dns-version.cluster.local.', type: 'TXT' },
];
const MESSAGES = QUESTIONS.map(({ name, type, options }) => query(name, type, options).bytes);

/** The serial of the zone is the time at which its objects were read, which is not the same in two servers. */
const withoutSerial = (answer: string): string => answer.replace(/(0a686f73746d6173746572.*?).{8}(00001c20)/g, '$1$2');

/** Series that count time, memory or the program itself are no two times the same. */
function counted(metrics: string): string[] {
  return metrics
    .split('\n')
    .filter((line) => /^coredns_(dns|cache)_/.test(line) && !/duration_seconds/.test(line))
    .map((line) => line.replace(/127\.0\.0\.1:\d+/g, 'HERE'))
    .sort();
}

class Served {
  private constructor(
    readonly program: Program,
    readonly dir: string,
    readonly port: number,
    readonly metrics: number,
  ) {}

  static async start(io: readonly string[]): Promise<Served> {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-fastpath-'));
    const [port, metrics] = [await freePort(), await freePort()];
    writeFileSync(path.join(dir, 'Corefile'), corefile(port, metrics));
    writeFileSync(path.join(dir, 'objects.yaml'), manifests('10.96.0.1'));
    const program = new Program([...PROGRAM, ...io], {}, dir);
    await program.said(/nodens-/);
    return new Served(program, dir, port, metrics);
  }

  async counters(): Promise<string[]> {
    return counted(await (await fetch(`http://127.0.0.1:${this.metrics}/metrics`)).text());
  }

  async end(): Promise<void> {
    await this.program.stop('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const missing = process.platform !== 'linux';
if (missing) console.log('test/e2e/fastpath: batched I/O is for Linux; skipped');

describe.skipIf(missing)('answers', () => {
  const all: Served[] = [];
  beforeAll(async () => {
    for (const io of MODES) all.push(await Served.start(io));
  }, 60_000);
  afterAll(async () => {
    await Promise.all(all.map((served) => served.end()));
  });

  /** Each question five times, from two clients: first from the chain, then from the table. */
  async function answersOf({ port }: Served): Promise<string[][]> {
    const client = new Client(port);
    const rounds: string[][] = [];
    for (let round = 0; round < 5; round++) {
      rounds.push([]);
      for (const message of MESSAGES) rounds[round]!.push(withoutSerial(await client.ask(message)));
      if (round % 2 === 1) client.turn();
    }
    client.close();
    return rounds;
  }

  it('are the same octets however datagrams are taken, from the chain and from the table', async () => {
    const [plain, ...batched] = await Promise.all(all.map(answersOf));
    expect(plain!.flat()).not.toContain('no answer');
    for (const rounds of batched) {
      rounds.forEach((answers, round) =>
        answers.forEach((answer, i) => {
          expect(`${round} ${JSON.stringify(QUESTIONS[i])} ${answer}`).toBe(
            `${round} ${JSON.stringify(QUESTIONS[i])} ${plain![round]![i]}`,
          );
        }),
      );
    }
  }, 60_000);

  it('are counted the same', async () => {
    const [plain, ...batched] = await Promise.all(all.map((served) => served.counters()));
    expect(plain!.filter((line) => /requests_total|cache_hits_total/.test(line)).length).toBeGreaterThan(4);
    for (const counters of batched) expect(counters).toEqual(plain);
  });

  it('over TCP are the same beside', async () => {
    for (const i of [0, 5, 14, 17, 25]) {
      const answers = await Promise.all(all.map(({ port }) => askTcp(port, MESSAGES[i]!)));
      expect(new Set(answers.map(withoutSerial)).size).toBe(1);
      expect(answers[0]!.length).toBeGreaterThan(24);
    }
  });
});

describe.skipIf(missing)('a server with threads', () => {
  let served: Served;
  beforeAll(async () => {
    served = await Served.start(['-io', 'batched', '-workers', '2']);
  });
  afterAll(() => served.end());

  it('gives no answer of the old configuration once the new one is in place', async () => {
    const client = new Client(served.port);
    const message = query('www.example.org.').bytes;
    const address = async (): Promise<string> => (await client.ask(message)).slice(-8);
    expect([await address(), await address()]).toEqual(['c0000201', 'c0000201']);
    const seen: { address: string; reloaded: boolean }[] = [];
    let done = false;
    const asking = (async (): Promise<void> => {
      while (!done) {
        const reloaded = served.program.text.includes('Reloading complete');
        seen.push({ reloaded, address: await address() });
      }
    })();
    writeFileSync(path.join(served.dir, 'Corefile'), corefile(served.port, served.metrics, '192.0.2.2'));
    served.program.child.kill('SIGUSR1');
    await served.program.said(/Reloading complete/);
    await new Promise((resolve) => setTimeout(resolve, 200));
    done = true;
    await asking;
    client.close();
    const first = seen.findIndex((one) => one.address === 'c0000202');
    expect(first).toBeGreaterThan(-1);
    expect(seen.slice(first).map((one) => one.address)).not.toContain('c0000201');
    expect(seen.filter((one) => one.reloaded && one.address !== 'c0000202')).toEqual([]);
    expect(seen.filter((one) => !['c0000201', 'c0000202'].includes(one.address))).toEqual([]);
  });

  it('gives no answer of an object that has changed', async () => {
    const client = new Client(served.port);
    const message = query(WEB).bytes;
    const address = async (): Promise<string> => (await client.ask(message)).slice(-8);
    expect([await address(), await address()]).toEqual(['0a600001', '0a600001']);
    writeFileSync(path.join(served.dir, 'objects.yaml'), manifests('10.96.0.2'));
    const deadline = performance.now() + 10_000;
    while ((await address()) === '0a600001' && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const later = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const other = new Client(served.port);
        const got = (await other.ask(message)).slice(-8);
        other.close();
        return got;
      }),
    );
    client.close();
    expect(new Set(later)).toEqual(new Set(['0a600002']));
  });

  it('ends in order under load', async () => {
    const flood = dgram.createSocket('udp4');
    const message = query('www.example.org.').bytes;
    const load = setInterval(() => {
      for (let i = 0; i < 50; i++) flood.send(message, served.port, '127.0.0.1');
    }, 2);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = performance.now();
    const code = await served.program.stop('SIGTERM');
    clearInterval(load);
    flood.close();
    expect(code).toBe(0);
    expect(performance.now() - before).toBeLessThan(5000);
    expect(served.program.text).toContain('[INFO] SIGTERM: Shutting down servers then terminating');
    expect(served.program.text).not.toMatch(/ERROR/);
  });
});
