import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

/** A name server from a Debian package, with files of its own. */
export class DebianServer {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly dir: string,
  ) {}

  /** NSD with one zone, given as master-file text. */
  static async nsd(zone: string, text: string): Promise<DebianServer> {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-nsd-'));
    const port = await freePort();
    writeFileSync(path.join(dir, 'zone'), text);
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
      'remote-control:',
      '  control-enable: no',
      'zone:',
      `  name: ${zone}`,
      '  zonefile: zone',
    ];
    return DebianServer.start('nsd', ['-d', '-c'], dir, port, lines);
  }

  /** unbound, which validates what the server at `upstream` says of the zone, from the keys on. */
  static async unbound(zone: string, upstream: number, anchors: readonly string[]): Promise<DebianServer> {
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
      '  aggressive-nsec: no',
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

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill();
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
