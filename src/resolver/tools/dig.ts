import type { Random } from '../../lib/random.js';
import {
  Flag,
  Type,
  encodeMessage,
  isSubdomain,
  lowerName,
  type Edns,
  type EdnsOption,
  type Message,
} from '../../wire/index.js';
import { BindLookup, at, type BindEvent, type BindReply, type BindServer } from './bind.js';
import { bindRdata, headerLines, optLines, questionLine, recordLine } from './bind-text.js';
import { flagsOf, type DigLookup } from './dig-lookup.js';
import { parseDig } from './dig-options.js';
import { ecsOption } from './dig-plus.js';
import { ToolProcess, serversOf, whyNoName, type ToolEnv, type ToolRun } from './tool.js';

/** The version that is imitated, to the letter. */
export const BIND_VERSION = '9.18.49-1~deb12u3-Debian';

const USAGE = `Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}
            {global-d-opt} host [@local-server] {local-d-opt}
            [ host [@local-server] {local-d-opt} [...]]

Use "dig -h" (or "dig -h | more") for complete list of options
`;

/**
 * dig of BIND 9.18: `runDig(['+short', 'google.com'], env)`. What it writes to the standard output and error, in
 * order.
 */
export async function runDig(args: readonly string[], env: ToolEnv): Promise<ToolRun> {
  const session = new ToolProcess(env);
  const command = parseDig(args);
  if (command.fault !== undefined) {
    session.line(command.fault.message);
    return session.done(command.fault.exitCode);
  }
  if (command.invalid !== undefined) {
    session.print(`Invalid option: ${command.invalid}\n${USAGE}`);
    return session.done(1);
  }
  for (const warning of command.warnings) session.line(warning);
  const servers: BindServer[] = [];
  for (const word of command.servers) {
    const found = await serversOf(session, 'dig', word, command.port);
    if (found === undefined) return session.done(1);
    servers.push(...found);
  }
  for (const { name } of command.lookups) {
    const why = whyNoName(name!);
    if (why === undefined) continue;
    session.line(`dig: '${name!}' is not a legal name (${why})`);
    return session.done(10);
  }
  let exitCode = 0;
  const banner = { text: args.map((arg) => ` ${arg}`).join(''), left: true };
  for (const lookup of command.lookups) {
    if (!(await new Dig(session, { servers, port: command.port }, lookup, banner).run())) exitCode = 9;
  }
  return session.done(exitCode);
}

/** One lookup of a command line. */
class Dig {
  private readonly cookie: Uint8Array | undefined;
  private reached = true;
  /** Set once a failure to open a socket was printed: the closing lines are then left out. */
  private toldAtSetup = false;

  constructor(
    private readonly session: ToolProcess,
    private readonly command: { readonly servers: readonly BindServer[]; readonly port: number },
    private readonly lookup: DigLookup,
    private readonly banner: { readonly text: string; left: boolean },
  ) {
    this.cookie =
      lookup.edns !== undefined && lookup.cookie !== false ? cookieOf(lookup.cookie, session.env.random) : undefined;
  }

  /** False when no server answered. */
  async run(): Promise<boolean> {
    const { session, lookup, command } = this;
    const settings = session.settings('bind');
    const type = lookup.type ?? Type.A;
    await new BindLookup(
      session.conversation,
      {
        servers:
          command.servers.length > 0
            ? command.servers
            : settings.servers.map((address) => ({ address, port: command.port, label: address })),
        search: lookup.domain === undefined ? settings.search : [lookup.domain],
        ndots: lookup.ndots ?? settings.ndots,
        useSearch: lookup.search,
        showSearch: lookup.showSearch,
        timeout: lookup.timeout ?? settings.timeout,
        tries: lookup.tries ?? settings.attempts,
        tcp: lookup.tcp ?? type === Type.ANY,
        ignoreTruncation: lookup.ignore,
        flags: flagsOf(lookup),
        edns: this.edns(),
        class: lookup.class,
        servfailStops: lookup.fail,
        checkRa: false,
      },
      (event) => this.show(event),
    ).run(lookup.name!, type);
    if (!this.reached && !this.toldAtSetup) {
      this.printBanner();
      session.line(';; no servers could be reached');
    }
    return this.reached;
  }

  private edns(): Edns | undefined {
    const { lookup } = this;
    if (lookup.edns === undefined) return undefined;
    const options: EdnsOption[] = [];
    if (lookup.nsid) options.push({ code: 3, data: new Uint8Array(0) });
    const subnet = lookup.subnet === undefined ? undefined : ecsOption(lookup.subnet);
    if (subnet !== undefined) options.push(subnet);
    if (this.cookie !== undefined) options.push({ code: 10, data: this.cookie });
    return { udpSize: lookup.bufsize, version: lookup.edns, do: lookup.dnssec, options };
  }

  private show(event: BindEvent): void {
    const { session, lookup } = this;
    switch (event.kind) {
      case 'comment':
        if (lookup.show.comments) session.line(`;; ${event.text}`);
        break;
      case 'trouble':
        session.line(`;; ${event.text}`);
        break;
      case 'unreached':
        this.reached = false;
        this.toldAtSetup ||= event.setup;
        if (event.setup) session.line(';; no servers could be reached');
        break;
      case 'sending':
        if (lookup.sendingToo && !lookup.short) this.sending(event.packet.message);
        break;
      case 'reply':
        if (lookup.short) this.short(event);
        else this.reply(event);
        for (let i = 0; i < event.receipts; i++) this.statistics(event);
        break;
      case 'trying':
    }
  }

  private sending(message: Message): void {
    this.printBanner();
    this.session.line(';; Sending:');
    this.message(message);
    if (this.lookup.show.stats) this.session.print(`;; QUERY SIZE: ${encodeMessage(message).length}\n\n`);
  }

  private reply({ message, packet }: BindReply): void {
    const { session } = this;
    this.printBanner();
    if (this.lookup.show.comments) {
      session.line(';; Got answer:');
      // RFC 6762 section 22.1 sets the domain aside.
      if (isSubdomain('local.', lowerName(packet.name))) {
        session.line(';; WARNING: .local is reserved for Multicast DNS');
        session.line(';; You are currently testing what happens when an mDNS query is leaked to DNS');
      }
    }
    this.message(message);
    if (this.lookup.showSearch) this.banner.left = true;
  }

  private message(message: Message): void {
    const {
      session,
      lookup: { show, layout },
    } = this;
    if (show.comments) {
      for (const line of headerLines(message)) session.line(line);
      session.line();
      if (message.edns !== undefined) {
        session.line(';; OPT PSEUDOSECTION:');
        for (const line of optLines(message.edns, this.replyCookie(message))) session.line(line);
      }
    }
    this.section(
      'QUESTION',
      show.question,
      message.question.map((question) => questionLine(question, layout)),
    );
    this.section(
      'ANSWER',
      show.answer,
      message.answer.map((record) => recordLine(record, layout)),
    );
    this.section(
      'AUTHORITY',
      show.authority,
      message.authority.map((record) => recordLine(record, layout)),
    );
    this.section(
      'ADDITIONAL',
      show.additional,
      message.additional.map((record) => recordLine(record, layout)),
    );
  }

  /** A cookie is judged in replies only. */
  private replyCookie({ flags }: Message): Uint8Array | undefined {
    return flags & Flag.QR ? this.cookie : undefined;
  }

  private section(title: string, shown: boolean, lines: readonly string[]): void {
    if (!shown || lines.length === 0) return;
    const { comments } = this.lookup.show;
    if (comments) this.session.line(`;; ${title} SECTION:`);
    for (const line of lines) this.session.line(line);
    if (comments) this.session.line();
  }

  private short({ message, server, took }: BindReply): void {
    for (const record of message.answer) {
      this.session.line(
        bindRdata(record, this.lookup.layout.split) +
          (this.lookup.identify ? ` from server ${server.address} in ${Math.floor(took)} ms.` : ''),
      );
    }
  }

  private statistics({ server, protocol, size, took }: BindReply): void {
    const { session, lookup } = this;
    if (!lookup.show.stats || lookup.short) return;
    session.line(`;; Query time: ${Math.floor(took)} msec`);
    session.line(`;; SERVER: ${at(server)}(${server.label}) (${protocol.toUpperCase()})`);
    session.line(`;; WHEN: ${when(session.env.clock.now(), session.env.timeZone ?? 'UTC')}`);
    session.line(`;; MSG SIZE  rcvd: ${size}`);
    session.line();
  }

  private printBanner(): void {
    const { session, lookup, command, banner } = this;
    if (!banner.left) return;
    banner.left = false;
    if (!lookup.show.cmd) return;
    session.print(`\n; <<>> DiG ${BIND_VERSION} <<>>${banner.text}\n`);
    if (command.servers.length > 0)
      session.line(`; (${command.servers.length} server${command.servers.length === 1 ? '' : 's'} found)`);
    session.line(';; global options: +cmd');
  }
}

function cookieOf(wanted: true | string, random: Random): Uint8Array {
  if (wanted !== true) return Uint8Array.from(Buffer.from(wanted, 'hex'));
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(random.uint32(), 0);
  bytes.writeUInt32BE(random.uint32(), 4);
  return Uint8Array.from(bytes);
}

/** As date(1) writes it in the C locale: `Fri Nov 20 19:12:05 UTC 2026`. */
function when(time: number, timeZone: string): string {
  const parts = new Map(
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      weekday: 'short',
      month: 'short',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      year: 'numeric',
      timeZoneName: 'short',
    })
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name)!;
  return (
    `${part('weekday')} ${part('month')} ${part('day')} ` +
    `${part('hour')}:${part('minute')}:${part('second')} ${part('timeZoneName')} ` +
    `${part('year')}`
  );
}
