import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../src/lib/clock.js';
import { LabelSelector } from '../../src/kube/objects/label-selector.js';
import { parseManifest } from '../../src/kube/manifests/parse.js';
import { ManifestSource } from '../../src/kube/manifests/source.js';
import type { ManifestSourceOptions } from '../../src/kube/manifests/source.js';
import { ALL_FIELDS, KUBE_KINDS } from '../../src/kube/objects/objects.js';
import { KubeStore } from '../../src/kube/store/store.js';
import { RecordedLog, service, until } from '../support/kube.js';

let folder: string;
let stop: AbortController;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  rmSync(folder, { recursive: true });
});

const at = (...names: string[]): string => join(folder, ...names);
const write = (name: string, text: string): void => writeFileSync(at(name), text);
const svc = (name: string, ip = '10.96.0.1', namespace = 'default'): string =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: { clusterIP: ${ip} }\n`;

async function follow(options: Partial<ManifestSourceOptions> = {}) {
  const [store, log] = [new KubeStore(), new RecordedLog()];
  const source = new ManifestSource({
    paths: [folder],
    kinds: KUBE_KINDS,
    fields: ALL_FIELDS,
    timing: { debounce: 10, poll: 60_000 },
    clock: realClock,
    log,
    ...options,
  });
  source.start(store, stop.signal);
  await source.synced;
  const services = (): string[] =>
    [...store.all('Service')].map((found) => `${found.namespace}/${found.name} ${found.clusterIps.join(',')}`).sort();
  return { store, log, source, services };
}

describe('parseManifest', () => {
  it.each([
    {
      name: 'documents, empty ones among them',
      text: `---\n# nothing\n---\n${svc('a')}---\n${svc('b')}`,
      want: [
        ['Service', 'f:4:1'],
        ['Service', 'f:9:1'],
      ],
    },
    {
      name: 'a List',
      text: 'kind: List\nitems:\n  - kind: Pod\n  - { kind: Service }\n',
      want: [
        ['Pod', 'f:3:5'],
        ['Service', 'f:4:5'],
      ],
    },
    {
      name: 'a typed list',
      text: 'kind: ServiceList\nitems:\n  - metadata: { name: a }\n',
      want: [['Service', 'f:3:5']],
    },
    { name: 'JSON', text: '{"kind":"List","items":[{"kind":"Pod"}]}', want: [['Pod', 'f']] },
    { name: 'nothing', text: '# empty\n', want: [] },
    {
      name: 'a List whose items an alias stands for',
      text: '---\nkind: Pod\n---\nx: &i\n  - kind: Pod\nkind: List\nitems: *i\n',
      want: [
        ['Pod', 'f:2:1'],
        ['Pod', 'f:4:1'],
      ],
    },
    { name: 'a null', text: '~\n---\nnull\n', want: [] },
    {
      name: 'anchors and aliases',
      text: 'kind: Pod\nmetadata: &m { name: a }\nstatus: *m\n',
      want: [['Pod', 'f:1:1']],
    },
  ])('reads $name', ({ text, want }) =>
    expect([...parseManifest('f', text)].map(({ kind, place }) => [kind, place])).toEqual(want),
  );

  it.each([
    { name: 'broken YAML', text: 'kind: Service\nmetadata: {\n', error: /^f:3:1: Flow map/ },
    { name: 'a key given twice', text: 'kind: a\nkind: b\n', error: 'f:2:1: Map keys must be unique' },
    { name: 'broken JSON', text: '{"kind": "Service",\n "metadata": {"name" "a"}}', error: /^f:2:\d+: / },
    { name: 'a word', text: 'hello', error: 'f:1:1: got "hello", want an object with apiVersion and kind' },
    { name: 'a bare list', text: '---\n- a\n', error: 'f:2:1: got a list, want an object with apiVersion and kind' },
    {
      name: 'an object without kind',
      text: `${svc('a')}---\nmetadata: { name: x }\n`,
      error: 'f:6:1: an object without kind',
    },
    {
      name: 'an item without kind',
      text: 'kind: List\nitems:\n  - kind: Pod\n  - a: b\n',
      error: 'f:4:5: an object without kind',
    },
    { name: 'an alias to nothing', text: 'kind: *x\n', error: /^f:1:1: Unresolved alias/ },
  ])('refuses $name', ({ text, error }) => expect(() => [...parseManifest('f', text)]).toThrow(error));
});

describe('reading', () => {
  it('finds files in folders and by name', async () => {
    mkdirSync(at('sub', 'deep'), { recursive: true });
    write('a.yaml', svc('a'));
    write('b.json', JSON.stringify(service('b', { clusterIPs: ['10.96.0.2'] })));
    writeFileSync(at('sub', 'deep', 'c.yml'), svc('c', '10.96.0.3'));
    write('notes.txt', svc('no'));
    write('.hidden.yaml', svc('no'));
    write('named.conf', svc('d', '10.96.0.4'));
    const { services, log } = await follow({ paths: [folder, at('named.conf')] });
    expect(services()).toEqual([
      'default/a 10.96.0.1',
      'default/b 10.96.0.2',
      'default/c 10.96.0.3',
      'default/d 10.96.0.4',
    ]);
    expect(log.lines).toEqual([]);
  });

  it('gives every object its namespace, for as long as something is in it', async () => {
    write('a.yaml', svc('a', '10.96.0.1', 'shop'));
    write('b.yaml', 'kind: Namespace\nmetadata: { name: written, labels: { a: b } }\n');
    const { store } = await follow();
    expect([...store.all('Namespace')].map(({ name, labels }) => [name, labels])).toEqual([
      ['shop', { 'kubernetes.io/metadata.name': 'shop' }],
      ['written', { a: 'b' }],
    ]);
    write('b.yaml', `${svc('b', '10.96.0.2', 'written')}`);
    unlinkSync(at('a.yaml'));
    await until(
      () => store.namespace('shop') === undefined && store.namespace('written')?.labels?.['a'] === undefined,
      'the namespaces to change',
    );
    expect(store.namespace('written')?.labels).toEqual({ 'kubernetes.io/metadata.name': 'written' });
  });

  it('chooses by namespace and labels', async () => {
    write(
      'a.yaml',
      ['a', 'b']
        .map(
          (ns) =>
            `${svc('x', '10.96.0.1', ns)}---\nkind: Service\nmetadata: { name: y, namespace: ${ns}, labels: { keep: "1" } }\n---\n`,
        )
        .join(''),
    );
    const { services, store } = await follow({ namespaces: new Set(['a']), labels: LabelSelector.parse('keep=1') });
    expect(services()).toEqual(['a/y ']);
    expect([...store.all('Namespace')].map(({ name }) => name)).toEqual(['a']);
  });

  it('warns of what it leaves out, with its place', async () => {
    write(
      'a.yaml',
      `kind: Service\nmetadata: { name: A }\n---\n${svc('a', '10.96.0.300')}---\n${svc('a', '10.96.0.2')}---\nkind: Deployment\nmetadata: { name: x }\n`,
    );
    const { log, services } = await follow();
    expect(log.lines).toEqual([
      `warning ${at('a.yaml')}:1:1: Service default/"A" left out: its name is no DNS name`,
      `warning ${at('a.yaml')}:4:1: Service default/a: invalid cluster address "10.96.0.300" left out`,
      `warning ${at('a.yaml')}:9:1: Service default/a is in this file already; the first counts`,
      `debug ${at('a.yaml')}:14:1: kind Deployment passed over`,
    ]);
    expect(services()).toEqual(['default/a ']);
  });

  it('tells of a path that is not there, once, and takes it when it comes', async () => {
    const { log, services } = await follow({ paths: [at('later')], timing: { debounce: 5, poll: 20 } });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(log.lines).toEqual([`error manifests ${at('later')}: no such file or folder`]);
    mkdirSync(at('later'));
    writeFileSync(at('later', 'a.yaml'), svc('a'));
    await until(() => services().length === 1, 'the service');
  });

  it('does not wait for a pipe, nor read what has no end, and follows the rest', async () => {
    execFileSync('mkfifo', [at('pipe.yaml')]);
    symlinkSync('/dev/zero', at('zero.yaml'));
    write('a.yaml', svc('a'));
    const { services, log } = await follow();
    expect(services()).toEqual(['default/a 10.96.0.1']);
    for (const name of ['pipe', 'zero'])
      expect(log.lines.join('\n')).toContain(`${at(`${name}.yaml`)}: got a pipe, a device or a socket`);
    write('b.yaml', svc('b', '10.96.0.2'));
    await until(() => services().length === 2, 'the new file');
  });

  it('is not caught in a circle of links', async () => {
    mkdirSync(at('sub'));
    symlinkSync(folder, at('sub', 'up'));
    writeFileSync(at('sub', 'a.yaml'), svc('a'));
    const { services, log } = await follow();
    expect(services()).toEqual(['default/a 10.96.0.1']);
    expect(log.lines).toEqual([]);
  });
});

describe('following', () => {
  it('takes up changed, new and removed files', async () => {
    write('a.yaml', svc('a'));
    const { services, store } = await follow();
    write('a.yaml', svc('a', '10.96.0.9'));
    await until(() => services()[0] === 'default/a 10.96.0.9', 'the change');
    mkdirSync(at('sub'));
    await new Promise((resolve) => setTimeout(resolve, 40));
    writeFileSync(at('sub', 'b.yaml'), svc('b'));
    await until(() => store.service('default', 'b') !== undefined, 'the file in the new folder');
    unlinkSync(at('a.yaml'));
    await until(() => store.service('default', 'a') === undefined, 'the removal');
  });

  it('tells only what is different', async () => {
    write('a.yaml', `${svc('a')}---\n${svc('b')}`);
    const { store } = await follow();
    const changes: string[] = [];
    store.changes.subscribe(({ type, old, new: next }) => changes.push(`${type} ${(next ?? old)!.name}`));
    write('a.yaml', `${svc('a')}---\n${svc('b', '10.96.0.2')}---\n${svc('c')}`);
    await until(() => changes.length === 2, 'two changes');
    expect(changes).toEqual(['modified b', 'added c']);
  });

  it('keeps what a file held when it breaks, and reports the place', async () => {
    write('a.yaml', svc('a'));
    const { services, log } = await follow();
    write('a.yaml', `${svc('b')}---\nkind: Service\nmetadata: [\n`);
    await until(() => log.at('error').length === 1, 'the report');
    expect(log.at('error')[0]).toMatch(new RegExp(`^${at('a.yaml')}:8:1: Flow sequence.*; its former objects stay$`));
    expect(services()).toEqual(['default/a 10.96.0.1']);
    write('a.yaml', svc('b'));
    await until(() => services()[0] === 'default/b 10.96.0.1', 'the repair');
  });

  it('counts the first of two files with the same object, and the second when the first is gone', async () => {
    write('a.yaml', svc('x', '10.96.0.1'));
    write('b.yaml', svc('x', '10.96.0.2'));
    const { services, log } = await follow();
    expect(services()).toEqual(['default/x 10.96.0.1']);
    expect(log.at('warning')).toEqual([
      `Service default/x is in ${at('a.yaml')} and ${at('b.yaml')}; ${at('a.yaml')} counts`,
    ]);
    unlinkSync(at('a.yaml'));
    await until(() => services()[0] === 'default/x 10.96.0.2', 'the second to count');
  });

  it('notices a ConfigMap being swapped', async () => {
    for (const [version, ip] of [
      ['..1', '10.96.0.1'],
      ['..2', '10.96.0.2'],
    ] as const) {
      mkdirSync(at(version));
      writeFileSync(at(version, 'a.yaml'), svc('a', ip));
    }
    symlinkSync('..1', at('..data'));
    symlinkSync('..data/a.yaml', at('a.yaml'));
    const { services, log } = await follow();
    expect(services()).toEqual(['default/a 10.96.0.1']);
    symlinkSync('..2', at('..data_tmp'));
    renameSync(at('..data_tmp'), at('..data'));
    await until(() => services()[0] === 'default/a 10.96.0.2', 'the new generation');
    expect(log.lines).toEqual([]);
  });

  it('sees by looking what it is not told of', async () => {
    write('a.yaml', svc('a'));
    const { services } = await follow({ timing: { debounce: 60_000, poll: 15 } });
    write('a.yaml', svc('a', '10.96.0.7'));
    await until(() => services()[0] === 'default/a 10.96.0.7', 'the change');
  });

  it('reads only what has changed', async () => {
    write('a.yaml', 'broken: [');
    const { log, services } = await follow();
    write('b.yaml', svc('b'));
    await until(() => services().length === 1, 'the other file');
    expect(log.at('error')).toHaveLength(1);
  });

  it('stops when told to', async () => {
    write('a.yaml', svc('a'));
    const { services } = await follow();
    stop.abort();
    write('a.yaml', svc('b'));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(services()).toEqual(['default/a 10.96.0.1']);
  });
});
