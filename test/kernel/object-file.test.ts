import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { KERNEL_REASONS } from '../../src/kernel/kernel-counters.js';
import { readObject } from '../../src/kernel/object-file.js';

const FOLDER = path.resolve(import.meta.dirname, '../../src/kernel');
const object = readFileSync(path.join(FOLDER, 'answers.bpf.o'));
const source = readFileSync(path.join(FOLDER, 'answers.bpf.c'), 'utf8');
/** As `npm run build:kernel`: one version, as another makes other instructions of the same source. */
const COMPILE = [
  '-target',
  'bpf',
  '-mcpu=v3',
  '-O2',
  '-Wall',
  '-Werror',
  '-ffreestanding',
  '-c',
  'answers.bpf.c',
  '-o',
];

const clang = spawnSync('clang-14', ['--version']).status === 0;
if (!clang) console.log('test/kernel: no clang-14 here; whether the program is what its source compiles to is skipped');

it.skipIf(!clang)('the compiled program is what its source compiles to', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-bpf-'));
  try {
    const made = path.join(dir, 'made.o');
    execFileSync('clang-14', [...COMPILE, made], { cwd: FOLDER });
    const code = (file: Buffer, section: string): string =>
      readObject(file)
        .program(section, () => 0)
        .toString('hex');
    for (const section of ['tc', 'xdp', 'gate', 'xdp_gate'])
      expect(code(readFileSync(made), section), section).toBe(code(object, section));
    expect(readObject(readFileSync(made)).license).toBe(readObject(object).license);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

describe('the object', () => {
  const TABLE = ['clients', 'control', 'counters', 'indexes', 'listening', 'scratch', 'segments'];
  it.each([
    { section: 'tc', maps: TABLE },
    { section: 'xdp', maps: [...TABLE, 'devices'].sort() },
    { section: 'gate', maps: ['answering'] },
    { section: 'xdp_gate', maps: ['answering'] },
  ])('names its license and the maps that its $section needs', ({ section, maps }) => {
    const names = new Set<string>();
    const read = readObject(object);
    read.program(section, (name) => (names.add(name), 0));
    expect(read.license).toBe('Apache-2.0');
    expect([...names].sort()).toEqual(maps);
  });

  it('gets descriptors of maps in the place of their names', () => {
    const code = readObject(object).program('tc', () => 0x1234);
    const loads = Array.from({ length: code.length / 8 }, (_, i) => i * 8).filter(
      (at) => code[at] === 0x18 && code[at + 1]! >> 4 === 1,
    );
    expect(loads.length).toBeGreaterThan(10);
    expect(new Set(loads.map((at) => code.readInt32LE(at + 4)))).toEqual(new Set([0x1234]));
  });

  it.each([
    { name: 'nothing', file: Buffer.alloc(0) },
    { name: 'a text', file: Buffer.alloc(100, 'x') },
    { name: 'a program of 32 bits', file: Buffer.from(object).fill(1, 4, 5) },
  ])('is refused where it is $name', ({ file }) => {
    expect(() => readObject(file)).toThrow('BPF program: not an ELF file of 64 bits with the low byte first');
  });

  it('is refused without the section that is asked for', () => {
    expect(() => readObject(object).program('kprobe', () => 0)).toThrow('BPF program: no section kprobe');
  });
});

it('reasons are counted under names of their own', () => {
  const reasons = /enum reason \{([^}]*)\}/
    .exec(source)![1]!
    .split(',')
    .map((name) => name.trim());
  expect(reasons.slice(0, -1)).toHaveLength(KERNEL_REASONS.length);
  expect([reasons[0], reasons.at(-1)]).toEqual(['ANSWERED', 'REASONS']);
});
