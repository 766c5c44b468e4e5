import { Flag, Rcode, Type, parseRr, typeName, type Message, type Rr } from '../../src/wire/index.js';

const SOA = 'SOA ns.dns.cluster.local. hostmaster.cluster.local. 1795201889 7200 1800 86400 30';

const RECORDS: readonly Rr[] = `
webpod.default.svc.cluster.local. 30 A 10.96.152.212
dns.default.svc.cluster.local. 30 A 10.0.2.3
db.default.svc.cluster.local. 30 A 172.20.1.50
db.default.svc.cluster.local. 30 A 172.20.0.51
google.com. 30 A 142.250.196.110
google.com. 30 AAAA 2404:6800:4004:825::200e
v6only.default.svc.cluster.local. 30 AAAA fd00::1
alias.example.org. 30 CNAME google.com.
dead.example.org. 30 CNAME nosuch.example.org.
cluster.local. 30 ${SOA}
_dns._udp.kube-dns.kube-system.svc.cluster.local. 300 SRV 0 100 53 kube-dns.kube-system.svc.cluster.local.
_postgres._tcp.db.default.svc.cluster.local. 300 SRV 0 50 5432 db-0.db.default.svc.cluster.local.
_postgres._tcp.db.default.svc.cluster.local. 300 SRV 0 50 5432 db-1.db.default.svc.cluster.local.
db-0.db.default.svc.cluster.local. 30 A 172.20.1.50
example.org. 300 MX 10 mail.example.org.
example.org. 300 MX 20 mx.example.net.
example.org. 86400 TXT "v=spf1 -all"
example.org. 86400 TXT "two" "str\\"ings"
example.org. 300 NS ns1.example.org.
example.org. 300 NS ns2.example.org.
example.org. 300 A 192.0.2.80
example.org. 300 CAA 0 issue "ca.example.org"
example.org. 300 ${SOA}
mail.example.org. 300 A 192.0.2.25
mail.example.org. 300 AAAA 2001:db8::25
212.152.96.10.in-addr.arpa. 30 PTR webpod.default.svc.cluster.local.
`
  .trim()
  .split('\n')
  .map(parseRr);

/** First labels that make the server misbehave, longest first where one starts like another. */
const MOODS = ['servfaila', 'servfail', 'refused', 'timeout', 'nodata', 'trunc', 'notimp', 'formerr', 'half'] as const;

const moodOf = (name: string): (typeof MOODS)[number] | undefined => {
  for (const label of name.split('.')) for (const mood of MOODS) if (label.startsWith(mood)) return mood;
  return undefined;
};

/**
 * The server that the recorded programs were asking: cluster.local authoritatively and without recursion, everything
 * else with it. A label such as
 * `servfail` or `timeout` anywhere in the name makes it behave so. undefined: no answer.
 */
export function answer(query: Message, protocol: 'udp' | 'tcp'): Message | undefined {
  const [question] = query.question;
  if (question === undefined) return undefined;
  const name = question.name.toLowerCase();
  const local = name.endsWith('cluster.local.');
  const reply: Message = {
    id: query.id,
    flags: Flag.QR | (query.flags & Flag.RD) | (local ? Flag.AA : Flag.RA),
    rcode: 0,
    question: [question],
    answer: [],
    authority: [],
    additional: [],
    edns: query.edns && { udpSize: 1232, version: 0, do: false, options: [] },
  };
  const negative = [parseRr(`${local ? 'cluster.local.' : '.'} 30 ${SOA}`)];
  const mood = moodOf(name);
  switch (mood) {
    case 'servfaila':
      return question.type === Type.A
        ? { ...reply, rcode: Rcode.SERVFAIL }
        : { ...reply, answer: [parseRr(`${name} 30 AAAA fd00::2`)] };
    case 'servfail':
      return { ...reply, rcode: Rcode.SERVFAIL };
    case 'refused':
      return { ...reply, rcode: Rcode.REFUSED };
    case 'notimp':
      return { ...reply, rcode: Rcode.NOTIMP };
    case 'formerr':
      return { ...reply, rcode: Rcode.FORMERR };
    case 'timeout':
      return undefined;
    case 'nodata':
      return { ...reply, authority: [parseRr(`cluster.local. 30 ${SOA}`)] };
    case 'half':
      return question.type === Type.AAAA ? undefined : { ...reply, answer: [parseRr(`${name} 30 A 10.1.1.1`)] };
    case 'trunc':
      if (protocol === 'udp') return { ...reply, flags: reply.flags | Flag.TC };
      return { ...reply, answer: question.type === Type.A ? [parseRr(`${name} 30 A 10.1.1.1`)] : [] };
    default:
  }
  const alias = RECORDS.find((record) => record.name === name && record.type === Type.CNAME);
  const target =
    alias === undefined
      ? name
      : Buffer.from(alias.rdata)
          .toString('latin1')
          .replace(/[^a-z]/g, '.')
          .replace(/^\./, '');
  const owned = RECORDS.filter((record) => record.name === target);
  const answers = [...(alias ? [alias] : []), ...owned.filter((record) => record.type === question.type)];
  if (owned.length === 0) return { ...reply, rcode: Rcode.NXDOMAIN, answer: answers, authority: negative };
  const glue =
    typeName(question.type) === 'MX'
      ? 'mail.example.org.'
      : name.startsWith('_postgres')
        ? 'db-0.db.default.svc.cluster.local.'
        : undefined;
  return {
    ...reply,
    answer: answers,
    authority: answers.length > 0 ? [] : [parseRr(`cluster.local. 30 ${SOA}`)],
    additional: answers.length > 0 && glue !== undefined ? RECORDS.filter((record) => record.name === glue) : [],
  };
}
