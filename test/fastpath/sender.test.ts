import { beforeEach, describe, expect, it } from 'vitest';
import { Sender } from '../../src/fastpath/sender.js';
import { ClientAddress, encodeSockaddr } from '../../src/fastpath/sockaddr.js';
import { FakeLibc } from '../support/fake-libc.js';

const client = (port: number): Uint8Array => new Uint8Array(encodeSockaddr({ address: '192.0.2.9', port }));
const client6 = (port: number): Uint8Array => new Uint8Array(encodeSockaddr({ address: '2001:db8::9', port }));

let libc: FakeLibc;
let sender: Sender;
let calls: number;

beforeEach(() => {
  libc = new FakeLibc();
  calls = 0;
  const send = libc.sendmmsg.bind(libc);
  libc.sendmmsg = (...args) => {
    calls++;
    return send(...args);
  };
  sender = new Sender(libc, () => undefined);
});

const say = (text: string, fd = 3, to = client(1)): void =>
  sender.send(fd, Buffer.from(`${text}...`), text.length, new ClientAddress(to, 0));
const sent = (): string[] => libc.sent.map(({ fd, bytes }) => `${fd} ${Buffer.from(bytes).toString()}`);

describe('answers', () => {
  it('of one turn go with one call, each to its client', async () => {
    say('a', 3, client(1));
    say('bc', 3, client6(2));
    say('def', 3, client(3));
    expect(calls).toBe(0);
    await Promise.resolve();
    expect([sent(), calls]).toEqual([['3 a', '3 bc', '3 def'], 1]);
    expect(libc.sent.map(({ address }) => new Uint8Array(address))).toEqual([client(1), client6(2), client(3)]);
  });

  it('of the next turn go with the next call', async () => {
    for (const text of ['a', 'b', 'c']) {
      say(text);
      await Promise.resolve();
    }
    expect([sent(), calls]).toEqual([['3 a', '3 b', '3 c'], 3]);
  });

  it('that come up while others are sent go together too', async () => {
    const soon = (text: string): Promise<void> => Promise.resolve().then(() => say(text));
    say('a');
    const first = soon('c');
    say('b');
    await Promise.all([first, soon('d')]);
    await Promise.resolve();
    expect([sent(), calls]).toEqual([['3 a', '3 b', '3 c', '3 d'], 2]);
  });

  it('of different sockets keep their order', () => {
    ['3', '4', '3'].forEach((fd, i) => say(`${i}`, Number(fd)));
    sender.flush();
    expect(sent()).toEqual(['3 0', '4 1', '3 2']);
  });

  it('beyond a batch go with the next', () => {
    for (let i = 0; i < 130; i++) say(`${i}`);
    sender.flush();
    expect(sent()).toEqual(Array.from({ length: 130 }, (_, i) => `3 ${i}`));
    expect(calls).toBe(3);
  });

  it('that are long go by themselves, behind those before them', () => {
    say('short');
    say('x'.repeat(1537));
    say('y'.repeat(1536));
    say('z');
    sender.flush();
    expect(libc.sent.map(({ bytes }) => bytes.length)).toEqual([5, 1537, 1536, 1]);
    expect(calls).toBe(3);
  });

  it('are sent once', async () => {
    say('a');
    sender.flush();
    sender.flush();
    await Promise.resolve();
    expect(sent()).toEqual(['3 a']);
  });

  it('that cannot be sent do not keep others back', () => {
    ['a', 'b', 'c'].forEach((text) => say(text));
    libc.sends = [-101, 2];
    sender.flush();
    expect(sent()).toEqual(['3 b', '3 c']);
  });

  it('leave from where their queries came in, by whatever interface', () => {
    const control = Buffer.from('200000000000000000000000080000000500000034121212ffffffff00000000', 'hex');
    const plain = Buffer.from('a');
    sender.send(3, plain, 1, new ClientAddress(client(1), 0, control));
    sender.send(3, plain, 1, new ClientAddress(client(2), 0));
    sender.flush();
    expect(libc.sent.map((one) => Buffer.from(one.control!).toString('hex'))).toEqual([
      '200000000000000000000000080000000000000034121212ffffffff00000000',
      '',
    ]);
  });

  it('go to nobody in particular at a connected socket', () => {
    sender.send(3, Buffer.from('a'), 1, undefined);
    sender.flush();
    expect(libc.sent.map(({ address }) => address.length)).toEqual([0]);
  });

  it('that meet an error are told of, an interrupted call is not one', () => {
    const errors: number[][] = [];
    sender = new Sender(libc, (...error) => errors.push(error));
    libc.sends = [-4, -111, 1, -101];
    ['a', 'b', 'x'.repeat(2000)].forEach((text) => say(text));
    sender.flush();
    expect([sent(), errors]).toEqual([
      ['3 b'],
      [
        [3, 111, 1],
        [3, 101, 1],
      ],
    ]);
  });

  it('never wait for room: those for which there is none are lost and counted, and the next ones go', () => {
    const losses: number[][] = [];
    sender = new Sender(libc, (...loss) => losses.push(loss));
    libc.sends = [1, -11];
    ['a', 'b', 'c', 'd'].forEach((text) => say(text));
    sender.flush();
    say('e');
    sender.flush();
    expect([sent(), losses]).toEqual([['3 a', '3 e'], [[3, 11, 3]]]);
    // MSG_DONTWAIT
    expect(libc.sendFlags).toEqual([0x40, 0x40, 0x40]);
  });
});
