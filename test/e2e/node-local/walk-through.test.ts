import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROGRAM } from '../../support/program.js';
import { whyNot } from './namespaces.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const PAGE = readFileSync(path.join(ROOT, 'deploy/README.md'), 'utf8');

const reason = whyNot(['ip', 'iptables', 'iptables-save', 'conntrack', 'dig', 'unshare', 'bash']);
if (reason !== undefined)
  console.log(
    `test/e2e/node-local/walk-through: ${reason} (Debian: iproute2, iptables, conntrack, bind9-dnsutils, util-linux); skipped`,
  );

/** The commands of the page in order, each with the output that stands below it, if one does. */
const STEPS = [...PAGE.matchAll(/^```sh\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm)].map(
  ([, commands = '', output]) => ({ commands, output }),
);

const mark = (step: number | string): string => `--- step ${step}`;

/** Runs all commands in one shell, whose processes, mounts and names of network namespaces end with it. */
function walk(): { status: number | null; outputs: Map<string, string>; all: string } {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-walk-'));
  try {
    mkdirSync(path.join(dir, 'bin'));
    const program = path.join(dir, 'bin/nodens');
    writeFileSync(program, `#!/bin/sh\nexec ${PROGRAM.map((word) => `'${word}'`).join(' ')} "$@"\n`);
    chmodSync(program, 0o755);
    const script = [
      'set -e',
      'mkdir -p /run/netns',
      'mount -t tmpfs none /run/netns',
      ...STEPS.flatMap(({ commands }, i) => [`echo '${mark(i)}'`, commands]),
      `echo '${mark('end')}'`,
    ];
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'bash', '-c', script.join('\n')],
      { cwd: dir, encoding: 'utf8', timeout: 50_000 },
    );
    const parts = stdout.split(/^--- step (\w+)\n/m);
    const outputs = new Map(parts.flatMap((part, i) => (i % 2 === 1 ? [[part, parts[i + 1]!] as const] : [])));
    return { status, outputs, all: stdout + stderr };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

describe.skipIf(reason !== undefined)('the page on a node', () => {
  it('shows what happens', () => {
    const { status, outputs, all } = walk();
    expect(status, all).toBe(0);
    expect(outputs.has('end')).toBe(true);
    const shown = STEPS.map(({ output }, i) => [i, output] as const).filter(([, output]) => output !== undefined);
    expect(shown.map(([i]) => outputs.get(String(i)))).toEqual(shown.map(([, output]) => output));
    expect(shown).toHaveLength(8);
  }, 60_000);
});
