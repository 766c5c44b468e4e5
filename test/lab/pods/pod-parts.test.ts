import { describe, expect, it } from 'vitest';
import { PodFiles } from '../../../src/lab/pods/pod-files.js';
import { PodLog } from '../../../src/lab/pods/pod-log.js';
import { probesOf } from '../../../src/lab/pods/probes.js';

describe('the files of a pod', () => {
  const MAPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    coredns: { Corefile: 'one', other: 'two' },
    further: { Corefile: 'three' },
  };
  const files = (items?: readonly object[], maps = MAPS) =>
    new PodFiles(
      {
        spec: {
          volumes: [
            { name: 'x', configMap: { name: 'further' } },
            { name: 'config', configMap: { name: 'coredns', ...(items && { items }) } },
            { name: 'none', configMap: { name: 'not there' } },
          ],
          containers: [
            {
              volumeMounts: [
                { name: 'none', mountPath: '/etc/coredns' },
                { name: 'config', mountPath: '/etc/coredns/' },
              ],
            },
          ],
        },
      },
      (name) => maps[name],
    );

  it.each([
    { name: 'a key of a ConfigMap', file: '/etc/coredns/Corefile', want: 'one' },
    { name: 'no key of another', file: '/etc/coredns/none', want: undefined },
    { name: 'nothing of another folder', file: '/etc/Corefile', want: undefined },
    { name: 'a key under another name', file: '/etc/coredns/a', items: [{ key: 'other', path: 'a' }], want: 'two' },
    { name: 'no other key then', file: '/etc/coredns/Corefile', items: [{ key: 'other', path: 'a' }], want: undefined },
    { name: 'nothing that objects have of themselves', file: '/etc/coredns/toString', want: undefined },
  ])('are $name', ({ file, items, want }) => expect(files(items).read(file)).toBe(want));

  it('are what was written last', () => {
    const own = files();
    own.write('/etc/coredns/Corefile', 'mine');
    const { readFile, fileInfo } = own.asServerFiles;
    expect([readFile('/etc/coredns/Corefile'), fileInfo('/etc/coredns/Corefile')]).toEqual([
      'mine',
      { mtime: 1, size: 4 },
    ]);
    own.write('/etc/coredns/Corefile', 'more');
    expect(fileInfo('/etc/coredns/Corefile')).toEqual({ mtime: 2, size: 4 });
    expect(fileInfo('/none')).toBeUndefined();
    expect(() => readFile('/none')).toThrow(/^ENOENT: no such file or directory, open '\/none'$/);
  });

  it.each([
    { name: 'at its beginning', one: `a${' '.repeat(40)}`, other: `b${' '.repeat(40)}` },
    { name: 'at its end', one: 'xa', other: 'xb' },
    { name: 'in its order', one: 'ab', other: 'ba' },
  ])('have another time where a ConfigMap changed $name', ({ one, other }) => {
    const timeOf = (text: string) =>
      files(undefined, { coredns: { Corefile: text } }).asServerFiles.fileInfo('/etc/coredns/Corefile')!.mtime;
    expect(timeOf(one)).toBe(timeOf(one));
    expect(timeOf(one)).not.toBe(timeOf(other));
  });
});

describe('the log of a pod', () => {
  it('keeps the newest 5000 lines', () => {
    const log = new PodLog({ now: () => 0 });
    for (let i = 0; i < 5002; i++) log.write(`${i}\n`);
    const lines = log.lines();
    expect([lines.length, lines[0]!.text, log.tail(1), log.tail(0)]).toEqual([5000, '2', ['5001'], []]);
  });
});

describe('the probes of a pod', () => {
  const portOf = (port: unknown, ports: readonly object[] = []) =>
    probesOf({ spec: { containers: [{ name: 'a', ports, livenessProbe: { httpGet: { port } } }] } })[0]!.port;
  it.each([
    { name: 'a number', port: 8080, want: 8080 },
    { name: 'a number as text', port: '8080', want: 8080 },
    { name: 'a port of the container', port: 'http', want: 81 },
    { name: 'none that it has', port: 'https', want: 0 },
    { name: 'none', port: undefined, want: 0 },
  ])('ask at $name', ({ port, want }) =>
    expect(
      portOf(port, [
        { name: 'x', containerPort: 1 },
        { name: 'http', containerPort: 81 },
      ]),
    ).toBe(want),
  );
});
