import { describe, expect, it } from 'vitest';
import type { CorefileEntry } from '../../src/corefile/entry.js';
import { parseCorefile } from '../../src/corefile/load.js';
import { memoryFiles } from './memory-files.js';
import { CLUSTER, COMPOSED, NODE_CACHE } from './production.js';

interface Shape {
  line: string;
  at: number;
  options?: Shape[];
}
const shape = (entry: CorefileEntry): Shape => ({
  line: [entry.name, ...entry.args].join(' '),
  at: entry.line,
  ...(entry.options && { options: entry.options.map(shape) }),
});

describe('the Corefile of a cluster', () => {
  const { blocks, files } = parseCorefile({ name: 'Corefile', text: CLUSTER });
  it('has one block', () => {
    expect(files).toEqual([]);
    expect(blocks.map((block) => block.keys.map(({ zone, port }) => [zone, port]))).toEqual([[['.', 53]]]);
  });
  it('has all directives with their options', () => {
    expect(blocks[0]!.directives.map(shape)).toEqual([
      { line: 'errors', at: 2 },
      { line: 'health', at: 3, options: [{ line: 'lameduck 5s', at: 4 }] },
      { line: 'ready', at: 6 },
      {
        line: 'kubernetes cluster.local in-addr.arpa ip6.arpa',
        at: 7,
        options: [
          { line: 'pods insecure', at: 8 },
          { line: 'fallthrough in-addr.arpa ip6.arpa', at: 9 },
          { line: 'ttl 30', at: 10 },
        ],
      },
      { line: 'prometheus :9153', at: 12 },
      { line: 'forward . /etc/resolv.conf', at: 13, options: [{ line: 'max_concurrent 1000', at: 14 }] },
      {
        line: 'cache 30',
        at: 16,
        options: [
          { line: 'disable success cluster.local', at: 17 },
          { line: 'disable denial cluster.local', at: 18 },
        ],
      },
      { line: 'loop', at: 20 },
      { line: 'reload', at: 21 },
      { line: 'loadbalance', at: 22 },
    ]);
  });
});

describe('the Corefile of a node cache', () => {
  const { blocks } = parseCorefile({ name: 'Corefile', text: NODE_CACHE });
  it('has two blocks on one port', () => {
    expect(blocks.map((block) => [block.line, block.keys.map(({ zone, port }) => `${zone} ${port}`)])).toEqual([
      [1, ['cluster.local. 53']],
      [16, ['. 53']],
    ]);
  });
  it('has all directives with their options', () => {
    expect(blocks[0]!.directives.map((directive) => shape(directive).line)).toEqual([
      'errors',
      'cache',
      'reload',
      'loop',
      'bind 169.254.20.10 10.96.0.10',
      'forward . 10.96.31.170',
      'prometheus :9253',
      'health 169.254.20.10:8080',
    ]);
    expect(blocks[0]!.directives[1]!.options!.map(shape)).toEqual([
      { line: 'success 9984 30', at: 4 },
      { line: 'denial 9984 5', at: 5 },
    ]);
    expect(blocks[1]!.directives.map(({ name }) => name)).toEqual([
      'errors',
      'cache',
      'reload',
      'loop',
      'bind',
      'forward',
      'prometheus',
    ]);
  });
});

describe('a composed Corefile', () => {
  const files = {
    '/etc/dns/custom/stub.server': 'corp.example:53 {\n    import upstream {$CORP:192.0.2.53}\n}\n',
    '/etc/dns/custom/more.server': 'b.example {\n    import defaults\n}\n',
  };
  const corefile = parseCorefile({ name: 'Corefile', text: COMPOSED }, memoryFiles(files));
  const [cluster, more, stub] = corefile.blocks;

  it('has the blocks of all files', () => {
    expect(corefile.blocks.map((block) => block.keys.map(({ zone, port }) => `${zone} ${port}`))).toEqual([
      ['cluster.local. undefined', '96.10.in-addr.arpa. 53', '97.10.in-addr.arpa. 53'],
      ['b.example. undefined'],
      ['corp.example. 53'],
    ]);
    expect(corefile.files).toEqual(['/etc/dns/custom/more.server', '/etc/dns/custom/stub.server']);
    expect(corefile.warnings).toEqual(["Corefile:9: import: no file matches 'custom/*.override'"]);
  });

  it('has what snippets bring', () => {
    expect(more!.directives.map((directive) => [directive.line, directive.name, ...directive.args])).toEqual([
      [2, 'errors'],
      [3, 'log', '.'],
      [6, 'prometheus', '0.0.0.0:9153'],
    ]);
    expect(stub!.directives.map(shape)).toEqual([
      {
        line: 'forward . 192.0.2.53',
        at: 12,
        options: [
          { line: 'max_concurrent 1000', at: 13 },
          { line: 'health_check 5s domain 192.0.2.53.health.example', at: 14 },
          { line: 'policy sequential', at: 15 },
        ],
      },
    ]);
  });

  it('keeps expressions and quoted text', () => {
    expect(cluster!.directives.map(({ name }) => name)).toEqual([
      'errors',
      'log',
      'prometheus',
      'rewrite',
      'template',
      'hosts',
      'forward',
    ]);
    expect(cluster!.directives[3]!.options![0]!.args).toEqual([
      'regex',
      '(.*)\\.legacy\\.example',
      '{1}.default.svc.cluster.local',
    ]);
    expect(cluster!.directives[4]!.options!.map(({ args }) => args)).toEqual([
      ['^(?P<host>[a-z]+)[.]example[.]org[.]$'],
      ['NXDOMAIN'],
      ['example.org. 60 IN SOA ns.example.org. host.example.org. (1 60 60 60 60)'],
      [],
    ]);
    expect(cluster!.directives[6]!.args).toEqual(['.', '10.0.0.2', '10.0.0.3']);
  });
});
