import { formatIp, parseIp } from '../lib/cidr.js';
import { fromBase64, fromHex, ip4, ip6, name, toHex, wholeNumber, wrongWord, type RdataField } from './fields.js';

/** Octets in pairs of hexadecimal digits with dashes between them (RFC 7043). */
const dashed = (octets: number): RdataField => ({
  end: (_, at) => at + octets,
  text: (data, at, end) => data.toString('hex', at, end).replace(/..(?!$)/g, '$&-'),
  read(words, sink) {
    const word = words.take();
    if (!/^(?:[\da-f]{2}-)*[\da-f]{2}$/i.test(word) || word.length !== octets * 3 - 1)
      wrongWord(word, `${octets} pairs of hexadecimal digits with dashes between them`);
    sink.put(fromHex([word.replaceAll('-', '')]));
  },
});

export const eui48 = dashed(6);
export const eui64 = dashed(8);

/** 64 bits as four groups of hexadecimal digits (RFC 6742). */
export const locator64: RdataField = {
  end: (_, at) => at + 8,
  text: (data, at) =>
    [0, 2, 4, 6]
      .map((i) =>
        data
          .readUInt16BE(at + i)
          .toString(16)
          .padStart(4, '0'),
      )
      .join(':'),
  read(words, sink) {
    const word = words.take();
    if (!/^(?:[\da-f]{1,4}:){3}[\da-f]{1,4}$/i.test(word)) wrongWord(word, 'four groups of hexadecimal digits');
    for (const group of word.split(':')) sink.uint(parseInt(group, 16), 2);
  },
};

/** A number of eight octets. */
export const u64: RdataField = {
  end: (_, at) => at + 8,
  text: (data, at) => String(data.readBigUInt64BE(at)),
  read(words, sink) {
    const word = words.take();
    const number = /^\d{1,20}$/.test(word) ? BigInt(word) : 2n ** 64n;
    if (number >= 2n ** 64n) wrongWord(word, 'a number of 64 bits');
    const octets = Buffer.alloc(8);
    octets.writeBigUInt64BE(number);
    sink.put(octets);
  },
};

/** An OSI address: `0x` and digits, in which dots mean nothing (RFC 1706 section 7). */
export const nsap: RdataField = {
  end: (data) => data.length,
  text: (data, at) => (at === data.length ? undefined : `0x${data.toString('hex', at)}`),
  read(words, sink) {
    const word = words.take();
    if (!/^0x[\da-f.]+$/i.test(word)) wrongWord(word, '0x and hexadecimal digits');
    sink.put(fromHex([word.slice(2).replaceAll('.', '')]));
  },
};

const GATEWAYS: readonly (RdataField | undefined)[] = [undefined, ip4, ip6, name];

/** A gateway whose form the octet at 1 of the data tells (RFC 4025 section 2.5, RFC 8777 section 4.2.3). */
export const gateway: RdataField = {
  end(data, at) {
    const kind = data[1]! & 0x7f;
    return kind === 0 ? at : (GATEWAYS[kind]?.end(data, at) ?? data.length + 1);
  },
  text: (data, at, end) => (end === at ? '.' : GATEWAYS[data[1]! & 0x7f]!.text(data, at, end)),
  read(words, sink) {
    const kind = sink.bytes[1]! & 0x7f;
    if (kind === 0) {
      const word = words.take();
      if (word !== '.') wrongWord(word, "'.' for no gateway");
    } else if (kind > 3) wrongWord(String(kind), 'a type of gateway from 0 to 3');
    else GATEWAYS[kind]!.read(words, sink);
  },
};

/** Discovery, as a bit of the relay's type, and the type (RFC 8777 section 4.2). */
export const relayType: RdataField = {
  end: (_, at) => at + 1,
  text: (data, at) => `${data[at]! >> 7} ${data[at]! & 0x7f}`,
  read(words, sink) {
    const discovery = wholeNumber(words.take(), 1);
    sink.uint((discovery << 7) | wholeNumber(words.take(), 127), 1);
  },
};

/** A public key in base64, perhaps none. */
export const optionalKey: RdataField = {
  end: (data) => data.length,
  text: (data, at) => data.toString('base64', at),
  read(words, sink) {
    if (words.left > 0) sink.put(fromBase64(words.rest()));
  },
};

/** The Host Identity Protocol's whole data: tag and key have their lengths in front (RFC 8005 section 5). */
export const hostIdentity: RdataField = {
  end: (data) => (data.length < 4 || 4 + data[0]! + data.readUInt16BE(2) > data.length ? Infinity : data.length),
  text(data) {
    const key = 4 + data[0]!;
    const texts: string[] = [String(data[1]), toHex(data.subarray(4, key))];
    let at = key + data.readUInt16BE(2);
    texts.push(data.toString('base64', key, at));
    while (at < data.length) {
      const end = name.end(data, at);
      if (end > data.length) return undefined;
      texts.push(name.text(data, at, end)!);
      at = end;
    }
    return texts.includes('') ? undefined : texts.join(' ');
  },
  read(words, sink) {
    const algorithm = wholeNumber(words.take(), 255);
    const tag = fromHex([words.take()]);
    const key = fromBase64([words.take()]);
    if (tag.length > 255) wrongWord(toHex(tag), 'a tag of at most 255 bytes');
    sink.put(Uint8Array.of(tag.length, algorithm));
    sink.uint(key.length, 2);
    sink.put(tag);
    sink.put(key);
    while (words.left > 0) name.read(words, sink);
  },
};

/** An IPv6 address behind a prefix of given length, and who knows the prefix (RFC 2874 section 3.1). */
export const a6: RdataField = {
  end(data, at) {
    const prefix = data[at] ?? 255;
    if (prefix > 128) return data.length + 1;
    const suffix = at + 1 + 16 - (prefix >> 3);
    return prefix === 0 ? suffix : name.end(data, suffix);
  },
  text(data, at, end) {
    const prefix = data[at]!;
    const length = 16 - (prefix >> 3);
    const address = Buffer.alloc(16);
    data.copy(address, 16 - length, at + 1, at + 1 + length);
    const suffix = prefix === 128 ? '' : ` ${formatIp(address)}`;
    return `${prefix}${suffix}${prefix === 0 ? '' : ` ${name.text(data, at + 1 + length, end)}`}`;
  },
  read(words, sink) {
    const prefix = wholeNumber(words.take(), 128);
    sink.uint(prefix, 1);
    if (prefix < 128) {
      const word = words.take();
      const address = parseIp(word);
      if (address?.length !== 16) return wrongWord(word, 'an IPv6 address');
      address[prefix >> 3]! &= 0xff >> (prefix & 7);
      sink.put(address.subarray(prefix >> 3));
    }
    if (prefix > 0) name.read(words, sink);
  },
};

const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17 };

/** A protocol and the ports at which it is served (RFC 1035 section 3.4.2); ports are numbers. */
export const services: RdataField = {
  end: (data, at) => Math.max(at + 1, data.length),
  text(data, at) {
    if (data[data.length - 1] === 0 && data.length > at + 1) return undefined;
    const texts = [String(data[at])];
    for (let bit = 0; bit < (data.length - at - 1) * 8; bit++)
      if (data[at + 1 + (bit >> 3)]! & (0x80 >> (bit & 7))) texts.push(String(bit));
    return texts.join(' ');
  },
  read(words, sink) {
    const protocol = words.take();
    sink.uint(PROTOCOLS[protocol.toLowerCase()] ?? wholeNumber(protocol, 255), 1);
    const bits = new Uint8Array(8192);
    while (words.left > 0) {
      const port = wholeNumber(words.take(), 0xffff);
      bits[port >> 3]! |= 0x80 >> (port & 7);
    }
    sink.put(bits.subarray(0, bits.findLastIndex((octet) => octet !== 0) + 1));
  },
};
