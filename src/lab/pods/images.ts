import path from 'node:path';
import type { RawObject } from '../../kube/objects/raw.js';
import { arrayAt, textAt } from '../../kube/objects/raw.js';
import { containersOf } from '../cluster/cluster-api.js';
import { IdleProgram } from './idle-program.js';
import { isNodeCache } from '../../nodelocal/is-node-cache.js';
import { DnsProgram } from './dns-program.js';
import { NodeCacheProgram } from './node-cache-program.js';
import type { Program, ProgramEnv } from './program.js';
import { WebProgram, whoami } from './web-program.js';

const DNS_IMAGES = ['coredns', 'nodens'];
const CACHE_IMAGES = ['k8s-dns-node-cache'];
const WEB_IMAGES = ['whoami', 'nginx', 'httpd'];

/** The words after the program's name. */
const argsOf = (container: RawObject): string[] => arrayAt(container, 'args').map(String);

/**
 * The program of the first container's image. An image that the lab does not know is an idle program: enough to run
 * commands in.
 */
export function programOf(env: ProgramEnv): Program {
  const [container = {}] = containersOf(env.raw);
  const image = path.basename(textAt(container, 'image')).split(/[:@]/, 1)[0]!;
  const args = argsOf(container);
  const named = args[0] === 'node-cache';
  const cache = DNS_IMAGES.includes(image) && (named || isNodeCache(args));
  if (cache || CACHE_IMAGES.includes(image)) return new NodeCacheProgram(env, named ? args.slice(1) : args);
  if (DNS_IMAGES.includes(image)) return new DnsProgram(env, corefileOf(args));
  if (WEB_IMAGES.includes(image)) return new WebProgram(env.network, whoami(env.pod, env.clock));
  return new IdleProgram(env);
}

function corefileOf(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === '-conf' || arg === '--conf');
  return (at >= 0 ? args[at + 1] : args.find((arg) => /^--?conf=/.test(arg))?.replace(/^--?conf=/, '')) ?? '/Corefile';
}
