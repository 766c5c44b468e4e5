import { readFileSync } from 'node:fs';

const lines = (file: string): string[] =>
  readFileSync(new URL(`data/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '');

/** What a node-cache with -localip 169.254.20.10,10.96.0.10 logged, without the command that started it. */
export const START_LOG = lines('start-log.txt').slice(1);

const begin = START_LOG.findIndex((line) => line.endsWith('Using config file:')) + 1;
const end = START_LOG.findIndex((line) => line.includes('Skipping kube-dns configmap'));

/** The Corefile that it rendered. */
export const RENDERED = `${START_LOG.slice(begin, end).join('\n')}\n`;

/** The template that this was made from, before anything was filled in. */
export const TEMPLATE = RENDERED.replace('cluster.local', '__PILLAR__DNS__DOMAIN__')
  .replaceAll('bind 169.254.20.10 10.96.0.10', 'bind __PILLAR__LOCAL__DNS__')
  .replace('169.254.20.10:8080', '__PILLAR__LOCAL__DNS__:8080')
  .replaceAll('10.96.31.170', '__PILLAR__CLUSTER__DNS__')
  .replace('/etc/resolv.conf', '__PILLAR__UPSTREAM__SERVERS__');

/**
 * The lines of iptables-save of a node that this node-cache runs on: the rules of table raw, then those of table
 * filter.
 */
export const SAVED = lines('iptables-save.txt');

/** Its lines about rules that it added, in order. */
export const ADDED = START_LOG.filter((line) => line.includes('Added back')).map((line) => line.replace('[INFO] ', ''));

/** What a node-cache answered to bad flags. */
export const BAD_FLAGS = readFileSync(new URL('data/bad-flags.txt', import.meta.url), 'utf8');
