import { execFile, execFileSync } from 'node:child_process';
import dgram from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostNetwork } from '../../src/net/host-network.js';
import {
  StubResolver,
  runBusyboxNslookup,
  runDig,
  runGetent,
  runHost,
  runNslookup,
  type ProfileName,
  type ToolEnv,
} from '../../src/resolver/index.js';
import { FrameReader, decodeMessage, encodeMessage, frame, typeName } from '../../src/wire/index.js';
import { FakeNetwork, lab } from '../resolver/lab.js';
import { answer } from '../resolver/zone.js';

/*
 * The real programs against the profiles: both ask the same server for the same names, and the queries that arrive
 * must be the same. The programs run
 * in a mount namespace of their own with a resolv.conf that names an address of the loopback network.
 */

const NAMES = [
  'google.com',
  'webpod',
  'nosuch',
  'db',
  'v6only',
  'a.b',
  'a.b.c',
  'a.b.c.d.e.f',
  'webpod.default',
  'webpod.default.svc',
  'webpod.default.svc.cluster.local',
  'google.com.',
  'nosuch.',
  'nodata',
  'nodata.x',
  'alias.example.org',
  'dead.example.org',
  'servfail',
  'refused.a',
  'trunc',
];

const C_SOURCE = `
#include <netdb.h>
#include <string.h>
int main(int count, char **words) {
  struct addrinfo hints, *list;
  for (int i = 1; i < count; i++) {
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(words[i], 0, &hints, &list) == 0) freeaddrinfo(list);
  }
  return 0;
}
`;

const GO_SOURCE = `
package main

import (
	"context"
	"net"
	"os"
)

func main() {
	resolver := &net.Resolver{PreferGo: true}
	for _, name := range os.Args[1:] {
		resolver.LookupIP(context.Background(), "ip", name)
	}
}
`;

interface Program {
  readonly name: string;
  /** What must be installed. */
  readonly needs: string;
  /** Builds what has to be built and gives the command line for a name. */
  readonly command: (folder: string) => (name: string) => string;
  readonly predict: (name: string, env: ToolEnv) => Promise<unknown>;
  /** Queries that leave side by side arrive in any order. */
  readonly unordered?: boolean;
}

const profile = (name: ProfileName) => (asked: string, env: ToolEnv) =>
  new StubResolver({ ...env, profile: name }).lookup(asked);

function compiled(compiler: string, args: readonly string[], file: string, source: string): Program['command'] {
  return (folder) => {
    writeFileSync(path.join(folder, file), source);
    const binary = path.join(folder, `${compiler}.bin`);
    execFileSync(
      compiler,
      args.map((arg) => (arg === 'OUT' ? binary : arg === 'IN' ? path.join(folder, file) : arg)),
      { cwd: folder, env: { ...process.env, CGO_ENABLED: '0', GO111MODULE: 'off' } },
    );
    return (name) => `${binary} ${name}`;
  };
}

const PROGRAMS: readonly Program[] = [
  {
    name: 'getent ahosts (glibc)',
    needs: 'getent',
    command: () => (name) => `getent ahosts ${name}`,
    predict: (name, env) => runGetent(['ahosts', name], env),
  },
  {
    name: 'getent hosts (glibc)',
    needs: 'getent',
    command: () => (name) => `getent hosts ${name}`,
    predict: (name, env) => runGetent(['hosts', name], env),
  },
  {
    name: 'getaddrinfo (glibc)',
    needs: 'gcc',
    command: compiled('gcc', ['-o', 'OUT', 'IN'], 'glibc.c', C_SOURCE),
    predict: profile('glibc'),
  },
  {
    name: 'getaddrinfo (musl)',
    needs: 'musl-gcc',
    command: compiled('musl-gcc', ['-static', '-o', 'OUT', 'IN'], 'musl.c', C_SOURCE),
    predict: profile('musl'),
  },
  {
    name: 'net.Resolver (Go)',
    needs: 'go',
    command: compiled('go', ['build', '-o', 'OUT', 'IN'], 'main.go', GO_SOURCE),
    predict: profile('go'),
    unordered: true,
  },
  {
    name: 'nslookup (BIND)',
    needs: 'nslookup',
    command: () => (name) => `nslookup ${name}`,
    predict: (name, env) => runNslookup([name], env),
  },
  {
    name: 'dig +search (BIND)',
    needs: 'dig',
    command: () => (name) => `dig +search ${name}`,
    predict: (name, env) => runDig(['+search', name], env),
  },
  {
    name: 'host (BIND)',
    needs: 'host',
    command: () => (name) => `host ${name}`,
    predict: (name, env) => runHost([name], env),
  },
  {
    name: 'nslookup (busybox)',
    needs: 'busybox',
    command: () => (name) => `busybox nslookup ${name}`,
    predict: (name, env) => runBusyboxNslookup([name], env),
  },
];

function works(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const missing =
  process.getuid?.() !== 0 ? 'needs root' : !works('unshare', ['-m', 'true']) ? 'needs unshare -m' : undefined;
const installed = (program: string): boolean => works('sh', ['-c', `command -v ${program}`]);

/** An address of 127.0.0.0/8 that no other run on this machine is likely to use. */
const ADDRESS = `127.53.${(process.pid % 254) + 1}.${((process.pid >> 8) % 254) + 1}`;

const resolvConf = (ndots: number): string =>
  `search default.svc.cluster.local svc.cluster.local cluster.local Davolink\nnameserver ${ADDRESS}\noptions ndots:${ndots} timeout:1 attempts:1\n`;

/** The server of the recordings at a real address; what arrives is in `asked` as the fake network writes it. */
class Server {
  readonly asked: string[] = [];
  private readonly udp = dgram.createSocket('udp4');
  private readonly tcp = net.createServer((socket) => {
    const frames = new FrameReader();
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        frames.push(chunk);
        for (let next = frames.next(); next !== undefined; next = frames.next())
          this.take(next, 'tcp', socket.remotePort!, (reply) => socket.write(frame(reply)));
      });
  });

  async start(): Promise<void> {
    this.udp.on('message', (bytes, peer) =>
      this.take(bytes, 'udp', peer.port, (reply) => this.udp.send(reply, peer.port, peer.address)),
    );
    await new Promise<void>((resolve, reject) => this.udp.once('error', reject).bind(53, ADDRESS, resolve));
    await new Promise<void>((resolve, reject) => this.tcp.once('error', reject).listen(53, ADDRESS, resolve));
  }

  stop(): void {
    this.udp.close();
    this.tcp.close();
  }

  private take(bytes: Buffer, protocol: 'udp' | 'tcp', port: number, send: (reply: Buffer) => void): void {
    const query = decodeMessage(bytes);
    const [question] = query.question;
    const opt =
      query.edns === undefined
        ? ''
        : ` ${query.edns.udpSize}/${query.edns.options.map((option) => option.code).join(',')}`;
    this.asked.push(
      `${protocol} ${ADDRESS} ${port} ${typeName(question!.type)} ${question!.name} ${query.flags.toString(16)}${opt}`,
    );
    const reply = answer(query, protocol);
    if (reply !== undefined) send(encodeMessage(reply));
  }
}

/** Queries with the sockets numbered anew; without them, sorted, where they leave side by side. */
function comparable(asked: readonly string[], unordered: boolean): string[] {
  const sockets = new Map<string, number>();
  const lines = asked.map((line) => {
    const [protocol, server, port, ...rest] = line.split(' ') as [string, string, string];
    if (!sockets.has(port)) sockets.set(port, sockets.size);
    return [protocol, server, unordered ? '-' : sockets.get(port), ...rest].join(' ');
  });
  return unordered ? lines.sort() : lines;
}

describe.skipIf(missing !== undefined)(
  `queries of real programs are those of the profiles${missing === undefined ? '' : ` (left out: ${missing})`}`,
  () => {
    const server = new Server();
    const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-resolver-'));
    beforeAll(() => server.start());
    afterAll(() => {
      server.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    for (const program of PROGRAMS) {
      const there = installed(program.needs);
      describe.skipIf(!there)(`${program.name}${there ? '' : ` (left out: ${program.needs} is not installed)`}`, () => {
        let command: (name: string) => string;
        beforeAll(() => {
          command = program.command(folder);
        }, 120_000);

        it.each([1, 2, 5])(
          'ndots:%d',
          async (ndots) => {
            const conf = path.join(folder, 'resolv.conf');
            const nsswitch = path.join(folder, 'nsswitch.conf');
            writeFileSync(conf, resolvConf(ndots));
            writeFileSync(nsswitch, 'hosts: dns\n');
            const own = new HostNetwork().interfaces().map(({ address }) => address);
            for (const name of NAMES) {
              server.asked.length = 0;
              const script = `mount --bind ${conf} /etc/resolv.conf && mount --bind ${nsswitch} /etc/nsswitch.conf && { ${command(name)}; true; }`;
              await promisify(execFile)('unshare', ['-m', 'sh', '-c', script], { env: { PATH: process.env.PATH } });
              const { env, network, finish } = lab(resolvConf(ndots), new FakeNetwork(undefined, own));
              await finish(program.predict(name, env));
              expect({ name, queries: comparable(server.asked, program.unordered ?? false) }).toEqual({
                name,
                queries: comparable(network.asked, program.unordered ?? false),
              });
            }
          },
          120_000,
        );
      });
    }
  },
);
