import { expect, it } from 'vitest';
import { forwardTargets } from '../../../src/lab/web/links.js';

it.each([
  { name: 'addresses', text: '. {\n forward . 10.0.0.1 10.0.0.2:5353\n}\n', targets: ['10.0.0.1', '10.0.0.2'] },
  {
    name: 'a file',
    text: '. {\n forward . /etc/resolv.conf {\n  max_concurrent 1000\n }\n}\n',
    targets: ['/etc/resolv.conf'],
  },
  {
    name: 'TLS and IPv6',
    text: '. {\n forward . tls://[2001:db8::1]:853 2001:db8::2\n}\n',
    targets: ['2001:db8::1', '2001:db8::2'],
  },
  {
    name: 'several blocks, each target once',
    text: 'a {\n forward . 10.0.0.1\n}\nb {\n forward b 10.0.0.1 10.0.0.3\n}\n',
    targets: ['10.0.0.1', '10.0.0.3'],
  },
  { name: 'no forward', text: '. {\n whoami\n}\n', targets: [] },
  { name: 'a Corefile that cannot be read', text: '. {\n forward . 10.0.0.1\n', targets: [] },
])('what a Corefile forwards to: $name', ({ text, targets }) => expect(forwardTargets(text)).toEqual(targets));
