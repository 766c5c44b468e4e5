import { definePlugin, onlyOne, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { JsonClient } from '../../net/json-client.js';
import { otlp, zipkin, type TraceFormat } from './formats.js';
import { QueryTracer } from './handler.js';
import { traceMetrics } from './metrics.js';
import { Reporter } from './reporter.js';

/** A collector takes a batch within this time. */
const PATIENCE: Milliseconds = 5000;
const HOUR: Milliseconds = 3_600_000;
const MAX = 2 ** 31 - 1;

interface CollectorKind {
  readonly format: TraceFormat;
  readonly address: string;
  readonly path: string;
}
const KINDS: Readonly<Record<string, CollectorKind>> = {
  zipkin: { format: zipkin, address: 'localhost:9411', path: '/api/v2/spans' },
  otlp: { format: otlp, address: 'localhost:4318', path: '/v1/traces' },
};

interface TraceOptions {
  every: number;
  service: string;
  clientServer: boolean;
  backlog: number;
  batch: number;
  interval: Milliseconds;
}
const OPTIONS = [
  'every',
  'service',
  'client_server',
  'zipkin_max_backlog_size',
  'zipkin_max_batch_size',
  'zipkin_max_batch_interval',
];

export const trace = definePlugin('trace', (directives, block) => {
  const directive = onlyOne(directives);
  const { kind, url } = collector(directive);
  const options: TraceOptions = {
    every: 1,
    service: 'nodens',
    clientServer: false,
    backlog: 1000,
    batch: 100,
    interval: 1000,
  };
  for (const option of directive.options ?? []) readOption(option, options);
  const { clock, random } = block.runtime;
  const reporter = reporterTo(kind, url, options, block);
  const tracer = new QueryTracer({
    clock,
    random,
    every: options.every,
    clientServer: options.clientServer,
    report: (spans) => reporter.add(spans),
  });
  if (options.every > 0) block.onStart(() => block.onStop(tracer.watch()));
  return tracer;
});

function collector(directive: Directive): { readonly kind: CollectorKind; readonly url: URL } {
  directive.argCount(0, 2, 'trace [ENDPOINT-TYPE] [ENDPOINT]');
  const [first, second] = directive.args;
  const [type, endpoint] =
    second === undefined
      ? [first === 'otlp' ? first : 'zipkin', first === 'otlp' ? undefined : first]
      : [first!, second];
  const name = type.toLowerCase();
  if (name === 'datadog') directive.wrong(type, 'zipkin, otlp (which the agent of Datadog takes too)', 'ENDPOINT-TYPE');
  const kind = KINDS[directive.oneOf(name, Object.keys(KINDS), 'ENDPOINT-TYPE')]!;
  const text = endpoint ?? kind.address;
  const whole = /^https?:\/\//.test(text) ? text : `http://${text}${kind.path}`;
  if (!URL.canParse(whole) || text === '') return directive.wrong(text, 'HOST:PORT or a URL', 'ENDPOINT');
  return { kind, url: new URL(whole) };
}

function readOption(option: Option, into: TraceOptions): void {
  option.noOptions();
  const count = (usage: string, min: number): number => option.integer(option.one(usage), { min, max: MAX });
  switch (option.name) {
    case 'every':
      into.every = count('every AMOUNT', 0);
      break;
    case 'service':
      into.service = option.one('service NAME');
      break;
    case 'client_server': {
      option.argCount(0, 1, 'client_server [true|false]');
      into.clientServer = option.oneOf(option.args[0] ?? 'true', ['true', 'false']) === 'true';
      break;
    }
    case 'zipkin_max_backlog_size':
      into.backlog = count('zipkin_max_backlog_size SIZE', 1);
      break;
    case 'zipkin_max_batch_size':
      into.batch = count('zipkin_max_batch_size SIZE', 1);
      break;
    case 'zipkin_max_batch_interval':
      into.interval = option.duration(option.one('zipkin_max_batch_interval DURATION'), { min: 1, max: HOUR });
      break;
    default:
      option.unknown(OPTIONS);
  }
}

function reporterTo(kind: CollectorKind, url: URL, options: TraceOptions, block: Block): Reporter {
  const { clock, metrics, version } = block.runtime;
  const client = new JsonClient({ url });
  const reporter = new Reporter({
    clock,
    log: block.logger('trace'),
    most: options.backlog,
    batch: options.batch,
    interval: options.interval,
    counted: traceMetrics(metrics),
    send: async (spans) => {
      const [listening] = block.addresses();
      const endpoint = listening?.address ? listening : undefined;
      const body = kind.format(spans, { service: options.service, endpoint, version });
      const path = `${url.pathname}${url.search}`;
      const { status } = await client.request({ method: 'POST', path, body, timeout: PATIENCE });
      if (status >= 300) throw new Error(`${url.href} answers with status ${status}`);
    },
  });
  block.onStop(async () => {
    await reporter.flush();
    client.close();
  });
  return reporter;
}
