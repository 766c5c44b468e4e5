import { readFileSync } from 'node:fs';
import path from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { PLUGINS } from '../../src/server/directives.js';
import { setup } from '../support/block.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, 'src/plugins');
const page = (plugin: string): string => readFileSync(path.join(FOLDER, plugin, 'README.md'), 'utf8');

/** Names of metrics that the sources below a folder write down, some of them without their subsystem. */
function registered(folder: string): string[] {
  const names = globSync('**/*.ts', { cwd: folder, absolute: true })
    .map((file) => readFileSync(file, 'utf8'))
    .flatMap((text) => [
      ...text.matchAll(/'([a-z]\w*_(?:total|seconds|bytes|entries|info|enabled|silent|step|pods))'/g),
    ])
    .map(([, name]) => name!);
  return [...new Set(names)].sort();
}

/** What a page's section of metrics names at the beginning of its points, without `coredns_`. */
function told(plugin: string): string[] {
  const [, section = ''] = /\n## Metrics\n(.*?)(?=\n## |$)/s.exec(page(plugin)) ?? [];
  return [...section.matchAll(/^[*-] (`coredns_.*)/gm)].flatMap(([, line]) =>
    [...line!.split(' - ', 1)[0]!.matchAll(/`coredns_(\w+)/g)].map(([, name]) => name!),
  );
}

const SERVER = ['chain', 'metrics', 'net', 'origin', 'server'].flatMap((folder) =>
  registered(path.join(ROOT, 'src', folder)),
);
const isOf = (name: string, full: string): boolean => full === name || full.endsWith(`_${name}`);

describe('the metrics of manual pages', () => {
  it.each(PLUGINS.map(({ name }) => name))('are those that the code registers: %s', (plugin) => {
    const own = registered(path.join(FOLDER, plugin));
    const page = told(plugin);
    expect(own.filter((name) => name !== 'panics_total' && !page.some((full) => isOf(name, full)))).toEqual([]);
    expect(page.filter((full) => ![...own, ...SERVER, 'entries'].some((name) => isOf(name, full)))).toEqual([]);
  });

  it('of the server are on the page of some plugin', () => {
    const pages = PLUGINS.flatMap(({ name }) => told(name));
    expect(SERVER.filter((name) => !pages.some((full) => isOf(name, full)))).toEqual([]);
  });
});

/** What a directive needs before its braces, where it needs something. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  autopath: '@kubernetes',
  file: '/db example.org',
  filter: 'aaaa',
  forward: '. 192.0.2.1',
  geoip: '/db',
  multisocket: '2',
  pprof: ':0',
  secondary: 'example.org',
  template: 'IN A',
  view: 'a',
};

/** The options of a directive, as it says itself when it meets one that is none; undefined without a block. */
function understood(plugin: (typeof PLUGINS)[number]): string[] | undefined {
  try {
    setup(plugin, `${plugin.name} ${ARGUMENTS[plugin.name] ?? ''} {\n zzz\n}`);
  } catch (error) {
    const [, list] = /unknown option 'zzz'; allowed: (.*?)(?:;|$)/.exec((error as Error).message) ?? [];
    return list
      ?.split(', ')
      .filter((name) => /^[a-z]/.test(name))
      .sort();
  }
  return undefined;
}

/** The options in the braces of the first block of a page's syntax. */
function shown(plugin: string): string[] {
  const [, section = ''] = /\n## Syntax\n(.*?)(?=\n## |$)/s.exec(page(plugin)) ?? [];
  const names = [...section.matchAll(/^(?:```|~~~)[^\n]*\n(.*?)^(?:```|~~~)/gms)]
    .flatMap(([, block]) => /\{\n(.*)\n\}/s.exec(block!)?.[1]!.split('\n') ?? [])
    .flatMap((line) => /^\s+([a-z][\w|-]*)/.exec(line)?.[1]?.split('|') ?? []);
  return [...new Set(names)].sort();
}

/** Options that pages write in another way: as a placeholder, in their text, for one of several forms, or within another option. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  acl: ['allow', 'block', 'drop', 'filter'],
  loadbalance: ['reload'],
  template: ['upstream'],
  tls: ['ca', 'email', 'names', 'renew_before', 'storage'],
};

describe('the options of manual pages', () => {
  it.each(
    PLUGINS.flatMap((plugin) => ({ name: plugin.name, options: understood(plugin) })).filter(({ options }) => options),
  )('are those that the code reads: $name', ({ name, options }) => {
    const apart = ELSEWHERE[name] ?? [];
    const others = (list: readonly string[]): string[] => list.filter((option) => !apart.includes(option));
    expect(others(shown(name))).toEqual(others(options!));
    for (const option of apart) expect(page(name)).toContain(`\`${option}\``);
  });
});
