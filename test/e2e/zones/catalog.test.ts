import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Opcode, Type, decodeMessage, encodeMessage, rcodeName } from '../../../src/wire/index.js';
import { DebianServer, isInstalled } from '../../support/debian-server.js';
import { texts } from '../../support/dns.js';
import { askUdp, running } from '../../support/running.js';
import { askAll } from './ask.js';

const member = (name: string): string[] => [`  - domain: ${name}`, '    file: "member"', '    template: member'];
const ZONE = '@ 300 SOA ns host 1 1 1 86400 300\n@ 300 NS ns\nns 300 A 192.0.2.53\nwww 300 A 192.0.2.1\n';
const NOTIFY = encodeMessage({
  id: 1,
  flags: Opcode.NOTIFY << 11,
  rcode: 0,
  question: [{ name: 'catalog.test.', type: Type.SOA, class: 1 }],
  answer: [],
  authority: [],
  additional: [],
});
const there = isInstalled('knotd');

it.skipIf(!there)(
  `the members of a catalog that Knot makes${there ? '' : ' (not tried: there is no program "knotd")'}`,
  async () => {
    const knot = await DebianServer.knot('catalog.test.', undefined, {
      server: [
        'template:',
        '  - id: member',
        '    acl: all',
        '    catalog-role: member',
        '    catalog-zone: catalog.test.',
      ],
      zone: ['    catalog-role: generate'],
    });
    onTestFinished(() => knot.stop());
    writeFileSync(path.join(knot.dir, 'member'), ZONE);
    /** What Knot lists from now on. */
    const list = (...names: string[]): void => {
      const lines = names.flatMap((name) => [...member(name), `    storage: "${knot.dir}"`]);
      knot.configure((text) => text.split('# members\n')[0]! + `# members\n${lines.join('\n')}\n`);
    };
    const from = `transfer from 127.0.0.1:${knot.port}`;
    const ours = await running(`test:0 {\nbind 127.0.0.1\nsecondary catalog.test {\n${from}\ncatalog test\n}\n}\n`);
    onTestFinished(() => ours.stop());
    list('one.test.', 'two.test.');
    const www = async (zone: string): Promise<string> => {
      const [answer] = await askAll(ours.port, [{ name: `www.${zone}`, type: 'A' }]);
      const { rcode, answer: records } = decodeMessage(answer!);
      return records.length === 0 ? rcodeName(rcode) : texts(records).join();
    };
    // Knot reads its configuration when it comes to it, and gives its catalogs an hour to be looked at: so it is told,
    // with each question, that there is something new.
    const notified = async (zone: string): Promise<string> => {
      await askUdp(ours.port, NOTIFY);
      return www(zone);
    };
    const wait = { timeout: 20_000, interval: 100 };
    await expect.poll(() => notified('one.test.'), wait).toBe('www.one.test. 300 IN A 192.0.2.1');
    await expect.poll(() => notified('two.test.'), wait).toBe('www.two.test. 300 IN A 192.0.2.1');
    list('two.test.', 'three.test.');
    await expect.poll(() => notified('three.test.'), wait).toBe('www.three.test. 300 IN A 192.0.2.1');
    await expect.poll(() => www('one.test.'), wait).toBe('REFUSED');
    expect(await www('two.test.')).toBe('www.two.test. 300 IN A 192.0.2.1');
  },
  60_000,
);
