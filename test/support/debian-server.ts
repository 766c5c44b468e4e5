import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

export const isInstalled = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** A free port of 127.0.0.1, for UDP and TCP as good as certainly. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}

/** Lines of a configuration beside those that every server here has. */
export interface ServerLines {
  readonly server?: readonly string[];
  readonly zone?: readonly string[];
  /** Where it listens; drawn without it. */
  readonly port?: number;
}

/** A name server from a Debian package, with files of its own. */
export class DebianServer {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    readonly dir: string,
  ) {}

  /**
   * NSD with one zone, given as master-file text.
   *
   * @param more further lines for `server` and for `zone`
   */
  static async nsd(zone: string, text: string | undefined, more: ServerLines = {}): Promise<DebianServer> {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-nsd-'));
    const port = more.port ?? (await freePort());
    if (text !== undefined) writeFileSync(path.join(dir, 'zone'), text);
    const lines = [
      'server:',
      `  ip-address: 127.0.0.1@${port}`,
      '  username: ""',
      '  chroot: ""',
      '  database: ""',
      `  zonesdir: "${dir}"`,
      `  pidfile: "${dir}/pid"`,
      `  xfrdfile: "${dir}/xfrd"`,
      `  xfrdir: "${dir}"`,
      `  zonelistfile: "${dir}/zones"`,
      '  tcp-count: 400',
      '  rrl-ratelimit: 0',
      ...(more.server ?? []),
      'remote-control:',
      '  control-enable: no',
      'zone:',
      `  name: ${zone}`,
      '  zonefile: zone',
      ...(more.zone ?? []),
    ];
    return DebianServer.start('nsd', ['-d', '-c'], dir, port, lines);
  }

  /** BIND with one zone; `more.zone` replaces that it is a primary with that text. */
  static async named(zone: string, text: string | undefined, more: ServerLines = {}): Promise<DebianServer> {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-named-'));
    const port = more.port ?? (await freePort());
    if (text !== undefined) writeFileSync(path.join(dir, 'zone'), text);
    const lines = [
      'options {',
      `  directory "${dir}"; pid-file "${dir}/pid"; session-keyfile "${dir}/session"; lock-file none;`,
      `  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };`,
      '  recursion no; dnssec-validation no; minimal-responses yes; notify no; transfer-source 127.0.0.1;',
      '  rrset-order { order none; }; allow-transfer { any; }; allow-notify { any; };',
      ...(more.server ?? []),
      '};',
      'controls { };',
      `zone "${zone}" { ${(more.zone ?? ['type primary;', 'check-names ignore;', 'ixfr-from-differences yes;']).join(' ')} file "zone"; };`,
    ];
    return DebianServer.start('named', ['-g', '-n', '1', '-c'], dir, port, lines);
  }

  /** Knot DNS with one zone. */
  static async knot(zone: string, text: string | undefined, more: ServerLines = {}): Promise<DebianServer> {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-knot-'));
    const port = more.port ?? (await freePort());
    if (text !== undefined) writeFileSync(path.join(dir, 'zone'), text);
    const lines = [
      'server:',
      `    rundir: "${dir}"`,
      `    pidfile: "${dir}/pid"`,
      `    listen: "127.0.0.1@${port}"`,
      '    udp-workers: 1',
      '    tcp-workers: 1',
      '    background-workers: 1',
      'control:',
      `    listen: "${dir}/control"`,
      'database:',
      `    storage: "${dir}"`,
      '    journal-db-max-size: 16M',
      '    kasp-db-max-size: 5M',
      '    timer-db-max-size: 1M',
      'acl:',
      '  - id: all',
      '    address: 127.0.0.0/8',
      '    action: [transfer, notify]',
      ...(more.server ?? []),
      'zone:',
      `  - domain: ${zone}`,
      `    storage: "${dir}"`,
      '    file: "zone"',
      '    acl: all',
      '    zonefile-sync: -1',
      '    journal-content: changes',
      '    zonefile-load: difference',
      ...(more.zone ?? []),
    ];
    return DebianServer.start('knotd', ['-c'], dir, port, lines);
  }

  /**
   * unbound, which validates what the server at `upstream` says of the zone, from the keys on. Where it is `aggressive`,
   * it denies from denials (RFC 8198).
   */
  static async unbound(
    zone: string,
    upstream: number,
    anchors: readonly string[],
    aggressive = false,
  ): Promise<DebianServer> {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-unbound-'));
    const port = await freePort();
    writeFileSync(path.join(dir, 'anchors'), `${anchors.join('\n')}\n`);
    const lines = [
      'server:',
      `  interface: 127.0.0.1@${port}`,
      '  username: ""',
      '  chroot: ""',
      `  directory: "${dir}"`,
      `  pidfile: "${dir}/pid"`,
      '  use-syslog: no',
      '  do-not-query-localhost: no',
      '  module-config: "validator iterator"',
      `  trust-anchor-file: "${dir}/anchors"`,
      `  aggressive-nsec: ${aggressive ? 'yes' : 'no'}`,
      'remote-control:',
      '  control-enable: no',
      'stub-zone:',
      `  name: ${zone}`,
      `  stub-addr: 127.0.0.1@${upstream}`,
    ];
    return DebianServer.start('unbound', ['-d', '-c'], dir, port, lines);
  }

  private static async start(
    program: string,
    args: readonly string[],
    dir: string,
    port: number,
    config: readonly string[],
  ): Promise<DebianServer> {
    const file = path.join(dir, 'conf');
    writeFileSync(file, `${config.join('\n')}\n`);
    const child = spawn(program, [...args, file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const server = new DebianServer(port, child, dir);
    for (let tries = 0; tries < 200; tries++) {
      if (await accepts(port)) return server;
      if (child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await server.stop();
    throw new Error(`${program} does not answer at port ${port}:\n${output}`);
  }

  /** Changes its configuration, and has the server read it. */
  configure(change: (text: string) => string): void {
    const file = path.join(this.dir, 'conf');
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    this.child.kill('SIGHUP');
  }

  /** Puts another text in the place of the zone's, and has the server read it. */
  replaceZone(text: string): void {
    writeFileSync(path.join(this.dir, 'zone'), text);
    this.child.kill('SIGHUP');
  }

  /** Has it do nothing any more, with its sockets open: the system goes on taking connections for it. */
  async hang(): Promise<void> {
    this.child.kill('SIGSTOP');
    // A signal takes its time; proc(5): the state stands behind the program's name.
    const state = (): string => readFileSync(`/proc/${this.child.pid}/stat`, 'latin1').replace(/^.*\) /s, '')[0]!;
    while (state() !== 'T') await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill();
      this.child.kill('SIGCONT');
      await once(this.child, 'exit');
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const done = (open: boolean) => (): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', done(true));
    socket.once('error', done(false));
  });
