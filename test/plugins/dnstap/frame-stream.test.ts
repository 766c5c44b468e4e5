import { describe, expect, it } from 'vitest';
import { TapStream } from '../../../src/plugins/dnstap/frame-stream.js';
import { TapReaders } from '../../../src/plugins/dnstap/readers.js';
import { duplexPair } from '../../support/duplex-pair.js';

const turn = async (): Promise<void> => {
  for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve));
};
const TYPE = Buffer.from('protobuf:dnstap.Dnstap');
/** A control frame of a reader whose length is that of its type and of what stands behind it. */
const control = (type: number, ...fields: readonly (number | Buffer)[]): Buffer => {
  const parts = [type, ...fields].map((field) => (typeof field === 'number' ? Buffer.of(0, 0, 0, field) : field));
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(0, 0, 0, 0, 0, 0, body.length >> 8, body.length & 255), body]);
};
const accept = (more = 0): Buffer => control(1, 1, TYPE.length, TYPE, Buffer.alloc(more));

function began() {
  const [own, reader] = duplexPair();
  const said: string[] = [];
  const got: Buffer[] = [];
  reader.on('data', (chunk: Buffer) => got.push(chunk)).on('error', () => undefined);
  const stream = new TapStream(
    own,
    () => said.push('opened'),
    (error) => said.push(error.message),
  );
  return { own, reader, said, got: () => Buffer.concat(got), stream };
}
const WRONG = 'the reader speaks no frame streams';

describe('the reader of a frame stream', () => {
  it('is offered what there is to read, and told when that begins and ends', async () => {
    const { reader, got, stream } = began();
    await turn();
    reader.write(accept());
    await turn();
    stream.close();
    await turn();
    expect(got()).toEqual(
      Buffer.concat([control(4, 1, TYPE.length, TYPE), control(2, 1, TYPE.length, TYPE), control(3)]),
    );
  });

  it.each([
    { name: 'what is offered', bytes: [accept()], want: ['opened'] },
    { name: 'it in pieces', bytes: [...accept()].map((byte) => Buffer.of(byte)), want: ['opened'] },
    { name: 'it in 512 bytes', bytes: [accept(512 - 12 - TYPE.length)], want: ['opened'] },
    { name: 'it in 513 bytes', bytes: [accept(513 - 12 - TYPE.length)], want: [WRONG] },
    { name: 'something else', bytes: [control(1, 1, 3, Buffer.from('abc'))], want: ['the reader does not take protobuf:dnstap.Dnstap'] },
    { name: 'it in another frame', bytes: [control(4, 1, TYPE.length, TYPE)], want: ['the reader does not take protobuf:dnstap.Dnstap'] },
    { name: 'nothing', bytes: [control(1)], want: ['the reader does not take protobuf:dnstap.Dnstap'] },
    { name: 'less than a type', bytes: [Buffer.of(0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0)], want: [WRONG] },
    { name: 'data', bytes: [Buffer.of(0, 0, 0, 9, 0, 0, 0, 9)], want: [WRONG] },
    { name: 'less than a frame', bytes: [accept().subarray(0, -1)], want: [] },
  ])('accepts $name', async ({ bytes, want }) => {
    const { reader, said, own, stream } = began();
    for (const each of bytes) reader.write(each);
    await turn();
    expect(said).toEqual(want);
    expect([stream.open, own.destroyed]).toEqual([want[0] === 'opened', want.length > 0 && want[0] !== 'opened']);
  }); // prettier-ignore

  it('that goes away ends it', async () => {
    const { reader, said, own } = began();
    reader.end();
    await turn();
    expect([said, own.destroyed]).toEqual([['the reader has closed the connection'], true]);
  });

  it('that has accepted nothing is left at once', async () => {
    const { own, stream, said } = began();
    let closed = false;
    stream.close(() => (closed = true));
    await turn();
    expect([own.destroyed, closed, said]).toEqual([true, true, []]);
  });
});

describe('a reader that takes nothing', () => {
  it.each([
    { name: 'a mebibyte in all', last: 0, dropped: 0 },
    { name: 'a byte more', last: 1, dropped: 1 },
  ])('gets $name and is left: $dropped', async ({ last, dropped }) => {
    let lost = 0;
    const readers = new TapReaders((count) => (lost += count));
    const [own, reader] = duplexPair();
    readers.accept(own);
    reader.write(accept());
    await turn();
    const waiting = (): number => own.writableLength;
    while (waiting() < (1 << 20) - 65_536) readers.send(Buffer.alloc(65_536));
    readers.send(Buffer.alloc((1 << 20) - waiting() + last));
    expect([lost, readers.size, own.destroyed]).toEqual([dropped, 1 - dropped, dropped === 1]);
    readers.stop();
    expect(readers.size).toBe(0);
    reader.destroy();
  });
});
