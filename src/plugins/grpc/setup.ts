import path from 'node:path';
import { Zones, definePlugin, onlyOne, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import type { TlsSettings } from '../../exchange/index.js';
import { randomBelow, type Random } from '../../lib/random.js';
import type { Endpoint } from '../../net/network.js';
import { Grpc, type GrpcParts } from './handler.js';
import { grpcMetrics } from './metrics.js';
import { GrpcProxy } from './proxy.js';

const PORT = 53;
const MAX_UPSTREAMS = 15;
const POLICIES = ['random', 'round_robin', 'sequential'] as const;

interface GrpcOptions {
  readonly except: string[];
  tls: TlsSettings | undefined;
  serverName: string | undefined;
  policy: (typeof POLICIES)[number];
  fallthrough: Zones | undefined;
}

export const grpc = definePlugin('grpc', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(2, 1 + MAX_UPSTREAMS, 'grpc FROM TO...');
  const [fromText = '', ...to] = directive.args;
  const options: GrpcOptions = {
    except: [],
    tls: undefined,
    serverName: undefined,
    policy: 'random',
    fallthrough: undefined,
  };
  for (const option of directive.options ?? []) readOption(option, options, block);
  const { serverName } = options;
  const tls = options.tls === undefined && serverName === undefined ? undefined : { ...options.tls, serverName };
  const { runtime } = block;
  const proxies = to
    .flatMap((text) => upstreams(directive, text, block))
    .map((endpoint) => {
      try {
        return new GrpcProxy(endpoint, tls, runtime);
      } catch (error) {
        return directive.fail(`tls: got a certificate, key or CA that cannot be used (${(error as Error).message})`);
      }
    });
  const handler = new Grpc({
    from: directive.zones([fromText])[0]!,
    except: options.except,
    proxies,
    order: orderOf(options.policy, runtime.random),
    fallthrough: options.fallthrough,
    clock: runtime.clock,
    metrics: grpcMetrics(runtime.metrics),
  });
  block.onStop(() => handler.stop());
  return handler;
});

function readOption(option: Option, into: GrpcOptions, block: Block): void {
  option.noOptions();
  switch (option.name) {
    case 'except':
      option.argCount(1, Infinity, 'except IGNORED_NAMES...');
      into.except.push(...option.zones(option.args));
      break;
    case 'tls':
      into.tls = readTls(option, block);
      break;
    case 'tls_servername':
      into.serverName = option.one('tls_servername NAME');
      break;
    case 'policy':
      into.policy = option.oneOf(option.one(`policy ${POLICIES.join('|')}`), POLICIES);
      break;
    case 'fallthrough':
      into.fallthrough = new Zones(option.args.length === 0 ? ['.'] : option.zones(option.args));
      break;
    default:
      option.unknown(['except', 'tls', 'tls_servername', 'policy', 'fallthrough']);
  }
}

function readTls(option: Option, { settings, runtime }: Block): TlsSettings {
  option.argCount(0, 3, 'tls [CERT KEY] [CA]');
  const texts = option.args.map((file) => {
    try {
      return runtime.readFile(settings.root === undefined ? file : path.resolve(settings.root, file));
    } catch (error) {
      return option.fail(`file ${file} cannot be read: ${(error as Error).message}`);
    }
  });
  return texts.length < 2 ? { ca: texts[0] } : { cert: texts[0], key: texts[1], ca: texts[2] };
}

/** `IP`, `IP:PORT`, or a file whose `nameserver` lines name them. */
function upstreams(directive: Directive, text: string, { runtime }: Block): Endpoint[] {
  const allowed = 'IP, IP:PORT, [IPV6]:PORT, or a file like /etc/resolv.conf';
  if (text.includes('://')) return directive.wrong(text, allowed, 'upstream');
  if (!text.startsWith('/')) {
    const { host, port } = directive.hostPort(text, {
      defaultPort: PORT,
      ipOnly: true,
      hostNeeded: true,
      what: 'upstream',
    });
    return [{ address: host, port }];
  }
  let lines: string[];
  try {
    lines = runtime.readFile(text).split('\n');
  } catch (error) {
    return directive.fail(`upstream: file ${text} cannot be read: ${(error as Error).message}`);
  }
  const found = lines.flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
  if (found.length === 0) directive.fail(`upstream: got no nameserver line in ${text}, allowed: at least one`);
  return found.map((address) => ({ address: directive.ip(address, 'upstream'), port: PORT }));
}

function orderOf(policy: GrpcOptions['policy'], random: Random): GrpcParts['order'] {
  let turn = 0;
  const from = <T>(list: readonly T[], first: number): T[] => [...list.slice(first), ...list.slice(0, first)];
  switch (policy) {
    case 'sequential':
      return (list) => list;
    case 'round_robin':
      return (list) => from(list, turn++ % list.length);
    case 'random':
      return (list) => from(list, randomBelow(random, list.length));
  }
}
