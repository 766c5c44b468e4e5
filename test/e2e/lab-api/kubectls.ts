import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** Where `.ci/run tools` unpacks Debian's kubectl (1.20) when another package holds its file. */
const UNPACKED = '/usr/local/lib/kubernetes-client/usr/bin';

interface Kubectl {
  readonly version: string;
  /** PATH with which `kubectl` is this one. */
  readonly path: string;
}

function kubectlIn(folders: string): Kubectl | undefined {
  const env = { PATH: folders, HOME: '/nonexistent' };
  const { stdout } = spawnSync('kubectl', ['version', '--client', '-o', 'json'], { env, encoding: 'utf8' });
  const [, version] = /"gitVersion": "(v[\d.]+)/.exec(stdout ?? '') ?? [];
  return version === undefined ? undefined : { version, path: folders };
}

/** Each kubectl that is there, the oldest first: clients differ in how they ask. */
export const KUBECTLS: readonly Kubectl[] = [[UNPACKED], []]
  .flatMap((first) => kubectlIn([...first, process.env.PATH ?? ''].join(path.delimiter)) ?? [])
  .filter(({ version }, i, all) => all.findIndex((one) => one.version === version) === i)
  .sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
