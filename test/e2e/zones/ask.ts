import { connect } from 'node:net';
import { FrameReader, encodeMessage, frame, typeFromName } from '../../../src/wire/index.js';

export interface Asked {
  readonly name: string;
  readonly type: string;
}

/** Asks a server of 127.0.0.1 over one TCP connection, and gives its answers in the order of the questions. */
export function askAll(port: number, questions: readonly Asked[]): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const answers: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    const frames = new FrameReader();
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new Error(`${reason} after ${answers.length} of ${questions.length} answers from port ${port}`));
    };
    // One after the other: servers may answer out of order, or end a connection that they cannot keep up with.
    const send = (): void => {
      const { name, type } = questions[answers.length]!;
      const none = { rcode: 0, answer: [], authority: [], additional: [] };
      const question = [{ name, type: typeFromName(type)!, class: 1 }];
      socket.write(frame(encodeMessage({ ...none, id: answers.length & 0xffff, flags: 0, question })));
    };
    socket.setTimeout(10_000, () => fail('no answer'));
    socket.on('error', (error) => fail(error.message));
    socket.on('end', () => fail('end of the connection'));
    socket.on('connect', send);
    socket.on('data', (chunk: Buffer) => {
      frames.push(chunk);
      for (let bytes = frames.next(); bytes !== undefined; bytes = frames.next()) {
        answers.push(Buffer.from(bytes));
        if (answers.length < questions.length) send();
        else {
          socket.destroy();
          resolve(answers);
        }
      }
    });
  });
}

/** Waits until a server has a zone: its SOA record is answered. */
export async function untilServed(port: number, zone: string): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const [answer] = await askAll(port, [{ name: zone, type: 'SOA' }]);
    if (answer!.readUInt16BE(6) > 0) return;
    if (performance.now() > deadline) throw new Error(`port ${port} does not come to serve ${zone}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
