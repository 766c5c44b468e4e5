import { existsSync, readFileSync, readdirSync, writeFileSync, lstatSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Program } from '../../support/program.js';
import { PodmanEngine } from './podman.js';
import { missing, run } from './run.js';

/** What the kernel has run programs for aarch64. */
const INTERPRETER = '/proc/sys/fs/binfmt_misc/qemu-aarch64';
const MOST = 130e6;
/** EM_AARCH64 and EM_BPF of ELF headers. */
const [AARCH64, BPF] = [183, 247];

const absent = missing(['podman', 'runc', 'mmdebstrap', 'arch-test', 'npm', 'unshare', 'dig']);
const reason =
  process.env.NODENS_ARM64 !== 'yes'
    ? 'half an hour in an emulator, which is not asked for (NODENS_ARM64=yes)'
    : !existsSync(INTERPRETER)
      ? 'programs for aarch64 do not run here (Debian: qemu-user-static, registered with binfmt_misc)'
      : absent.length > 0 && `${absent.join(', ')} is not installed`;
if (reason !== false) console.log(`test/e2e/compose/arm64: ${reason}; skipped`);

function* filesIn(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    const status = lstatSync(file);
    if (status.isDirectory()) yield* filesIn(file);
    else if (status.isFile()) yield file;
  }
}

describe.skipIf(reason !== false)('the image for linux/arm64', { timeout: 120_000 }, () => {
  const engine = new PodmanEngine();
  let root: string;
  beforeAll(async () => {
    root = await engine.foreignImage('arm64');
  }, 5_400_000);
  afterAll(() => engine.stop());

  it(`takes at most ${MOST / 1e6} MB`, () => {
    const size = [...filesIn(root)].reduce((sum, file) => sum + lstatSync(file).size, 0);
    console.log(`image for arm64: ${(size / 1e6).toFixed(1)} MB unpacked`);
    expect(size).toBeGreaterThan(MOST / 2);
    expect(size).toBeLessThanOrEqual(MOST);
  });

  it('holds programs and libraries for aarch64, and none for another processor', () => {
    const machines = new Map<string, number>();
    for (const file of filesIn(root)) {
      const head = readFileSync(file).subarray(0, 20);
      if (head.subarray(0, 4).toString('latin1') === '\x7fELF')
        machines.set(path.relative(root, file), head.readUInt16LE(18));
    }
    // What the kernel runs itself is the same everywhere.
    expect([...machines].filter(([, machine]) => ![AARCH64, BPF].includes(machine))).toEqual([]);
    for (const wanted of [/usr\/local\/bin\/node$/, /xtables-nft-multi$/, /koffi\.node$/])
      expect([...machines.keys()].some((file) => wanted.test(file))).toBe(true);
  });

  it('answers a query', async () => {
    writeFileSync(
      path.join(root, 'etc/coredns/Corefile'),
      '.:53 {\n    hosts {\n        192.0.2.7 www.example.test\n    }\n}\n',
    );
    const inside = 'ip link set lo up; exec chroot "$0" /nodens/bin/nodens -conf /etc/coredns/Corefile';
    const server = new Program(['unshare', '--net', 'sh', '-c', inside, root]);
    try {
      await server.said(/^nodens-\d/m, 100_000);
      const net = `--net=/proc/${server.child.pid}/ns/net`;
      const asked = ['dig', '+short', '+tries=1', '+time=20', '@127.0.0.1', 'www.example.test'];
      expect(await run(['nsenter', net, ...asked])).toBe('192.0.2.7\n');
    } finally {
      await server.stop();
    }
  });
});
