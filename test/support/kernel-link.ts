import { randomInt } from 'node:crypto';
import dgram from 'node:dgram';
import { encodeSockaddr } from '../../src/fastpath/sockaddr.js';
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM, callError, loadLibc } from '../../src/fastpath/libc.js';
import { KernelAnswers } from '../../src/kernel/kernel-answers.js';
import type { AttachKind } from '../../src/kernel/bpf-shapes.js';
import { realClock } from '../../src/lib/clock.js';
import { TestLog } from './block.js';
import { join, Namespaces } from '../e2e/node-local/namespaces.js';
import { datagrams, type Way } from './ways.js';
import { passAll } from './xdp-pass.js';
import { enterNamespace } from './network-namespace.js';

/** The two ends of a link: nobody's network (RFC 2544). */
export const SERVER_END = '198.18.0.1';
export const CLIENT_ENDS = ['198.18.0.2', '198.18.0.3', '198.18.0.4'] as const;
const DEVICE = 'in';

/**
 * A link whose ends are in two network namespaces. This process makes its sockets at the server's end until `close`,
 * with answers in the kernel there; those of clients are made apart.
 */
export class KernelLink {
  private readonly namespaces = new Namespaces();
  private readonly client: string;
  private readonly leave: () => void;
  private readonly end: () => void = () => undefined;

  constructor(
    name: string,
    private readonly kind: AttachKind = 'tcx',
  ) {
    const server = this.namespaces.add(`${name}-s`);
    this.client = this.namespaces.add(`${name}-c`);
    join([server, DEVICE, [`${SERVER_END}/24`]], [this.client, 'out', CLIENT_ENDS.map((ip) => `${ip}/24`)]);
    if (kind === 'xdp') this.end = passAll(this.client, 'out');
    this.leave = enterNamespace(server);
  }

  readonly open = (): KernelAnswers =>
    KernelAnswers.open({
      devices: [`${this.kind}:${DEVICE}`],
      limit: 8 << 20,
      seed: [randomInt(2 ** 32), randomInt(2 ** 32)],
      clock: realClock,
      log: new TestLog(),
    });

  /** Descriptor of a UDP socket at the clients' end, with a port of its own. */
  clientSocket(address: string): number {
    const libc = loadLibc();
    const back = enterNamespace(this.client);
    try {
      const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      const at = { address, port: 0 };
      const local = encodeSockaddr(at);
      if (fd < 0 || libc.bind(fd, local, local.length) < 0) throw callError('bind', libc.errno(), at);
      return fd;
    } finally {
      back();
    }
  }

  /** As a way to reach a server; `opened` is told of each time that answers are to be given in the kernel. */
  static way(link: () => KernelLink, opened: (answers: KernelAnswers) => void): Way {
    return {
      name: 'UDP, kernel',
      transport: 'udp',
      scheme: 'dns',
      streams: false,
      connects: false,
      batched: true,
      link: {
        addresses: { server: SERVER_END, clients: CLIENT_ENDS },
        open() {
          const answers = link().open();
          opened(answers);
          return answers;
        },
      },
      async connect(server, from) {
        const socket = dgram.createSocket('udp4');
        await new Promise<void>((resolve) => socket.bind({ fd: link().clientSocket(from) }, resolve));
        return datagrams(server, socket, SERVER_END);
      },
    };
  }

  close(): void {
    this.leave();
    this.end();
    this.namespaces.remove();
  }
}
