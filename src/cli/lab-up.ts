import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { NodensError } from '../lib/errors.js';
import { HostNetwork } from '../net/host-network.js';
import { realClock } from '../lib/clock.js';
import { Gateway } from '../lab/gateway/gateway.js';
import { selfSigned } from '../lab/kube-api/certificate.js';
import { kubeconfig } from '../lab/kube-api/kubeconfig.js';
import { KubeApi } from '../lab/kube-api/server.js';
import { Lab } from '../lab/lab.js';
import type { Topology } from '../lab/topology/topology.js';
import type { Environment } from '../corefile/environment.js';
import { calledAs } from './called-as.js';
import { ControlServer } from './lab-control.js';
import { DEFAULT_PORT, answers, kubeconfigPath, socketPath } from './lab-sockets.js';

/** What is proposed to somebody who finds a port taken: first ports of two labs so far apart. */
const APART = 100;
/** Highest first port: a lab of some hundred pods has room above it. */
export const MAX_PORT = 65_000;

export interface UpOptions {
  readonly topology: Topology;
  /** First port on 127.0.0.1; 0 draws free ones. */
  readonly port: number;
  /** Whether names outside are asked from this machine's resolver. */
  readonly upstream: boolean;
  readonly env: Environment;
}

/**
 * Starts a lab and serves it until a signal or `nodens lab down` ends it; resolves with the exit code. Leaves no file
 * behind.
 */
export async function up(options: UpOptions): Promise<number> {
  let finish!: (code: number) => void;
  const ended = new Promise<number>((resolve) => {
    finish = resolve;
  });
  // Minded before the first wait: a signal that comes early must not leave anything behind.
  const onSignal = (): void => finish(0);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // A fault that nothing caught must not take the lab away from under the user.
  const onFault = (error: unknown): void =>
    void process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
  const host = new HostNetwork();
  const lab = await Lab.create(options.topology, {
    clock: realClock,
    ...(options.upstream && { upstream: { network: host, resolvConf: '/etc/resolv.conf' } }),
  });
  const gateway = new Gateway(lab, { host, port: options.port, cpu });
  const open: { close(): void }[] = [gateway];
  const end = async (): Promise<void> => {
    open.forEach((part) => part.close());
    await stopNow(lab);
  };
  try {
    await openPorts(gateway, options);
    const socket = socketPath(options.env, gateway.webPort);
    const control = new ControlServer(
      lab,
      socket,
      () => statusText(lab, gateway),
      () => finish(0),
    );
    await control.open();
    open.push(control);
    open.push(await serveApi(lab, kubeconfigPath(socket), onFault));
  } catch (error) {
    await end();
    throw error;
  }
  process.stdout.write(greeting(lab, gateway, options.env));
  const code = await ended;
  process.stdout.write('\nthe lab ends\n');
  await end();
  return code;
}

/** Serves the lab's objects as a Kubernetes API, and writes a kubeconfig for it that nobody else can read. */
async function serveApi(lab: Lab, file: string, onFault: (error: unknown) => void): Promise<KubeApi> {
  const identity = selfSigned('nodens lab', ['127.0.0.1', 'localhost'], Date.now());
  const token = randomBytes(32).toString('base64url');
  const api = new KubeApi({ lab, identity, token, onFault });
  await api.open();
  rmSync(file, { force: true });
  writeFileSync(file, kubeconfig({ url: api.url, certificate: identity.certificate, token }), {
    mode: 0o600,
    flag: 'wx',
  });
  return api;
}

/** Ends a lab whose user waits: nobody needs the last five seconds of its servers. */
export const stopNow = (lab: Lab): Promise<unknown> =>
  Promise.race([lab.stop(), new Promise((resolve) => setTimeout(resolve, 300))]);

/** Rejects, where a port is taken, with words that say by whom if it is known, and how to take others. */
async function openPorts(gateway: Gateway, { port, env }: UpOptions): Promise<void> {
  try {
    await gateway.open();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (await answers(socketPath(env, port)))
      throw new NodensError(
        'NODENS_LAB',
        `a lab is running already at port ${port}; end it with: nodens lab down, or start this ` +
          `one beside it: nodens lab up -port ${beside(port)}`,
        { cause: error },
      );
    throw new NodensError(
      'NODENS_LAB',
      `a port from ${port} on is taken (${(error as Error).message}); take others with: nodens ` +
        `lab up -port ${beside(port)}, or free ones with: nodens lab up -port 0`,
      { cause: error },
    );
  }
}

/** A first port that leaves room for the pods of a lab before it. */
const beside = (port: number): number => (port + APART <= MAX_PORT ? port + APART : port - APART);

/** The first client pod: the one that examples ask as. */
const clientOf = (lab: Lab): string => {
  const pod = lab.kubelet
    .list()
    .find((candidate) => candidate.namespace === 'default' && candidate.program.kind === 'idle');
  return pod ? `${pod.namespace}/${pod.name}` : '';
};

/** Processor time of this process, in milliseconds. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Names that a greeting shows of a big cluster. */
const SHOWN_NODES = 10;
const SHOWN_LINES = 30;

const shownNodes = ({ nodes }: Topology): string =>
  [
    ...nodes.slice(0, SHOWN_NODES).map(({ name }) => name),
    ...(nodes.length > SHOWN_NODES ? [`and ${nodes.length - SHOWN_NODES} more nodes`] : []),
  ].join(', ');

/** The first of many lines, and which command prints all. */
const shortened = (lines: readonly string[], all: string): readonly string[] =>
  lines.length <= SHOWN_LINES
    ? lines
    : [...lines.slice(0, SHOWN_LINES), `  and ${lines.length - SHOWN_LINES} lines more: ${all}`];

function greeting(lab: Lab, gateway: Gateway, env: UpOptions['env']): string {
  const { topology } = lab;
  const program = `${calledAs(process.argv[1]!, process.cwd(), env.PATH)} lab`;
  const at = gateway.webPort === DEFAULT_PORT || env.NODENS_LAB_SOCKET !== undefined ? '' : ` -port ${gateway.webPort}`;
  const client = clientOf(lab);
  const port = (gateway.dns().find(({ pod }) => pod === client) ?? gateway.dns()[0])?.port;
  const name = client.split('/')[1];
  return [
    `The page: ${gateway.url}`,
    '',
    `${topology.name}: ${shownNodes(topology)}, ` +
      `${lab.kubelet.list().length} pods, cluster DNS at ${topology.cluster.dns}`,
    '',
    ...shortened(statusText(lab, gateway).trimEnd().split('\n'), `${program} status${at}`),
    '',
    'Try it from another terminal:',
    '',
    ...(port === undefined
      ? []
      : [
          `    dig @127.0.0.1 -p ${port} webpod.${client.split('/')[0]}.svc.${topology.cluster.domain}`,
          `    dig @127.0.0.1 -p ${port} google.com`,
        ]),
    ...(client === ''
      ? []
      : [
          `    ${program} exec${at} kubectl exec ${name} -- nslookup webpod`,
          `    ${program} exec${at} explain google.com`,
        ]),
    `    ${program} shell${at}`,
    `    KUBECONFIG=$(${program} kubeconfig${at}) kubectl get pods -A`,
    '',
    'Ctrl-C ends it.',
    '',
  ].join('\n');
}

function statusText(lab: Lab, gateway: Gateway): string {
  const lines = [
    'DNS as each pod (127.0.0.1):',
    ...gateway.dns().map(({ pod, port }) => `  ${port}  ${pod}${podFacts(lab, pod)}`),
    'HTTP of the servers:',
    ...gateway.http().map(({ url }) => `  ${url}`),
  ];
  return `${lines.join('\n')}\n`;
}

function podFacts(lab: Lab, key: string): string {
  const [namespace = '', name = ''] = key.split('/');
  const pod = lab.kubelet.get(namespace, name);
  return pod
    ? `  ${pod.model.ip} on ` +
        [pod.model.spec.node, pod.program.kind, pod.state]
          .filter((word) => word !== 'idle' && word !== 'Running')
          .join(', ')
    : '';
}
