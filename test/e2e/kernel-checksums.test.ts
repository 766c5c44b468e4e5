import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KernelServer, SERVER_IP, missingForKernel } from '../support/kernel-server.js';
import { Namespaces, run } from './node-local/namespaces.js';
import { CHECKED_FIELDS } from '../support/tshark.js';

/** Answers of all rows together; the long form is `NODENS_ANSWERS=100000 npx vitest run test/e2e/kernel-checksums.test.ts`. */
const ANSWERS = Number(process.env.NODENS_ANSWERS ?? 4000);
const NAMES = 100;

const why = missingForKernel(
  ['dnsperf', 'dnsperf'],
  ['tcpdump', 'tcpdump'],
  ['tshark', 'tshark'],
  ['ethtool', 'ethtool'],
);
if (why !== undefined) console.log(`test/e2e/kernel-checksums: ${why}; skipped`);

const COREFILE = `. {
  prometheus 127.0.0.1:9153
  cache 3600 {
    keepttl
  }
  template IN A many.example.org {
    answer "{{ .Name }} 3000 IN A 192.0.2.1"
    answer "{{ .Name }} 3000 IN A 192.0.2.2"
    answer "{{ .Name }} 3000 IN A 192.0.2.3"
  }
  template IN A example.org {
    answer "{{ .Name }} 3000 IN A 192.0.2.1"
  }
  template IN TXT example.org {
    answer "{{ .Name }} 3000 IN TXT {{ .Name }}"
  }
  template IN ANY example.org {
    authority "example.org. 300 IN SOA ns.example.org. root.example.org. 1 2 3 4 300"
  }
}
`;

/** Of all lengths up to one, even and odd, with one answer, several and none. */
const questions = (longest: number): string =>
  Array.from({ length: NAMES }, (_, i) => {
    const name = `${'n'.repeat(1 + (i % longest))}${i}.${i % 5 === 0 ? 'many.' : ''}example.org`;
    return `${name} ${['A', 'A', 'TXT', 'MX'][i % 4]}\n`;
  }).join('');

/** Ways to send answers: the sums of frames that XDP sends are its own. */
const ROWS = [
  { name: 'IPv4', to: SERVER_IP, flags: [], head: 20 },
  { name: 'IPv4 with EDNS', to: SERVER_IP, flags: ['-e', '-D'], head: 20 },
  { name: 'IPv6', to: 'fd99::1', flags: [], head: 40 },
  { name: 'IPv6 with EDNS', to: 'fd99::1', flags: ['-e', '-D'], head: 40 },
];
const KINDS = [
  { kind: 'tcx', rows: ROWS, longest: 50 },
  // A frame of a veth link has room for some 200 bytes more.
  { kind: 'xdp', rows: ROWS.slice(1, 3), longest: 25 },
] as const;

describe.skipIf(why !== undefined).each(KINDS)(
  'answers of the kernel on the wire, by $kind',
  ({ kind, rows, longest }) => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-kernel-'));
    const asked = path.join(dir, 'questions');
    const namespaces = new Namespaces();
    let server: KernelServer;

    beforeAll(async () => {
      server = new KernelServer(namespaces, 'kernel', path.join(dir, 'served'), ['10.99.0.2/24', 'fd99::2/64'], kind);
      writeFileSync(asked, questions(longest));
      // A query whose checksum is left to the card gets such an answer, as from a socket.
      run('ip', 'netns', 'exec', server.client, 'ethtool', '-K', 'out', 'tx', 'off');
      await server.start({ Corefile: COREFILE });
    }, 60_000);
    afterAll(async () => {
      await server.program.stop('SIGKILL');
      namespaces.remove();
      rmSync(dir, { recursive: true, force: true });
    });

    /** Asks all questions so many times. */
    const ask = (to: string, flags: readonly string[], times: number): void => {
      const [ip, ...rest] = server.inside('client');
      const limits = ['-n', String(times), '-Q', '20000', '-q', '100', '-t', '10'];
      const { status, stdout } = spawnSync(ip!, [...rest, 'dnsperf', '-s', to, '-d', asked, ...limits, ...flags], {
        encoding: 'utf8',
      });
      expect([status, /Queries lost: +(\d+)/.exec(stdout)?.[1]]).toEqual([0, '0']);
    };

    /** Captures so many answers, which come while something happens. */
    async function captured(file: string, count: number, during: () => void): Promise<void> {
      const [ip, ...rest] = server.inside('client');
      const filter = ['-B', '32768', '-c', String(count), '-w', file, 'udp', 'src', 'port', '53'];
      const child = spawn(ip!, [...rest, 'tcpdump', '-i', 'out', '-n', '-U', '-Z', 'root', ...filter]);
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString()));
      while (!said.includes('listening on')) {
        if (child.exitCode !== null) throw new Error(said);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      during();
      const given = setTimeout(() => child.kill('SIGINT'), 30_000);
      if (child.exitCode === null) await once(child, 'close');
      clearTimeout(given);
      expect(said).toContain('0 packets dropped by kernel');
    }

    /** All that a program says, which is long. */
    const told = (program: string, ...args: string[]): string =>
      spawnSync(program, args, { encoding: 'utf8', maxBuffer: 256 << 20 }).stdout;

    const FIELDS = ['ip.checksum.status', 'ip.len', 'ipv6.plen', 'udp.checksum.status', 'udp.length', 'frame.len'];

    it.each(rows)(
      'have right checksums and lengths over $name',
      async ({ name, to, flags, head }) => {
        ask(to, flags, 2);
        const file = path.join(dir, `${name.replaceAll(' ', '-')}.pcap`);
        const answered = server.outcome('answered');
        const times = ANSWERS / 4 / NAMES;
        await captured(file, times * NAMES, () => ask(to, flags, times));
        expect(server.outcome('answered') - answered).toBe(times * NAMES);
        const lines = told('tcpdump', '-r', file, '-n', '-vv').replaceAll('\n', ' ');
        expect(lines.match(/\[udp sum ok\]/g)?.length, lines.slice(0, 300)).toBe(times * NAMES);
        expect(lines).not.toMatch(/bad|\[\||truncated/i);
        const stdout = told('tshark', '-r', file, ...CHECKED_FIELDS, ...FIELDS.flatMap((field) => ['-e', field]));
        const rows = stdout.trim().split('\n');
        expect(rows).toHaveLength(times * NAMES);
        const wrong = rows.filter((row) => {
          const [ipSum, ip4, ip6, udpSum, udp, frame] = row.split(',');
          const length = head === 20 ? Number(ip4) - 20 : Number(ip6);
          return (
            (head === 20 && ipSum !== '1') ||
            udpSum !== '1' ||
            Number(udp) !== length ||
            Number(frame) !== 14 + head + length
          );
        });
        expect(wrong.slice(0, 5)).toEqual([]);
      },
      600_000,
    );
  },
);
