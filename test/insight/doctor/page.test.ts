import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { diagnose } from '../../../src/insight/doctor/diagnose.js';
import { doctorText } from '../../../src/insight/doctor/page.js';
import { SYMPTOMS } from '../../../src/insight/doctor/symptom.js';
import { HEALTHY, SERVER } from './healthy.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/DOCTOR.md'), 'utf8');

it('the example of docs/DOCTOR.md prints what the page shows', () => {
  const facts = {
    ...HEALTHY,
    resolvConf: 'nameserver 10.96.0.10\n',
    mtus: new Map([
      ['lo', 65_536],
      ['eth0', 1500],
    ]),
    addresses: HEALTHY.addresses.slice(0, 2),
    sockets: {},
    rules:
      '-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns has no endpoints" -m udp --dport 53 -j REJECT\n',
    servers: [{ ...SERVER, udp: undefined, tcp: undefined, large: undefined, signatures: undefined }],
  };
  const shown = /^```console\n([\s\S]*?)^```$/m.exec(page)?.[1];
  expect(`$ nodens doctor\n${doctorText(facts, diagnose(facts))}`).toBe(shown);
});

it('docs/DOCTOR.md lists what can be found', () => {
  const rows = [...page.matchAll(/^\| `(.*?)`\s*\| (.*?)\s*\| (.*?)\s*\| (.*?)\s*\|$/gm)].map((row) => row.slice(1, 5));
  expect(rows).toEqual(
    Object.entries(SYMPTOMS).map(([name, { urgency, means, todo }]) => [name, urgency, means, todo]),
  );
});
