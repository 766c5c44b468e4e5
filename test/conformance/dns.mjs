// A small DNS client for the checks: it shares no code with the project it judges.
import dgram from 'node:dgram';
import net from 'node:net';

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DS: 43,
  SVCB: 64,
  HTTPS: 65,
  OPT: 41,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
};
export const CLASS = { IN: 1, CH: 3, HS: 4, ANY: 255 };
const TN = Object.fromEntries(Object.entries(TYPE).map(([k, v]) => [v, k]));
const CN = Object.fromEntries(Object.entries(CLASS).map(([k, v]) => [v, k]));
export const RCODE = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
];

function encName(n) {
  if (n === '.' || n === '') return Buffer.from([0]);
  const parts = n.replace(/\.$/, '').split('.');
  return Buffer.concat([
    ...parts.map((p) => {
      const b = Buffer.from(p, 'latin1');
      return Buffer.concat([Buffer.from([b.length]), b]);
    }),
    Buffer.from([0]),
  ]);
}

export function query({
  name,
  type = 'A',
  class: cls = 'IN',
  id = (Math.random() * 65536) | 0,
  rd = true,
  cd = false,
  ad = false,
  edns,
  do: dobit = false,
  opcode = 0,
  cookie,
}) {
  const h = Buffer.alloc(12);
  h.writeUInt16BE(id, 0);
  h[2] = (opcode << 3) | (rd ? 1 : 0);
  h[3] = (ad ? 0x20 : 0) | (cd ? 0x10 : 0);
  h.writeUInt16BE(1, 4);
  const t = typeof type === 'number' ? type : (TYPE[type] ?? Number(String(type).replace('TYPE', '')));
  const q = Buffer.alloc(4);
  q.writeUInt16BE(t, 0);
  q.writeUInt16BE(CLASS[cls] ?? cls, 2);
  const parts = [h, encName(name), q];
  if (edns) {
    const o = Buffer.alloc(11);
    o[0] = 0;
    o.writeUInt16BE(41, 1);
    o.writeUInt16BE(edns, 3);
    o[7] = dobit ? 0x80 : 0;
    h.writeUInt16BE(1, 10);
    if (cookie) {
      const c = Buffer.from(cookie, 'hex');
      const x = Buffer.alloc(4);
      x.writeUInt16BE(10, 0);
      x.writeUInt16BE(c.length, 2);
      o.writeUInt16BE(4 + c.length, 9);
      parts.push(o, x, c);
    } else parts.push(o);
  }
  return Buffer.concat(parts);
}

function decName(b, o) {
  let s = '',
    jumped = false,
    end = o,
    hops = 0;
  for (;;) {
    if (o >= b.length) throw new Error('name past the end');
    const l = b[o];
    if (l === 0) {
      if (!jumped) end = o + 1;
      break;
    }
    if ((l & 0xc0) === 0xc0) {
      if (!jumped) end = o + 2;
      o = ((l & 0x3f) << 8) | b[o + 1];
      jumped = true;
      if (++hops > 60) throw new Error('pointer loop');
      continue;
    }
    s += b.latin1Slice(o + 1, o + 1 + l) + '.';
    o += l + 1;
  }
  return [s || '.', end];
}
const v6 = (b) => {
  const g = [];
  for (let i = 0; i < 16; i += 2) g.push(b.readUInt16BE(i).toString(16));
  return g.join(':');
};

function rdata(b, t, o, l) {
  const n = (x) => decName(b, x)[0];
  switch (TN[t]) {
    case 'A':
      return [...b.subarray(o, o + 4)].join('.');
    case 'AAAA':
      return v6(b.subarray(o, o + 16));
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return n(o);
    case 'MX':
      return `${b.readUInt16BE(o)} ${n(o + 2)}`;
    case 'SRV':
      return `${b.readUInt16BE(o)} ${b.readUInt16BE(o + 2)} ${b.readUInt16BE(o + 4)} ${n(o + 6)}`;
    case 'TXT':
    case 'HINFO': {
      const r = [];
      let p = o;
      while (p < o + l) {
        r.push(JSON.stringify(b.latin1Slice(p + 1, p + 1 + b[p])));
        p += 1 + b[p];
      }
      return r.join(' ');
    }
    case 'SOA': {
      const [m, e1] = decName(b, o);
      const [r, e2] = decName(b, e1);
      return `${m} ${r} ${[0, 4, 8, 12, 16].map((k) => b.readUInt32BE(e2 + k)).join(' ')}`;
    }
    default:
      return b.subarray(o, o + l).toString('hex');
  }
}

export function decode(b) {
  const f = b.readUInt16BE(2);
  const m = {
    id: b.readUInt16BE(0),
    qr: !!(f & 0x8000),
    opcode: (f >> 11) & 15,
    aa: !!(f & 0x400),
    tc: !!(f & 0x200),
    rd: !!(f & 0x100),
    ra: !!(f & 0x80),
    ad: !!(f & 0x20),
    cd: !!(f & 0x10),
    rcode: f & 15,
    size: b.length,
    question: [],
    answer: [],
    authority: [],
    additional: [],
  };
  let o = 12;
  for (let i = 0; i < b.readUInt16BE(4); i++) {
    const [n, e] = decName(b, o);
    m.question.push({
      name: n,
      type: TN[b.readUInt16BE(e)] ?? `TYPE${b.readUInt16BE(e)}`,
      class: CN[b.readUInt16BE(e + 2)],
    });
    o = e + 4;
  }
  for (const [sec, at] of [
    ['answer', 6],
    ['authority', 8],
    ['additional', 10],
  ]) {
    for (let i = 0; i < b.readUInt16BE(at); i++) {
      const [n, e] = decName(b, o);
      const t = b.readUInt16BE(e),
        c = b.readUInt16BE(e + 2),
        ttl = b.readUInt32BE(e + 4),
        l = b.readUInt16BE(e + 8);
      if (t === 41) {
        m.edns = { udp: c, do: !!(ttl & 0x8000), version: (ttl >> 16) & 255 };
        m.rcode |= (ttl >>> 24) << 4;
      } else m[sec].push({ name: n, type: TN[t] ?? `TYPE${t}`, class: CN[c] ?? c, ttl, data: rdata(b, t, e + 10, l) });
      o = e + 10 + l;
    }
  }
  m.rcode = RCODE[m.rcode] ?? `RCODE${m.rcode}`;
  return m;
}

export function udp(host, port, payload, timeout = 8000) {
  return new Promise((res, rej) => {
    const s = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const t = setTimeout(() => {
      s.close();
      rej(new Error('timeout'));
    }, timeout);
    s.on('message', (m) => {
      clearTimeout(t);
      s.close();
      res(m);
    });
    s.on('error', (e) => {
      clearTimeout(t);
      s.close();
      rej(e);
    });
    s.connect(port, host, () => s.send(payload));
  });
}

export function tcp(host, port, payload, timeout = 8000) {
  return new Promise((res, rej) => {
    const s = net.connect(port, host);
    let buf = Buffer.alloc(0);
    const t = setTimeout(() => {
      s.destroy();
      rej(new Error('timeout'));
    }, timeout);
    s.on('connect', () => {
      const l = Buffer.alloc(2);
      l.writeUInt16BE(payload.length);
      s.write(Buffer.concat([l, payload]));
    });
    s.on('data', (d) => {
      buf = Buffer.concat([buf, d]);
      if (buf.length >= 2 && buf.length >= 2 + buf.readUInt16BE(0)) {
        clearTimeout(t);
        s.destroy();
        res(buf.subarray(2, 2 + buf.readUInt16BE(0)));
      }
    });
    s.on('error', (e) => {
      clearTimeout(t);
      rej(e);
    });
    s.on('close', () => {
      clearTimeout(t);
      rej(new Error('closed'));
    });
  });
}

export async function ask(host, port, q) {
  const p = query(q);
  const r = await (q.proto === 'tcp' ? tcp : udp)(host, port, p, q.timeout);
  return decode(r);
}
