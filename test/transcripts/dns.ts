import http from 'node:http';
import path from 'node:path';
import { LabNetwork } from '../../src/lab/network/lab-network.js';
import { GO_SERVER } from '../../src/lab/network/syscall-profile.js';
import type { Process } from '../../src/datapath/sockets/process.js';
import { seededRandom } from '../../src/lib/random.js';
import { runNslookup } from '../../src/resolver/index.js';
import type { ToolRun } from '../../src/resolver/index.js';
import { Server } from '../../src/server/server.js';
import { textLog } from '../../src/server/log.js';
import { Flag, FrameReader, Rcode, Type, decodeMessage, encodeMessage, frame, parseRr } from '../../src/wire/index.js';
import type { Message } from '../../src/wire/index.js';
import type { Cluster } from './cluster.js';
import { recorded } from './transcript.js';

/**
 * The Corefile of the recordings. One kept upstream socket, as CoreDNS comes to have when it is asked one thing after
 * another.
 */
const COREFILE = `.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        manifests ${path.resolve(import.meta.dirname, 'data/objects.yaml')}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus :9153
    forward . 10.0.2.3 {
        max_concurrent 1000
        max_idle_conns 1
    }
    cache 30 {
        disable success cluster.local
        disable denial cluster.local
    }
    loop
    loadbalance
}`;

const ROOT_SOA = '. 86400 SOA a.root-servers.net. nstld.verisign-grs.com. 2025073000 1800 900 604800 86400';

/**
 * The resolver outside, which takes `delay` milliseconds to answer: knows the addresses of a few names and compresses
 * its answers; every other name does not exist.
 */
export function serveOutside(
  cluster: Cluster,
  addresses: Readonly<Record<string, readonly [string, string]>>,
  delay = 0,
): void {
  for (const name of ['resolver-k8s-ctr', 'resolver-k8s-w1']) {
    const socket = cluster.world.host(name).process.udp({
      onReadable: (ready) => {
        for (let asked = ready.recv(); asked; asked = ready.recv()) {
          const { address, port, payload } = asked;
          const answer = (): void =>
            void ready.sendTo(encodeMessage(answerOf(decodeMessage(payload), addresses), true), address, port);
          if (delay === 0) answer();
          else cluster.clock.setTimeout(answer, delay);
        }
      },
    });
    socket.bind('0.0.0.0', 53);
    cluster.world.host(name).process.listen('0.0.0.0', 53, (connection) => {
      const frames = new FrameReader();
      connection.handle({
        onData: (open, data) => {
          frames.push(Buffer.from(data));
          for (let asked = frames.next(); asked; asked = frames.next())
            open.write(frame(encodeMessage(answerOf(decodeMessage(asked), addresses), true)));
        },
        onEnd: (open) => open.end(),
      });
    });
  }
}

function answerOf(query: Message, addresses: Readonly<Record<string, readonly [string, string]>>): Message {
  const [question] = query.question;
  const base = {
    id: query.id,
    flags: Flag.QR | Flag.RD | Flag.RA,
    rcode: 0,
    question: query.question,
    answer: [],
    authority: [],
    additional: [],
  };
  const known = addresses[question!.name.toLowerCase()];
  if (!known) return { ...base, rcode: Rcode.NXDOMAIN, authority: [parseRr(ROOT_SOA)] };
  return {
    ...base,
    answer: [parseRr(`${question!.name} 300 ${question!.type === Type.A ? `A ${known[0]}` : `AAAA ${known[1]}`}`)],
  };
}

export interface Running {
  readonly server: Server;
  readonly log: string[];
}

/** Starts a DNS server in a pod, or in any other place with a process. */
export async function serve(
  cluster: Cluster,
  process: Process,
  corefile: string | { name: string; read(): string } = COREFILE,
  env: Record<string, string> = {},
): Promise<Running> {
  const log: string[] = [];
  const { clock } = cluster;
  // Manifests are read from real files, which takes real time: the clock of the cluster stands still meanwhile.
  const server = await Server.create({
    corefile,
    network: new LabNetwork(process, { habits: GO_SERVER }),
    clock,
    env,
    random: seededRandom(11),
    log: textLog({ write: (text: string) => void log.push(text.trimEnd()) }),
  });
  await server.listen();
  // The loop probe has run before anybody looks.
  for (let step = 0; step < 20; step++) await clock.advanceAsync(0);
  return { server, log };
}

export const serveCoreDns = (cluster: Cluster): Promise<Running> =>
  serve(cluster, cluster.world.pod('kube-system', 'coredns-674b8bbfcf-vvgfm').process);

/** Runs nslookup in a pod of the namespace default. */
export async function nslookup(cluster: Cluster, args: readonly string[], pod = 'curl-pod'): Promise<ToolRun> {
  const network = new LabNetwork(cluster.world.pod('default', pod).process);
  const resolvConf = `${recorded('resolv.conf').join('\n')}\n`;
  return cluster.finish(runNslookup(args, { network, clock: cluster.clock, random: seededRandom(13), resolvConf }));
}

/** `curl -s http://HOST:PORT/PATH` in a pod, over the modelled network. */
export async function curl(
  cluster: Cluster,
  process: Process,
  address: string,
  port: number,
  target: string,
): Promise<string> {
  const { stream } = await cluster.finish(new LabNetwork(process).connectTcp({ address, port }));
  return cluster.finish(
    new Promise<string>((resolve, reject) => {
      const request = http.request(
        { createConnection: () => stream, path: target, headers: { host: address, connection: 'close' } },
        (response) => {
          let text = '';
          response
            .setEncoding('utf8')
            .on('data', (chunk: string) => (text += chunk))
            .on('end', () => resolve(text));
        },
      );
      request.on('error', reject).end();
    }),
  );
}
