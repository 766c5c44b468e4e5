import {
  Class,
  Flag,
  Rcode,
  Type,
  classFromName,
  className,
  lowerName,
  rcodeName,
  readName,
  typeFromName,
  typeName,
  type Message,
  type Rr,
  type Section,
} from '../../wire/index.js';
import { endOfAliases } from '../libc/addresses.js';
import { BindLookup, at, type BindEvent, type BindOptions, type BindReply } from './bind.js';
import { bindBare, bindRdata } from './bind-text.js';
import { countDots } from '../packet.js';
import { ToolProcess, reverseOf, serversOf, whyNoName, whyNoNumber, type ToolEnv, type ToolRun } from './tool.js';

/** What goes before record data of a type; other types say `rdata_` and their number. */
const LABELS = new Map<number, string>([
  [Type.A, 'internet address = '],
  [Type.NS, 'nameserver = '],
  [Type.CNAME, 'canonical name = '],
  [Type.PTR, 'name = '],
  [Type.MX, 'mail exchanger = '],
  [Type.TXT, 'text = '],
  [Type.AAAA, 'has AAAA address '],
  [Type.SRV, 'service = '],
  [Type.NAPTR, 'naptr = '],
  [Type.DNAME, 'dname = '],
]);

interface NslookupArguments {
  readonly names: readonly string[];
  readonly type: number | undefined;
  readonly class: number;
  readonly debug: boolean;
  readonly search: boolean;
  readonly recurse: boolean;
  readonly tcp: boolean;
  readonly port: number;
  readonly timeout: number | undefined;
  readonly tries: number | undefined;
  readonly ndots: number | undefined;
}

/**
 * nslookup of BIND 9.18, not interactive: `runNslookup(['-debug', 'webpod'], env)`. What it writes to the standard
 * output and error, in order.
 */
export async function runNslookup(args: readonly string[], env: ToolEnv): Promise<ToolRun> {
  const session = new ToolProcess(env);
  const wanted = readArguments(args, session);
  const [name, server] = wanted.names;
  if (name === undefined) {
    // It would read commands from its standard input; there is none.
    session.line();
    return session.done(1);
  }
  return session.done(await new Nslookup(session, wanted).run(name, server));
}

/** One run: prints each reply and starts the lookups that follow from it. */
class Nslookup {
  private failed = false;
  private unreached = false;
  /** Whether the A lookup found addresses, so that a missing AAAA record is not worth a line. */
  private found = false;

  constructor(
    private readonly session: ToolProcess,
    private readonly wanted: NslookupArguments,
  ) {}

  async run(name: string, server: string | undefined): Promise<number> {
    const { session, wanted } = this;
    const settings = session.settings('bind');
    const given =
      server === undefined
        ? settings.servers.map((address) => ({ address, port: wanted.port, label: address }))
        : await serversOf(session, 'nslookup', server, wanted.port);
    if (given === undefined) return 1;
    const why = whyNoName(name);
    if (why !== undefined) {
      const searched = wanted.search && !name.endsWith('.') && countDots(name) < (wanted.ndots ?? settings.ndots);
      session.line(`nslookup: '${name}' is not ${searched ? 'in legal name syntax' : 'a legal name'} (${why})`);
      return searched ? 1 : 10;
    }
    const options: BindOptions = {
      servers: given,
      search: settings.search,
      ndots: wanted.ndots ?? settings.ndots,
      useSearch: wanted.search,
      showSearch: wanted.debug,
      timeout: wanted.timeout ?? settings.timeout,
      tries: wanted.tries ?? settings.attempts,
      tcp: wanted.tcp || wanted.type === Type.ANY,
      ignoreTruncation: false,
      flags: wanted.recurse ? Flag.RD : 0,
      edns: undefined,
      class: wanted.class,
      servfailStops: false,
      checkRa: true,
    };
    const reverse = reverseOf(name);
    const type = reverse !== undefined && wanted.type === undefined ? Type.PTR : (wanted.type ?? Type.A);
    const text = type === Type.PTR && reverse !== undefined ? reverse : name;
    const first = await new BindLookup(session.conversation, options, (event) => this.show(event, type)).run(
      text,
      type,
    );
    const { reply } = first;
    if (reply !== undefined && reply.message.rcode === Rcode.NOERROR && wanted.type === undefined && type === Type.A) {
      const target = bindBare(endOfAliases(reply.packet.name, reply.message));
      const absolute = { ...options, tcp: first.tcp, useSearch: false };
      await new BindLookup(session.conversation, absolute, (event) => this.show(event, Type.AAAA)).run(
        target,
        Type.AAAA,
      );
    }
    session.line();
    return this.failed || this.unreached ? 1 : 0;
  }

  private show(event: BindEvent, type: number): void {
    const { session } = this;
    if (event.kind === 'comment' || event.kind === 'trouble') session.line(`;; ${event.text}`);
    else if (event.kind === 'unreached') {
      this.unreached = true;
      session.line(';; no servers could be reached');
    } else if (event.kind === 'reply') this.reply(event, type);
  }

  private reply(reply: BindReply, type: number): void {
    const { session, wanted } = this;
    const { message } = reply;
    const plain = wanted.type === undefined;
    if (!plain || type === Type.A) {
      session.line(`Server:\t\t${reply.server.label}`);
      session.line(`Address:\t${at(reply.server)}`);
      session.line();
    }
    if (wanted.debug) this.details(message);
    if (message.rcode !== Rcode.NOERROR) {
      session.line(`** server can't find ${bindBare(reply.packet.name)}: ${rcodeName(message.rcode)}`);
      this.failed = true;
      return;
    }
    const authoritative = (message.flags & Flag.AA) !== 0;
    if (!authoritative && (!plain || type === Type.A)) session.line('Non-authoritative answer:');
    if (message.answer.length > 0) {
      this.found = true;
      for (const record of message.answer) this.record(record, 'answer');
    } else if (!(plain && (type === Type.A || this.found))) session.line(`*** Can't find ${reply.text}: No answer`);
    if (!authoritative && type !== Type.A && type !== Type.AAAA) {
      session.line();
      session.line('Authoritative answers can be found from:');
      for (const section of ['authority', 'additional'] as const)
        for (const record of message[section]) this.record(record, section);
    }
  }

  private record(record: Rr, section: Section): void {
    const owner = bindBare(record.name);
    if (section === 'answer' && (record.type === Type.A || record.type === Type.AAAA)) {
      this.session.line(`Name:\t${owner}`);
      this.session.line(`Address: ${bindRdata(record)}`);
    } else if (record.type === Type.SOA) {
      this.session.line(owner);
      this.soa(record);
    } else this.session.line(`${owner}\t${describe(record)}`);
  }

  private details(message: Message): void {
    const { session } = this;
    session.line('------------');
    session.line('    QUESTIONS:');
    for (const question of message.question)
      session.line(
        `\t${bindBare(question.name)}, type = ${typeName(question.type)}, class = ${className(question.class)}`,
      );
    for (const [title, section] of [
      ['ANSWERS', 'answer'],
      ['AUTHORITY RECORDS', 'authority'],
      ['ADDITIONAL RECORDS', 'additional'],
    ] as const) {
      session.line(`    ${title}:`);
      for (const record of message[section]) {
        session.line(`    ->  ${bindBare(record.name)}`);
        if (record.type === Type.SOA) this.soa(record);
        else session.line(`\t${describe(record)}`);
        session.line(`\tttl = ${record.ttl}`);
      }
    }
    session.line('------------');
  }

  private soa({ rdata }: Rr): void {
    const origin = readName(rdata, 0);
    const mail = readName(rdata, origin.end);
    this.session.line(`\torigin = ${bindBare(origin.name)}`);
    this.session.line(`\tmail addr = ${bindBare(mail.name)}`);
    ['serial', 'refresh', 'retry', 'expire', 'minimum'].forEach((field, i) =>
      this.session.line(`\t${field} = ${Buffer.from(rdata).readUInt32BE(mail.end + 4 * i)}`),
    );
  }
}

const describe = (record: Rr): string => `${LABELS.get(record.type) ?? `rdata_${record.type} = `}${bindRdata(record)}`;

function readArguments(args: readonly string[], session: ToolProcess): NslookupArguments {
  const names: string[] = [];
  const wanted = {
    type: undefined as number | undefined,
    class: Class.IN as number,
    debug: false,
    search: true,
    recurse: true,
    tcp: false,
    port: 53,
    timeout: undefined as number | undefined,
    tries: undefined as number | undefined,
    ndots: undefined as number | undefined,
  };
  for (const arg of args) {
    if (!arg.startsWith('-') || arg === '-') {
      names.push(arg);
      continue;
    }
    const [option, value = ''] = arg.slice(1).split(/=(.*)/s) as [string, string | undefined];
    switch (lowerName(option)) {
      case 'type':
      case 'query':
      case 'querytype':
      case 'ty':
      case 'q': {
        const type = typeFromName(value);
        if (type === undefined) session.line(`unknown query type: ${value}`);
        else wanted.type = type;
        break;
      }
      case 'debug':
      case 'd2':
        wanted.debug = true;
        break;
      case 'nodebug':
      case 'nod2':
        wanted.debug = false;
        break;
      case 'search':
        wanted.search = true;
        break;
      case 'nosearch':
        wanted.search = false;
        break;
      case 'recurse':
        wanted.recurse = true;
        break;
      case 'norecurse':
        wanted.recurse = false;
        break;
      case 'vc':
        wanted.tcp = true;
        break;
      case 'novc':
        wanted.tcp = false;
        break;
      case 'port':
      case 'po':
        wanted.port = number(value, 'port', 65_535, session) ?? wanted.port;
        break;
      case 'timeout':
      case 't':
        wanted.timeout = number(value, 'timeout', Number.MAX_SAFE_INTEGER, session) ?? wanted.timeout;
        break;
      case 'retry':
      case 'ret':
        wanted.tries = number(value, 'tries', Number.MAX_SAFE_INTEGER, session) ?? wanted.tries;
        break;
      case 'ndots':
        wanted.ndots = number(value, 'ndots', 128, session) ?? wanted.ndots;
        break;
      case 'class':
      case 'cl': {
        const found = classFromName(value);
        if (found === undefined) session.line(`unknown query class: ${value}`);
        else wanted.class = found;
        break;
      }
      default:
        session.line(`*** Invalid option: ${option}`);
    }
  }
  return { ...wanted, names };
}

function number(value: string, what: string, most: number, session: ToolProcess): number | undefined {
  const why = whyNoNumber(value, most);
  if (why === undefined) return Number(value);
  session.line(`invalid ${what} '${value}': ${why}`);
  return undefined;
}
