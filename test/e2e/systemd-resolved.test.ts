import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiledProgram } from '../support/compiled.js';
import { isInstalled } from '../support/debian-server.js';

const run = promisify(execFile);
const FILES = path.resolve(import.meta.dirname, '../plugins/tls/files');
/** To install its package gives the host another resolv.conf: it may as well be unpacked somewhere (`dpkg -x`). */
const RESOLVED = process.env.SYSTEMD_RESOLVED ?? '/lib/systemd/systemd-resolved';
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

const missing = [
  ...(existsSync(RESOLVED) ? [] : [`${RESOLVED} (Debian: systemd-resolved)`]),
  ...(existsSync(AUTHORITIES) ? [] : [AUTHORITIES]),
  ...['dig', 'unshare', 'ip'].filter((program) => !isInstalled(program)),
  ...(process.getuid?.() === 0 ? [] : ['root']),
];
if (missing.length > 0) console.log(`test/e2e/systemd-resolved: ${missing.join(', ')} is missing; skipped`);

/** It runs without systemd, in folders and a network of its own, and wants a link that is up. */
const script = (dir: string, program: string): string => `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/resolve
chown systemd-resolve:systemd-resolve /run/systemd/resolve
mkdir -p ${dir}/systemd
cp ${dir}/resolved.conf ${dir}/systemd/
mount --bind ${dir}/systemd /etc/systemd
cat ${AUTHORITIES} ${FILES}/cert.pem > ${dir}/authorities
mount --bind ${dir}/authorities ${AUTHORITIES}
ip link set lo up
ip link add up0 type veth peer name up1
ip link set up1 up
ip address add 192.0.2.100/24 dev up0
ip link set up0 up
${process.execPath} ${program} -conf ${dir}/Corefile > ${dir}/ours.log 2>&1 &
ours=$!
SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console ${RESOLVED} > ${dir}/resolved.log 2>&1 &
resolved=$!
for i in $(seq 100); do
  dig @127.0.0.53 www.example +short +timeout=1 +tries=1 > ${dir}/answer || true
  grep -q '^[0-9]' ${dir}/answer && break
  sleep 0.2
done
kill $ours $resolved
`;

describe.skipIf(missing.length > 0)('systemd-resolved with DNS over TLS', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-resolved-'));
    const block = `bind 127.0.0.9\ntls ${FILES}/cert.pem ${FILES}/key.pem\nhosts {\n192.0.2.7 www.example\n}`;
    writeFileSync(`${dir}/Corefile`, `tls://.:8853 {\n${block}\n}\n`);
    writeFileSync(
      `${dir}/resolved.conf`,
      '[Resolve]\nDNS=127.0.0.9:8853#dns.example\nDNSOverTLS=yes\nDNSSEC=no\nDomains=~.\nFallbackDNS=\n',
    );
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('checks our certificate and gets right answers', { timeout: 120_000 }, async () => {
    await run('unshare', ['-mn', 'bash', '-c', script(dir, compiledProgram())]);
    const log = readFileSync(`${dir}/resolved.log`, 'utf8');
    expect(readFileSync(`${dir}/answer`, 'utf8')).toBe('192.0.2.7\n');
    expect(log).toMatch(/<www\.example IN A> .* complete with <success> from network \(unsigned; confidential\)/);
  });
});
