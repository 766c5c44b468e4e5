import path from 'node:path';
import type { Runtime, ServerAddress } from '../../chain/index.js';
import {
  CorefileError,
  CorefileFaults,
  draftCorefile,
  type Corefile,
  type Environment,
  type LoadOptions,
} from '../../corefile/index.js';
import { NodensError } from '../../lib/errors.js';
import { silentLog } from '../../lib/log.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Network } from '../../net/network.js';
import { renderCorefile } from '../../nodelocal/corefile-template.js';
import type { ConfigurationHost } from '../../server/configuration-host.js';
import { Configuration } from '../../server/configuration.js';
import { PLUGINS } from '../../server/directives.js';
import { ExternalPlugins } from '../../server/external-plugins.js';
import { makeRuntime } from '../../server/runtime.js';
import { JudgedBlock, type JudgedCorefile, type CorefileRole } from './blocks.js';
import { findingOf, type CheckFinding, type Rule } from './finding.js';
import type { PlacedText } from './objects.js';

/** A Corefile to judge. */
export interface CorefileToJudge extends PlacedText {
  readonly role: CorefileRole;
  /** How long a pod with it may take to end; what Kubernetes gives where nothing is said. */
  readonly grace?: Milliseconds;
  /** Files beside it, by the end of their path: other keys of its ConfigMap, and what is mounted with it. */
  readonly beside?: ReadonlyMap<string, PlacedText>;
  readonly env: Environment;
  readonly cwd: string;
}

/** What the loader says of it, and what rules look at: undefined for text that cannot be read at all. */
export interface LoadedCorefile {
  readonly findings: readonly CheckFinding[];
  readonly judged: JudgedCorefile | undefined;
  /** The texts that it is made of, itself first. */
  readonly texts: readonly PlacedText[];
  /** What imported files are called, by their whole paths. */
  readonly places: ReadonlyMap<string, string>;
}

export const COREFILE_FAULT: Rule = {
  name: 'corefile',
  severity: 'fault',
  means: 'A server does not start with this Corefile, and one that runs keeps the old.',
  todo: 'Correct it as the message says.',
};

export const FILE_ABSENT: Rule = {
  name: 'file-absent',
  severity: 'hint',
  means: 'A file that the Corefile names by its whole path is not on this machine, so what is in it was not judged.',
  todo: 'Nothing, where it is mounted in the pod.',
};

/** Stand-ins for what a node or an installer fills in; of the blocks for documentation and links. */
const NODE = {
  localIps: ['169.254.20.10'],
  dnsPort: 53,
  clusterDns: '192.0.2.10',
  domain: 'cluster.local',
  prometheus: ':9253',
  kubeDns: { stubDomains: new Map<string, string[]>(), upstreamNameservers: [] },
};
/** As in a pod of a cluster. */
const IN_CLUSTER = { KUBERNETES_SERVICE_HOST: '192.0.2.1', KUBERNETES_SERVICE_PORT: '443' };
/** Kubernetes: terminationGracePeriodSeconds, where a pod says nothing. */
const GRACE: Milliseconds = 30_000;
const RESOLV_CONF = '/etc/resolv.conf';

const noSocket = (): Promise<never> => Promise.reject(new Error('a check opens no socket'));
const NO_NETWORK: Network = {
  bindUdp: noSocket,
  connectUdp: noSocket,
  listenTcp: noSocket,
  connectTcp: noSocket,
  interfaces: () => [],
};

/** Sets a Corefile up as a server would, and opens no socket. */
export async function loadCorefile(source: CorefileToJudge): Promise<LoadedCorefile> {
  const filled = source.text.replaceAll('__PILLAR__NODE__NETWORK__', '192.168.0.0/16');
  const text = /__PILLAR__|__PROMETHEUS__/.test(filled) ? renderCorefile(filled, NODE).text : filled;
  const files = new JudgedFiles(source);
  const made = makeRuntime({
    cwd: source.cwd,
    env: { ...IN_CLUSTER, ...source.env },
    network: NO_NETWORK,
    log: silentLog(),
  });
  const load: LoadOptions = {
    ...made.load,
    readFile: (file) => files.read(file, (one) => made.load.readFile(one)),
    glob: (pattern) => files.glob(pattern) ?? made.load.glob(pattern),
  };
  const runtime = {
    ...made.runtime,
    readFile: (file: string) => files.read(file, (one) => made.runtime.readFile(one)),
  };
  const named = { name: source.file, text };
  const findings: CheckFinding[] = [];
  try {
    const configuration = await Configuration.load(named, hostOf(source, runtime, load));
    configuration.lifetime.end(new DOMException('judged', 'AbortError'));
    if (configuration.blocks.length === 0) throw new CorefileError(source.file, 1, 'no server block');
  } catch (error) {
    for (const fault of faultsOf(error)) findings.push(files.finding(fault));
  }
  return {
    findings,
    judged: judgedOf(named, load, source, files),
    texts: [source, ...files.texts],
    places: files.places,
  };
}

/** What is around a configuration that never comes to serve. */
function hostOf({ file, cwd }: CorefileToJudge, runtime: Runtime, load: LoadOptions): ConfigurationHost {
  const addresses = new Map<string, ServerAddress>();
  return {
    runtime,
    plugins: new ExternalPlugins(PLUGINS, [], cwd, runtime.log),
    load,
    defaultPort: 53,
    corefileName: file,
    address: (scheme, address, port) => {
      const label = `${scheme} ${address} ${port}`;
      const known = addresses.get(label) ?? { index: addresses.size, label, scheme, address, port };
      addresses.set(label, known);
      return known;
    },
    readDigest: () => '',
    reload: () => Promise.resolve(false),
    fatal: () => undefined,
    refused: () => undefined,
  };
}

/** All that an error says is wrong. Anything but a user's fault is thrown on. */
function faultsOf(error: unknown): readonly Error[] {
  if (!(error instanceof NodensError) && !(error instanceof Error && 'code' in error)) throw error;
  if (error instanceof CorefileFaults) return error.faults;
  return [error];
}

function judgedOf(
  named: { readonly name: string; readonly text: string },
  load: LoadOptions,
  { role, grace = GRACE }: CorefileToJudge,
  files: JudgedFiles,
): JudgedCorefile | undefined {
  let corefile: Corefile;
  try {
    corefile = draftCorefile(named, load).finish(undefined);
  } catch {
    return undefined;
  }
  const snippets = new Map<string, { file: string; line: number }>();
  const imported = new Set<string>();
  for (const { file, text } of [{ file: named.name, text: named.text }, ...files.texts]) {
    for (const [i, line] of text.split('\n').entries()) {
      const [, snippet] = /^\s*\(([^()\s]+)\)\s*\{/.exec(line) ?? [];
      if (snippet !== undefined) snippets.set(snippet, { file, line: i + 1 });
      const [, name] = /^\s*import\s+(\S+)/.exec(line) ?? [];
      if (name !== undefined) imported.add(name);
    }
  }
  const blocks = corefile.blocks.map((block) => new JudgedBlock(block));
  return { corefile, blocks, role, grace, order: PLUGINS.map(({ name }) => name), snippets, imported };
}

/** The files that a Corefile reaches: those mounted beside it, and those of this machine. */
class JudgedFiles {
  readonly texts: PlacedText[] = [];
  /** Whole paths that are not here. */
  private readonly absent = new Set<string>();
  /** What a file is called in errors, and where it stands. */
  readonly places = new Map<string, string>();

  constructor(private readonly source: CorefileToJudge) {}

  read(file: string, host: (file: string) => string): string {
    if (file === RESOLV_CONF) return 'nameserver 192.0.2.53\n';
    const [, beside] = [...(this.source.beside ?? [])].find(([end]) => file.endsWith(`/${end}`)) ?? [];
    if (beside !== undefined) {
      this.places.set(file, beside.file);
      return this.keep(beside);
    }
    try {
      const text = host(file);
      const shown = path.relative(this.source.cwd, path.resolve(this.source.cwd, file));
      if (!shown.startsWith('..')) this.places.set(file, shown);
      return this.keep({ file: this.places.get(file) ?? file, text });
    } catch (error) {
      if (path.isAbsolute(file)) this.absent.add(file);
      throw error;
    }
  }

  /** Paths of files beside it that match; undefined where there are none of the kind. */
  glob(pattern: string): string[] | undefined {
    const [last = '', folder = ''] = pattern.split('/').reverse();
    const fits = new RegExp(
      `^${last
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replace(/\*/g, '.*')
        .replace(/\?/g, '.')}$`,
    );
    const found = [...(this.source.beside ?? new Map<string, PlacedText>()).keys()].filter((end) => {
      const [name = '', within = folder] = end.split('/').reverse();
      return fits.test(name) && within === folder;
    });
    const above = pattern.slice(0, -last.length);
    return found.length === 0
      ? undefined
      : found.map((end) => (end.includes('/') ? `${above.slice(0, -folder.length - 1)}${end}` : `${above}${end}`));
  }

  private keep(read: PlacedText): string {
    if (!this.texts.some(({ file, text }) => file === read.file && text === read.text)) this.texts.push(read);
    return read.text;
  }

  finding(error: Error): CheckFinding {
    const place = error instanceof NodensError ? error.place : undefined;
    const { file = this.source.file, line = 1 } = place ?? {};
    const text = error.message.startsWith(`${file}:${line}: `)
      ? error.message.slice(`${file}:${line}: `.length)
      : error.message;
    const at = { file: this.places.get(file) ?? file, line };
    const absent = [...this.absent].some((one) => text.includes(one)) && !text.startsWith('import:');
    return findingOf(absent ? FILE_ABSENT : COREFILE_FAULT, { at, text });
  }
}
