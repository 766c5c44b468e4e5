import {
  Flag,
  Rcode,
  Type,
  className,
  rcodeName,
  readName,
  typeName,
  type Message,
  type Rr,
  type Section,
} from '../../wire/index.js';
import { endOfAliases } from '../libc/addresses.js';
import { BindLookup, at, type BindEvent, type BindOptions, type BindReply } from './bind.js';
import { bindBare, bindRdata } from './bind-text.js';
import { countDots } from '../packet.js';
import { readNslookup, type NslookupArguments } from './nslookup-options.js';
import { ToolProcess, reverseOf, serversOf, whyNoName, type ToolEnv, type ToolRun } from './tool.js';

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

/**
 * nslookup of BIND 9.18, not interactive: `runNslookup(['-debug', 'webpod'], env)`. What it writes to the standard
 * output and error, in order.
 */
export async function runNslookup(args: readonly string[], env: ToolEnv): Promise<ToolRun> {
  const session = new ToolProcess(env);
  const wanted = readNslookup(args, session);
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
