import { spawnSync } from 'node:child_process';

/** Runs a command to its end and gives what it printed; throws with what it said when it fails. */
export function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: exit ${status}\n${stdout}${stderr}`);
  return stdout;
}

const PREFIX = 'nodens-test-';

/** Network namespaces of one test run. */
export class Namespaces {
  private readonly made: string[] = [];

  constructor() {
    removeLeftovers();
  }

  add(role: string): string {
    const name = `${PREFIX}${process.pid}-${role}`;
    run('ip', 'netns', 'add', name);
    this.made.push(name);
    run('ip', '-n', name, 'link', 'set', 'lo', 'up');
    return name;
  }

  /** Ends what runs in them, then removes them, with all links and rules. */
  remove(): void {
    for (const name of this.made) remove(name);
  }
}

/** Joins two namespaces by a pair of links with these addresses. */
export function join(
  [left, leftLink, leftAddresses]: [string, string, string[]],
  [right, rightLink, rightAddresses]: [string, string, string[]],
): void {
  run('ip', '-n', left, 'link', 'add', leftLink, 'type', 'veth', 'peer', 'name', rightLink, 'netns', right);
  for (const [namespace, link, addresses] of [
    [left, leftLink, leftAddresses],
    [right, rightLink, rightAddresses],
  ] as const) {
    for (const address of addresses)
      run('ip', '-n', namespace, 'addr', 'add', address, 'dev', link, ...(address.includes(':') ? ['nodad'] : []));
    run('ip', '-n', namespace, 'link', 'set', link, 'up');
  }
}

/** The command line that runs another one inside a namespace. */
export const inside = (namespace: string, ...command: string[]): string[] => [
  'ip',
  'netns',
  'exec',
  namespace,
  ...command,
];

/** As `run`, inside a namespace. */
export const runIn = (namespace: string, ...command: string[]): string =>
  run('ip', 'netns', 'exec', namespace, ...command);

function remove(name: string): void {
  for (const pid of run('ip', 'netns', 'pids', name)
    .split('\n')
    .filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
  run('ip', 'netns', 'del', name);
}

/** Those of a run that was killed itself before it could remove them. */
function removeLeftovers(): void {
  for (const line of run('ip', 'netns', 'list').split('\n')) {
    const [name = ''] = line.split(' ');
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) remove(name);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Why namespaces cannot be used here; undefined where they can. */
export function whyNot(tools: readonly string[]): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are there on Linux only';
  if (process.getuid!() !== 0) return 'making network namespaces needs root';
  const absent = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  if (absent.length > 0) return `not installed: ${absent.join(', ')}`;
  const probe = `${PREFIX}${process.pid}-probe`;
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return 'this system allows no network namespaces';
  spawnSync('ip', ['netns', 'del', probe]);
  return undefined;
}
