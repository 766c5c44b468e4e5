import { definePlugin, hasTap, type Block, type Runtime } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { Deadlines } from '../../exchange/index.js';
import { Forward } from './handler.js';
import { HedgeBudget } from './hedges.js';
import { learnOf } from './handed-over.js';
import { forwardMetrics } from './metrics.js';
import { readOptions, type ForwardOptions } from './options.js';
import { policyOf } from './policy.js';
import { Proxy } from './proxy.js';
import { addressesOfHost } from './host-lookup.js';
import type { LookupSettings } from './lookup-settings.js';
import { parseTargets, targetsAt, type HostTarget, type UpstreamTarget } from './targets.js';

export const forward = definePlugin('forward', (directives, block) =>
  directives.map((directive, i) => setupForward(directive, block, i + 1 < directives.length)),
);

function setupForward(directive: Directive, block: Block, hasNextForward: boolean): Forward {
  const { runtime } = block;
  const readFile = (path: string): string => runtime.readFile(path);
  directive.argCount(2, Infinity, 'forward FROM TO...');
  const [fromText, ...to] = directive.args;
  const zones = directive.zones([fromText!]);
  const from = zones[0]!;
  if (zones.length > 1)
    block
      .logger('forward')
      .warning(`Unsupported CIDR notation: '${fromText}' expands to multiple zones. Using only '${from}'.`);
  const targets = parseTargets(directive, to, readFile);
  const options = readOptions(directive, readFile);
  checkServerNames(directive, targets, options);
  const metrics = forwardMetrics(runtime.metrics);
  const proxies: Proxy[] = [];
  const use = (target: UpstreamTarget): void => {
    if (proxies.some(({ address }) => address === target.label)) return;
    try {
      proxies.push(new Proxy(target, options, metrics.upstream(target.label), runtime));
    } catch (error) {
      directive.fail(
        `tls: got a certificate, key or CA that cannot be used (${(error as Error).message}); allowed: PEM, the key without a passphrase`,
      );
    }
  };
  const known = targets.filter((target) => 'to' in target);
  if (known.length === targets.length) known.forEach(use);
  else
    block.onStart(async () => {
      for (const target of targets) {
        if ('to' in target) use(target);
        else (await addressesOf(target, options, directive, runtime)).forEach(use);
      }
    });
  const settings: LookupSettings = {
    options,
    taps: [],
    hasNextForward,
    metrics,
    clock: runtime.clock,
    random: runtime.random,
    policy: policyOf(options.policy, runtime.random),
    deadlines: new Deadlines(runtime.clock),
    hedges: new HedgeBudget(),
    late: { waiting: 0 },
    proxies,
  };
  const order = block.shared('forward/order', () => ({ next: 0 }));
  const handler = new Forward(from, settings, `forward ${order.next++} ${from}`);
  const { handedOver } = runtime;
  block.onStart(() => {
    settings.taps = block.handlers().filter(hasTap);
    const known = handedOver?.get(handler.keptAs);
    if (known !== undefined) learnOf(proxies, known, runtime.clock.monotonic());
    handedOver?.delete(handler.keptAs);
  });
  block.onStop(() => handler.stop());
  block.onStop(runtime.metrics.onScrape(() => handler.observe()));
  return handler;
}

async function addressesOf(
  target: HostTarget,
  { resolvers }: ForwardOptions,
  directive: Directive,
  runtime: Runtime,
): Promise<readonly UpstreamTarget[]> {
  try {
    return targetsAt(target, await addressesOfHost(target.host, resolvers, runtime));
  } catch (error) {
    return directive.fail(`upstream: got '${target.host}', but ${(error as Error).message}`);
  }
}

/** One name for all upstreams and one in an upstream's address would contradict each other. */
function checkServerNames(
  directive: Directive,
  targets: readonly (UpstreamTarget | HostTarget)[],
  { tlsServerName }: ForwardOptions,
): void {
  const named = targets.find(({ serverName }) => serverName !== undefined);
  if (named === undefined || tlsServerName === undefined) return;
  directive.fail(
    `got TLS server name '${tlsServerName}' in tls_servername ` +
      `and '${named.serverName}' at upstream ${'to' in named ? named.label : named.host}, allowed: one of the two ways`,
  );
}
