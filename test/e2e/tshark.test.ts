import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startTcpdump } from '../../src/observe/tcpdump/tcpdump.js';
import { observed } from '../observe/lab.js';
import { query } from '../support/dns.js';
import { CHECKED_FIELDS } from '../support/tshark.js';

const missing = spawnSync('sh', ['-c', 'command -v tshark']).status !== 0;
if (missing) console.log('test/e2e/tshark: tshark is not installed (Debian: tshark); skipped');

const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-pcap-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe.skipIf(missing)('a capture file', () => {
  it.each([
    { device: 'any', packets: 2 },
    { device: 'lxcd63c3c1415ff', packets: 1 },
  ])('of $device is read by tshark, its checksums right', ({ device, packets }) => {
    const { world, ask } = observed();
    const parts: Buffer[] = [];
    startTcpdump(world, ['-i', device, '-w', 'dns.pcap', 'port', '53'], {
      netns: world.node('k8s-ctr').netns,
      onLine: () => undefined,
      onBytes: (bytes) => void parts.push(bytes),
    });
    ask(query('webpod.default.svc.cluster.local.').bytes);
    const file = path.join(dir, `${device}.pcap`);
    writeFileSync(file, Buffer.concat(parts));
    const fields = [
      'ip.src',
      'ip.dst',
      'udp.dstport',
      'dns.qry.name',
      'ip.checksum.status',
      'udp.checksum.status',
      '_ws.malformed',
    ];
    const { stdout, stderr } = spawnSync(
      'tshark',
      ['-r', file, ...CHECKED_FIELDS, ...fields.flatMap((field) => ['-e', field])],
      { encoding: 'utf8' },
    );
    const lines = stdout.trim().split('\n');
    expect(lines, stderr).toHaveLength(packets);
    expect(lines[0]).toMatch(/^172\.20\.1\.236,172\.20\.1\.144,53,webpod\.default\.svc\.cluster\.local,1,1,$/);
  });
});
