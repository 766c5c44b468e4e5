import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ManualClock } from '../../lib/clock.js';
import type { Explanation } from '../explain/explanation.js';
import { explainLookup, type LookupChoice } from '../explain/explain-lookup.js';
import { Lab } from '../lab.js';
import { CommandError, type CommandTable } from '../session/command.js';
import { DRIVEN_START, drive } from '../session/driven-clock.js';
import { Session } from '../session/session.js';
import { LAB_FOLDER } from '../topology/load.js';
import type { Topology } from '../topology/topology.js';
import { kubectl } from './kubectl/kubectl.js';

/** How pods of a cluster come to a cache on their node. */
export const MODES = [
  { name: 'none', manifests: [] },
  { name: 'iptables', manifests: ['node-local-dns.yaml'] },
  { name: 'redirect', manifests: ['node-local-dns-lrp.yaml', 'lrp.yaml'] },
] as const;

/** What one lookup costs in one mode, with caches as they are after the start, and once more. */
export interface ModeCost {
  readonly mode: string;
  readonly cold: Explanation;
  readonly warm: Explanation;
}

const absent = (): never => {
  throw new CommandError('only kubectl runs here');
};
const TABLE: CommandTable = {
  commands: [kubectl],
  nodeProgram: () => undefined,
  runInPod: absent,
  podFiles: absent,
  podEnv: () => ({}),
  nodeFile: () => undefined,
  missing: (name) => name,
};

/** The same lookup in labs of their own, one for each mode, made from the same topology; their time is no real time. */
export async function compareModes(
  topology: Topology,
  pod: { readonly namespace: string; readonly name: string },
  name: string,
  choice: LookupChoice,
): Promise<readonly ModeCost[]> {
  const costs: ModeCost[] = [];
  for (const { name: mode, manifests } of MODES) {
    const clock = new ManualClock(DRIVEN_START);
    const lab = await drive(clock, Lab.create(topology, { clock }));
    const session = new Session(
      lab,
      { read: (file) => readFileSync(path.join(LAB_FOLDER, 'manifests', file), 'utf8') },
      TABLE,
    );
    try {
      for (const manifest of manifests)
        await drive(clock, session.run(`kubectl apply -f ${manifest}`, { write: () => undefined }));
      const running = lab.kubelet.get(pod.namespace, pod.name);
      if (running === undefined)
        throw new CommandError(`explain: --compare modes: the topology has no pod ${pod.namespace}/${pod.name}`);
      const explained = (): Promise<Explanation> => drive(clock, explainLookup(lab, running, name, choice));
      costs.push({ mode, cold: await explained(), warm: await explained() });
    } finally {
      await drive(
        clock,
        session.close().then(() => lab.stop()),
      );
    }
  }
  return costs;
}
