// An upstream resolver that answers by rule and counts what reached it, over UDP and TCP on one port.
import dgram from 'node:dgram';
import net from 'node:net';
import { decode, TYPE } from './dns.mjs';

const enc = (n) =>
  Buffer.concat([
    ...n
      .replace(/\.$/, '')
      .split('.')
      .filter(Boolean)
      .map((p) => Buffer.concat([Buffer.from([p.length]), Buffer.from(p, 'latin1')])),
    Buffer.from([0]),
  ]);
const rr = (name, type, ttl, rd) => {
  const f = Buffer.alloc(10);
  f.writeUInt16BE(TYPE[type], 0);
  f.writeUInt16BE(1, 2);
  f.writeUInt32BE(ttl, 4);
  f.writeUInt16BE(rd.length, 8);
  return Buffer.concat([enc(name), f, rd]);
};
const u16 = (n) => {
  const b = Buffer.alloc(2);
  b.writeUInt16BE(n);
  return b;
};
const u32 = (n) => {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(n);
  return b;
};
export const A = (name, ip, ttl = 300) => rr(name, 'A', ttl, Buffer.from(ip.split('.').map(Number)));
export const AAAA = (name, hex, ttl = 300) => rr(name, 'AAAA', ttl, Buffer.from(hex, 'hex'));
export const CNAME = (name, t, ttl = 300) => rr(name, 'CNAME', ttl, enc(t));
export const TXT = (name, s, ttl = 300) =>
  rr(name, 'TXT', ttl, Buffer.concat([Buffer.from([s.length]), Buffer.from(s)]));
export const MX = (name, p, x, ttl = 300) => rr(name, 'MX', ttl, Buffer.concat([u16(p), enc(x)]));
export const SOA = (name, ttl = 900, min = 900) =>
  rr(
    name,
    'SOA',
    ttl,
    Buffer.concat([
      enc('ns1.' + name),
      enc('hostmaster.' + name),
      u32(2025073000),
      u32(1800),
      u32(900),
      u32(604800),
      u32(min),
    ]),
  );

/** A UDP socket at that port, or null when it is taken. */
const bound = (port, host) =>
  new Promise((resolve, reject) => {
    const socket = dgram.createSocket('udp4');
    const taken = (error) => {
      socket.close();
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    };
    socket.once('error', taken);
    socket.bind(port, host, () => {
      socket.off('error', taken);
      resolve(socket);
    });
  });

export class Upstream {
  /** Queries that could not be decoded: nothing that a server passes on may be. */ bad = 0;
  udp = 0;
  tcp = 0;
  conns = 0;
  seen = [];
  drop = false;
  delay = 0;
  rcode = null;
  maxUdp = 512;
  constructor(rules = defaultRules) {
    this.rules = rules;
  }
  answer(q, isUdp) {
    let m;
    try {
      m = decode(q);
    } catch {
      this.bad++;
      return Buffer.alloc(0);
    }
    const { name, type } = m.question[0];
    this.seen.push({ name, type, proto: isUdp ? 'udp' : 'tcp', id: m.id, rd: m.rd, cd: m.cd, edns: m.edns });
    let r = this.rules(name.toLowerCase(), type) ?? { rcode: 3, auth: [SOA('.')] };
    if (this.rcode !== null) r = { rcode: this.rcode };
    const opt = m.edns
      ? Buffer.concat([Buffer.from([0]), u16(41), u16(1232), Buffer.from([0, 0, m.edns.do ? 0x80 : 0, 0, 0, 0])])
      : null;
    const h = Buffer.alloc(12);
    q.copy(h, 0, 0, 2);
    const an = r.ans ?? [],
      au = r.auth ?? [];
    h[2] = 0x80 | (m.rd ? 1 : 0) | (r.aa ? 4 : 0);
    h[3] = 0x80 | (r.rcode ?? 0) | (m.cd ? 0x10 : 0);
    h.writeUInt16BE(1, 4);
    h.writeUInt16BE(an.length, 6);
    h.writeUInt16BE(au.length, 8);
    h.writeUInt16BE(opt ? 1 : 0, 10);
    let qe = 12;
    while (q[qe]) qe += q[qe] + 1;
    qe += 5;
    let out = Buffer.concat([h, q.subarray(12, qe), ...an, ...au, ...(opt ? [opt] : [])]);
    const lim = m.edns ? Math.max(512, m.edns.udp) : this.maxUdp;
    if (isUdp && out.length > lim) {
      const t = Buffer.concat([h, q.subarray(12, qe), ...(opt ? [opt] : [])]);
      t[2] |= 2;
      t.writeUInt16BE(0, 6);
      t.writeUInt16BE(0, 8);
      out = t;
    }
    return out;
  }
  async listen(port = 0, host = '127.0.0.1') {
    this.t = net.createServer((s) => {
      this.conns++;
      let b = Buffer.alloc(0);
      s.on('error', () => {});
      s.on('data', (d) => {
        b = Buffer.concat([b, d]);
        while (b.length >= 2 && b.length >= 2 + b.readUInt16BE(0)) {
          const q = b.subarray(2, 2 + b.readUInt16BE(0));
          b = b.subarray(2 + q.length);
          this.tcp++;
          if (this.drop) continue;
          const a = this.answer(q, false);
          setTimeout(() => this.closed || s.write(Buffer.concat([u16(a.length), a])), this.delay);
        }
      });
    });
    // A port that is free for TCP may be a client's for UDP; then another is drawn, when any will do.
    for (;;) {
      await new Promise((r) => this.t.listen(port, host, r));
      this.port = this.t.address().port;
      this.u = await bound(this.port, host);
      if (this.u !== null) break;
      await new Promise((r) => this.t.close(r));
      if (port !== 0) throw new Error(`UDP port ${port} of ${host} is taken`);
    }
    this.u.on('message', (q, r) => {
      this.udp++;
      if (this.drop) return;
      const a = this.answer(q, true);
      setTimeout(() => this.closed || this.u.send(a, r.port, r.address), this.delay);
    });
    return this.port;
  }
  reset() {
    this.udp = this.tcp = this.conns = 0;
    this.seen = [];
  }
  close() {
    this.closed = true;
    this.u.close();
    this.t.close();
  }
}

export function defaultRules(name, type) {
  if (name === 'www.example.org.')
    return type === 'A'
      ? { ans: [A(name, '93.184.216.34')] }
      : type === 'AAAA'
        ? { ans: [AAAA(name, '26062800022000010248189325c81946')] }
        : { auth: [SOA('example.org.')] };
  if (name === 'google.com.')
    return type === 'A'
      ? { ans: [A(name, '142.250.196.110')] }
      : type === 'AAAA'
        ? { ans: [AAAA(name, '2404680040040825000000000000200e')] }
        : { auth: [SOA('google.com.', 60, 60)] };
  if (name === 'alias.example.org.')
    return {
      ans: [CNAME(name, 'www.example.org.', 120), ...(type === 'A' ? [A('www.example.org.', '93.184.216.34')] : [])],
    };
  if (name === 'short.example.org.') return { ans: [A(name, '192.0.2.7', 3)] };
  if (name === 'zero.example.org.') return { ans: [A(name, '192.0.2.8', 0)] };
  if (name === 'week.example.org.') return { ans: [A(name, '192.0.2.9', 604800)] };
  if (name === 'many.example.org.') return { ans: Array.from({ length: 80 }, (_, i) => A(name, `192.0.2.${i + 1}`)) };
  if (name === 'text.example.org.') return { ans: [TXT(name, 'x'.repeat(200))] };
  if (name === 'mail.example.org.')
    return { ans: [MX(name, 10, 'mx1.example.org.'), MX(name, 20, 'mx2.example.org.')] };
  if (name === 'nodata.example.org.') return { auth: [SOA('example.org.')] };
  if (name === 'fail.example.org.') return { rcode: 2 };
  if (name === 'refused.example.org.') return { rcode: 5 };
  if (name.startsWith('n') && name.endsWith('.bulk.example.org.')) return { ans: [A(name, '198.51.100.1', 300)] };
  return { rcode: 3, auth: [SOA(name.split('.').slice(-2).join('.') || '.')] };
}
