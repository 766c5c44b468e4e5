/** How bad a symptom is: `bad` breaks lookups, `warning` does so under load or change, `note` is good to know. */
export type Urgency = 'bad' | 'warning' | 'note';

/** What can be wrong on a node, by name. */
export const SYMPTOMS = {
  'resolv-conf-unreadable': {
    urgency: 'bad',
    means: 'Programs of this host have no resolver, or another one than is written there.',
    todo: 'Correct the line, or whatever writes the file.',
  },
  'resolv-conf-too-many': {
    urgency: 'warning',
    means: 'The C library reads three nameservers and passes over the rest.',
    todo: 'Keep the ones that answer soonest.',
  },
  'resolv-conf-search': {
    urgency: 'warning',
    means: 'Each name is tried with every search domain, each over IPv4 and IPv6: lookups cost a multiple.',
    todo: 'Shorten search, or lower ndots.',
  },
  'resolver-is-nobody': {
    urgency: 'bad',
    means: 'The nameserver is an address of this host, and nothing listens at port 53 there.',
    todo: 'Start the resolver that is meant, or name another one.',
  },
  'server-silent': {
    urgency: 'bad',
    means: 'The nameserver answers neither over UDP nor over TCP: each lookup that goes to it waits for its timeout.',
    todo: 'Look whether the server runs, and at routes and firewalls on the way.',
  },
  'udp-silent': {
    urgency: 'bad',
    means: 'The nameserver answers over TCP alone: every lookup waits for its timeout first.',
    todo: 'Look for rules that drop UDP port 53, and at conntrack.',
  },
  'tcp-silent': {
    urgency: 'warning',
    means: 'Answers that do not fit into a datagram cannot be had.',
    todo: 'Let TCP port 53 through, and have the service list it.',
  },
  'large-answers-lost': {
    urgency: 'bad',
    means: 'An answer that needs fragments does not arrive over UDP: those lookups time out.',
    todo: "Set 'bufsize 1232' at the server, or look for what drops fragments on the way.",
  },
  'server-slow': {
    urgency: 'warning',
    means: 'The nameserver takes long for a name that it should know.',
    todo: 'Look at its load, and at the way to it.',
  },
  'server-fails': {
    urgency: 'bad',
    means: 'The nameserver answers, and says that it cannot resolve.',
    todo: 'Look at its log and at its upstreams.',
  },
  'query-loop': {
    urgency: 'bad',
    means: 'The resolver of this host forwards to an address of this host: queries go round.',
    todo: 'Name the resolvers of the network in its upstream file.',
  },
  'conntrack-full': {
    urgency: 'bad',
    means: 'The table of connections is full, or was: first packets of new connections are dropped.',
    todo: 'Raise net.netfilter.nf_conntrack_max, or keep DNS out of conntrack as a node cache does.',
  },
  'conntrack-races': {
    urgency: 'warning',
    means: 'Two packets of one socket met while their connection was entered, and one was dropped: 5 s lookups.',
    todo: 'Use a node cache, or single-request-reopen in resolv.conf; the rate matters, not the sum.',
  },
  'datagrams-dropped': {
    urgency: 'warning',
    means: 'Datagrams came faster than programs took them: queries or answers were lost.',
    todo: 'Raise net.core.rmem_max and rmem_default, and give the server more CPU.',
  },
  'packets-dropped': {
    urgency: 'warning',
    means: 'Packets came in faster than the kernel took them from the network card.',
    todo: 'Raise net.core.netdev_max_backlog, and spread interrupts over CPUs.',
  },
  'fragments-failed': {
    urgency: 'warning',
    means: 'Fragments of packets did not all arrive: large answers over UDP are lost.',
    todo: "Set 'bufsize 1232' at the servers.",
  },
  'mtu-too-small': {
    urgency: 'bad',
    means: 'IPv6 needs links of 1280 bytes; answers of DNS servers are made to fit into 1232.',
    todo: 'Raise the MTU of the link.',
  },
  'mtu-differs': {
    urgency: 'note',
    means: 'Packets that are made for the larger link are cut into fragments on the smaller one, or dropped.',
    todo: 'Nothing, where servers say no more than 1232 bytes by EDNS.',
  },
  'listener-without-tcp': {
    urgency: 'warning',
    means: 'Something takes DNS over UDP at that address and not over TCP.',
    todo: 'Have it listen for both.',
  },
  'listener-hidden': {
    urgency: 'note',
    means: 'One server listens at all addresses and another at one of them: that address answers otherwise.',
    todo: 'Nothing, where it is meant, as with a node cache; else bind the first one to its addresses.',
  },
  'rules-refuse': {
    urgency: 'bad',
    means: 'A rule of this host drops or refuses DNS.',
    todo: 'Find who set the rule; one that says "has no endpoints" means that no pod of the service is ready.',
  },
  'rules-missing': {
    urgency: 'warning',
    means: 'The link of a node cache is there, and no rule keeps its traffic out of conntrack.',
    todo: 'Look at the log of the node cache; it sets the rules itself where -setupiptables is on.',
  },
  'clock-wrong': {
    urgency: 'bad',
    means: 'Signatures of the root are not valid at the time that this host has: DNSSEC and TLS fail.',
    todo: 'Set the clock, and look at what keeps it.',
  },
  'ports-few': {
    urgency: 'warning',
    means: 'Few ports are left for queries: they run out under load, and are easier to guess.',
    todo: "Widen net.ipv4.ip_local_port_range to '32768 60999' or more.",
  },
  'facts-missing': {
    urgency: 'note',
    means: 'What could not be looked at was not judged.',
    todo: 'Run it as root, on the node itself.',
  },
} as const satisfies Readonly<Record<string, { urgency: Urgency; means: string; todo: string }>>;

export type SymptomName = keyof typeof SYMPTOMS;

/** One symptom, seen. */
export interface Symptom {
  readonly name: SymptomName;
  /** What was seen, with its numbers. */
  readonly text: string;
}

export const symptom = (name: SymptomName, text: string): Symptom => ({ name, text });
