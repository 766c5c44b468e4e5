import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { frame } from '../../src/wire/index.js';

const HEADER = 12;
const ADDRESS = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);

/** Repeats the question and adds 192.0.2.1, or another address of that network. */
export function answerTo(query: Buffer, host = 1): Buffer {
  let end = HEADER;
  while (query[end] !== 0) end += query[end]! + 1;
  const answer = Buffer.concat([query.subarray(0, end + 5), ADDRESS]);
  answer.writeUInt16BE(0x8180, 2);
  answer.fill(0, 6, HEADER);
  answer[7] = 1;
  answer[answer.length - 1] = host;
  return answer;
}

/** Answers everything over UDP and TCP after so many milliseconds, each on its own. */
export class FarUpstream {
  asked = 0;
  /** Where queries came from. */
  readonly ports = new Set<string>();
  /** Called with each query over UDP, before it is answered; sends what it likes from here to there. */
  meddle: ((query: Buffer, port: number, send: (reply: Buffer) => void) => void) | undefined;
  private stopped = false;
  private readonly sockets = new Set<net.Socket>();

  private constructor(
    private readonly udp: dgram.Socket,
    private readonly tcp: net.Server,
    public away: number,
  ) {
    udp.on('message', (query, from) => {
      this.asked++;
      this.ports.add(`udp ${from.port}`);
      this.meddle?.(query, from.port, (reply) => udp.send(reply, from.port, from.address));
      setTimeout(() => this.stopped || udp.send(answerTo(query), from.port, from.address), this.away);
    });
    tcp.on('connection', (socket) => this.serve(socket));
  }

  static async start(port: number, away: number): Promise<FarUpstream> {
    const udp = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    udp.bind(port, '127.0.0.1');
    await once(udp, 'listening');
    const tcp = net.createServer().listen(port, '127.0.0.1');
    await once(tcp, 'listening');
    return new FarUpstream(udp, tcp, away);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const socket of this.sockets) socket.destroy();
    await Promise.all([
      new Promise<void>((resolve) => this.udp.close(() => resolve())),
      new Promise((resolve) => this.tcp.close(resolve)),
    ]);
  }

  private serve(socket: net.Socket): void {
    this.sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const query = rest.subarray(2, 2 + rest.readUInt16BE(0));
        rest = rest.subarray(2 + query.length);
        this.asked++;
        this.ports.add(`tcp ${socket.remotePort}`);
        setTimeout(() => socket.write(frame(answerTo(query))), this.away);
      }
    });
  }
}
