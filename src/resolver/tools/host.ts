import {
  Class,
  Flag,
  Rcode,
  Type,
  classFromName,
  rcodeName,
  typeFromName,
  typeName,
  type Message,
  type Rr,
} from '../../wire/index.js';
import { endOfAliases } from '../libc/addresses.js';
import { BindLookup, at, type BindEvent, type BindOptions, type BindReply } from './bind.js';
import { bindBare, bindRdata, headerLines, questionLine, recordLine } from './bind-text.js';
import { ToolProcess, reverseOf, serversOf, whyNoName, type ToolEnv, type ToolRun } from './tool.js';

/** What host says between owner and data. */
const PHRASES = new Map<number, string>([
  [Type.A, 'has address'],
  [Type.NS, 'name server'],
  [Type.CNAME, 'is an alias for'],
  [Type.SOA, 'has SOA record'],
  [Type.PTR, 'domain name pointer'],
  [Type.MX, 'mail is handled by'],
  [Type.TXT, 'descriptive text'],
  [Type.AAAA, 'has IPv6 address'],
]);

/** Sends to a server; host does not look at the `attempts` of resolv.conf. */
const TRIES = 2;

interface HostArguments {
  names: string[];
  type: number | undefined;
  verbose: boolean;
  tcp: boolean;
  recurse: boolean;
  stopAtServfail: boolean;
  ndots: number | undefined;
  timeout: number | undefined;
  tries: number | undefined;
  class: number;
  port: number;
}

const USAGE = `Usage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]
            [-R number] [-m flag] [-p port] hostname [server]
       -a is equivalent to -v -t ANY
       -A is like -a but omits RRSIG, NSEC, NSEC3
       -c specifies query class for non-IN data
       -C compares SOA records on authoritative nameservers
       -d is equivalent to -v
       -l lists all hosts in a domain, using AXFR
       -m set memory debugging flag (trace|record|usage)
       -N changes the number of dots allowed before root lookup is done
       -p specifies the port on the server to query
       -r disables recursive processing
       -R specifies number of retries for UDP packets
       -s a SERVFAIL response should stop query
       -t specifies the query type
       -T enables TCP/IP mode
       -U enables UDP mode
       -v enables verbose output
       -V print version number and exit
       -w specifies to wait forever for a reply
       -W specifies how long to wait for a reply
       -4 use IPv4 query transport only
       -6 use IPv6 query transport only
`;

/** host of BIND 9.18: `runHost(['google.com'], env)`. */
export async function runHost(args: readonly string[], env: ToolEnv): Promise<ToolRun> {
  const session = new ToolProcess(env);
  const wanted = readArguments(args);
  if ('fault' in wanted) {
    session.print(wanted.fault);
    return session.done(wanted.exitCode);
  }
  const [name, server] = wanted.names;
  if (name === undefined) {
    session.print(USAGE);
    return session.done(1);
  }
  return session.done(await new Host(session, wanted).run(name, server));
}

class Host {
  private failed = false;

  constructor(
    private readonly session: ToolProcess,
    private readonly wanted: HostArguments,
  ) {}

  async run(name: string, server: string | undefined): Promise<number> {
    const { session, wanted } = this;
    const settings = session.settings('bind');
    const given =
      server === undefined
        ? settings.servers.map((address) => ({ address, port: wanted.port, label: address }))
        : await serversOf(session, 'host', server, wanted.port);
    if (given === undefined) return 1;
    const why = whyNoName(name);
    if (why !== undefined) {
      session.line(`host: '${name}' is not a legal name (${why})`);
      return 1;
    }
    const options: BindOptions = {
      servers: given,
      search: settings.search,
      ndots: wanted.ndots ?? settings.ndots,
      useSearch: true,
      showSearch: false,
      timeout: wanted.timeout ?? settings.timeout,
      tries: wanted.tries ?? TRIES,
      tcp: wanted.tcp,
      ignoreTruncation: false,
      flags: wanted.recurse ? Flag.RD : 0,
      edns: undefined,
      class: wanted.class,
      servfailStops: wanted.stopAtServfail,
      checkRa: true,
    };
    if (server !== undefined) {
      session.print(`Using domain server:\nName: ${server}\nAddress: ${at(options.servers[0]!)}\nAliases: \n\n`);
    }
    const reverse = reverseOf(name);
    const type = wanted.type ?? (reverse === undefined ? Type.A : Type.PTR);
    const first = await new BindLookup(session.conversation, options, (event) => this.show(event, name)).run(
      reverse ?? name,
      type,
    );
    const { reply } = first;
    if (wanted.type === undefined && type === Type.A && reply?.message.rcode === Rcode.NOERROR) {
      const target = bindBare(endOfAliases(reply.packet.name, reply.message));
      for (const next of [Type.AAAA, Type.MX]) {
        await new BindLookup(session.conversation, { ...options, tcp: first.tcp, useSearch: false }, (event) =>
          this.show(event, target),
        ).run(target, next);
      }
    }
    return this.failed ? 1 : 0;
  }

  private show(event: BindEvent, asked: string): void {
    const { session, wanted } = this;
    switch (event.kind) {
      case 'trouble':
        session.line(`;; ${event.text}`);
        break;
      case 'unreached':
        this.failed = true;
        session.line(';; no servers could be reached');
        break;
      case 'trying':
        if (wanted.verbose) session.line(`Trying "${bindBare(event.name)}"`);
        break;
      case 'reply':
        this.reply(event, asked);
        break;
      case 'comment':
      case 'sending':
    }
  }

  private reply(reply: BindReply, asked: string): void {
    const { session, wanted } = this;
    const { message, packet } = reply;
    if (message.rcode !== Rcode.NOERROR) {
      this.failed = true;
      const name = message.rcode === Rcode.NXDOMAIN ? (reverseOf(asked) ?? asked) : bindBare(packet.name);
      session.line(`Host ${name} not found: ${message.rcode}(${rcodeName(message.rcode)})`);
    } else if (wanted.verbose) this.long(message);
    else {
      for (const record of message.answer) session.line(sentence(record));
      if (message.answer.length === 0 && wanted.type !== undefined)
        session.line(`${bindBare(packet.name)} has no ${typeName(packet.type)} record`);
    }
    if (wanted.verbose && reply.receipts > 0) {
      for (let i = 0; i < reply.receipts; i++)
        session.line(`Received ${reply.size} bytes from ${at(reply.server)} in ${Math.floor(reply.took)} ms`);
    }
  }

  private long(message: Message): void {
    const { session } = this;
    for (const line of headerLines(message).filter((line) => !line.startsWith(';; WARNING'))) session.line(line);
    session.line();
    const sections: [string, string[]][] = [
      ['QUESTION', message.question.map((question) => questionLine(question))],
      ['ANSWER', message.answer.map((record) => recordLine(record))],
      ['AUTHORITY', message.authority.map((record) => recordLine(record))],
      ['ADDITIONAL', message.additional.map((record) => recordLine(record))],
    ];
    for (const [title, lines] of sections) {
      if (lines.length > 0) session.print(`;; ${title} SECTION:\n${lines.join('\n')}\n\n`);
    }
  }
}

const sentence = (record: Rr): string =>
  `${bindBare(record.name)} ${PHRASES.get(record.type) ?? `has ${typeName(record.type)} record`} ${bindRdata(record)}`;

function readArguments(args: readonly string[]): HostArguments | { readonly fault: string; readonly exitCode: number } {
  const wanted: HostArguments = {
    names: [],
    type: undefined,
    verbose: false,
    tcp: false,
    recurse: true,
    stopAtServfail: false,
    ndots: undefined,
    timeout: undefined,
    tries: undefined,
    class: Class.IN,
    port: 53,
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith('-')) {
      wanted.names.push(arg);
      continue;
    }
    const letter = arg[1] ?? '';
    const value = 'ctpWRN'.includes(letter) ? (arg.length > 2 ? arg.slice(2) : args[++i]) : undefined;
    switch (letter) {
      case 'a':
        wanted.type = Type.ANY;
        wanted.verbose = true;
        break;
      case 'v':
      case 'd':
        wanted.verbose = true;
        break;
      case 'T':
        wanted.tcp = true;
        break;
      case 'r':
        wanted.recurse = false;
        break;
      case 's':
        wanted.stopAtServfail = true;
        break;
      case '4':
      case '6':
        break;
      case 't':
        wanted.type = typeFromName(value ?? '');
        if (wanted.type === undefined) return { fault: `host: invalid type: ${value ?? ''}\n\n`, exitCode: 2 };
        break;
      case 'c': {
        const found = classFromName(value ?? '');
        if (found === undefined) return { fault: `host: invalid class: ${value ?? ''}\n\n`, exitCode: 2 };
        wanted.class = found;
        break;
      }
      case 'p':
        wanted.port = Number(value);
        break;
      case 'N':
        wanted.ndots = Number(value);
        break;
      case 'W':
        wanted.timeout = Math.max(1, Number(value));
        break;
      case 'R':
        wanted.tries = Math.max(0, Number(value)) + 1;
        break;
      default:
        return { fault: `host: illegal option -- ${letter}\n${USAGE}`, exitCode: 1 };
    }
  }
  return wanted;
}
