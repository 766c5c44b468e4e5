import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Engine } from './engine.js';
import { PROMETHEUS_IMAGE, makeForeignImage, makeImage, makeImages, type Podman } from './images.js';
import { SERVICES } from './project.js';
import { run, works } from './run.js';

/** Mounts, processes and, where asked for, a network that end with the process that unshares them. */
const APART = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
const CGROUPS = '/sys/fs/cgroup';
/** Where podman keeps notes whatever it is told; here that is in memory. */
const NOTES = ['/var/lib/containers', '/run/containers'];
const PREFIX = 'nodens-compose-';

/**
 * Debian's podman behind its Docker-compatible socket. Images and containers lie in a folder of its own, and all of
 * it runs in namespaces of its own: its
 * bridges and rules are not those of this machine, and nothing of it outlives the test, however that ends.
 */
export class PodmanEngine implements Engine {
  readonly name = 'podman, brought by the test';
  readonly compose = ['docker-compose'];
  /** Made at the start. */
  private dir = '';
  /** Folders that were not there before. */
  private readonly made = NOTES.filter((folder) => !existsSync(folder));
  private service: ChildProcess | undefined;

  get env(): Record<string, string> {
    return {
      DOCKER_HOST: `unix://${this.socket}`,
      NODENS_PROMETHEUS_IMAGE: PROMETHEUS_IMAGE,
      COMPOSE_HTTP_TIMEOUT: '120',
    };
  }

  get overrides(): string[] {
    return ['-f', this.file('override.json')];
  }

  async start(): Promise<void> {
    await this.prepare();
    await makeImages(this.alone, this.file('files'));
    await this.serve();
  }

  /** Builds the image for another platform; resolves with the folder that its files are laid out in. */
  async foreignImage(arch: string): Promise<string> {
    await this.prepare();
    const [dir, name] = [this.file('files'), `localhost/nodens-${arch}`];
    await makeForeignImage(this.alone, dir, name, arch);
    const [root, tar] = [path.join(dir, 'root'), path.join(dir, 'root.tar')];
    const container = (await this.alone(['create', '--network=none', name])).trim().split('\n').at(-1)!;
    await this.alone(['export', '--output', tar, container], 120_000);
    mkdirSync(root);
    await run(['tar', '-xf', tar, '-C', root], { timeout: 120_000 });
    return root;
  }

  private async prepare(): Promise<void> {
    await removeLeftovers();
    this.dir = mkdtempSync(path.join(os.tmpdir(), `${PREFIX}${process.pid}-`));
    this.writeConfiguration();
    for (const folder of NOTES) mkdirSync(folder, { recursive: true });
  }

  readonly makeImage = (name: string): Promise<string> => makeImage(this.alone, name);

  get client(): string[] {
    return ['podman', '--url', `unix://${this.socket}`];
  }

  /** What a client asks for by itself may be more than this machine allows. */
  get runOptions(): string[] {
    return Object.entries(limits()).map(([name, { soft, hard }]) => `--ulimit=${name}=${soft}:${hard}`);
  }

  /** Podman by itself, beside the one that serves the socket. */
  private readonly alone: Podman = (args, timeout) =>
    run([...APART, 'sh', '-ec', `${inMemory(NOTES)}; exec "$@"`, 'sh', ...this.podman, ...args], {
      env: this.ownEnv,
      timeout,
    });

  private async serve(): Promise<void> {
    // The kernel may pass bridged packets through the rules of this machine; here they belong to pods, and go
    // untouched.
    const script = [
      inMemory(['/run', '/dev/shm', '/var/lib/containers']),
      'ip link set lo up',
      'for file in /proc/sys/net/bridge/bridge-nf-call-iptables; do [ ! -e $file ] || echo 0 > $file; done',
      '"$@" system service --time=0 "$DOCKER_HOST" &',
      'cat > /dev/null',
    ];
    // Its standard input ends with this process at the latest, and everything in it then.
    this.service = spawn(
      APART[0]!,
      [...APART.slice(1), '--net', 'sh', '-ec', script.join('\n'), 'sh', ...this.podman],
      {
        // Health checks would be timers of a systemd that is not there.
        env: { ...process.env, ...this.ownEnv, ...this.env, DISABLE_HC_SYSTEMD: 'true' },
        stdio: ['pipe', 'ignore', 'pipe'],
      },
    );
    let said = '';
    this.service.stderr!.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-4000)));
    const deadline = performance.now() + 20_000;
    while (!existsSync(this.socket)) {
      if (performance.now() > deadline || this.service.exitCode !== null)
        throw new Error(`podman does not serve its socket: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  get(url: string): Promise<string> {
    const program = `fetch(${JSON.stringify(url)}).then((answer) => answer.text()).then((text) => process.stdout.write(text))`;
    return run(['nsenter', `--net=/proc/${this.service!.pid}/ns/net`, process.execPath, '-e', program]);
  }

  async stop(): Promise<void> {
    if (this.dir === '') return;
    if (this.service && this.service.exitCode === null) {
      const gone = once(this.service, 'exit');
      this.service.stdin!.end();
      await gone;
    }
    await removeCgroups(this.cgroup);
    // Where it was ended half way, storage is still mounted.
    if (works('mountpoint', '-q', this.file('root/overlay'))) await run(['umount', this.file('root/overlay')]);
    rmSync(this.dir, { recursive: true, force: true });
    for (const folder of this.made) if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
  }

  private file(name: string): string {
    return path.join(this.dir, name);
  }

  private get socket(): string {
    return this.file('podman.sock');
  }

  private get cgroup(): string {
    return path.basename(this.dir);
  }

  private get ownEnv(): Record<string, string> {
    return { CONTAINERS_CONF: this.file('containers.conf'), TMPDIR: this.file('files'), BUILDAH_ISOLATION: 'chroot' };
  }

  private get podman(): string[] {
    return [
      'podman',
      '--root',
      this.file('root'),
      '--runroot',
      this.file('run'),
      '--tmpdir',
      this.file('tmp'),
      '--network-config-dir',
      this.file('networks'),
    ];
  }

  private writeConfiguration(): void {
    mkdirSync(this.file('files'));
    const ulimits = Object.entries(limits())
      .map(([name, { soft, hard }]) => `"${name}=${soft}:${hard}"`)
      .join(', ');
    writeFileSync(
      this.file('containers.conf'),
      [
        '[containers]',
        `default_ulimits = [${ulimits}]`,
        '[engine]',
        'runtime = "runc"',
        'cgroup_manager = "cgroupfs"',
        'events_logger = "none"',
        'lock_type = "file"',
        '[network]',
        'network_backend = "netavark"',
        '',
      ].join('\n'),
    );
    const services = Object.fromEntries(
      SERVICES.map((service) => [service, { ulimits: limits(), cgroup_parent: this.cgroup }]),
    );
    writeFileSync(this.file('override.json'), JSON.stringify({ services }));
  }
}

/** The commands that put empty folders in place of some. */
const inMemory = (folders: readonly string[]): string =>
  folders.map((folder) => `mount -t tmpfs none ${folder}`).join('; ');

const limits = () => ({
  nofile: { soft: 1024, hard: hardLimit('Max open files') },
  nproc: { soft: 1024, hard: hardLimit('Max processes') },
});

/** What this machine allows at most, and podman would go beyond: a low figure where there is no limit. */
function hardLimit(name: string): number {
  const [, hard = ''] = new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return Math.min(hard === '' ? Infinity : Number(hard), 20_000);
}

/** Files of a run that was killed itself before it could remove them; its processes ended with it. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(os.tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const pid = name.slice(PREFIX.length).split('-')[0]!;
    if (existsSync(`/proc/${pid}`)) continue;
    await removeCgroups(name);
    rmSync(path.join(os.tmpdir(), name), { recursive: true, force: true });
  }
}

/** Groups that ended containers leave behind, below one name, in each hierarchy there is. */
async function removeCgroups(name: string): Promise<void> {
  const hierarchies = [
    CGROUPS,
    ...readdirSync(CGROUPS, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(CGROUPS, entry.name)),
  ];
  for (const hierarchy of hierarchies) {
    // A group is busy until the last of its processes is gone altogether.
    for (let tries = 0; tries < 50 && !removeTree(path.join(hierarchy, name)); tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Whether a group is gone, with those in it. */
function removeTree(folder: string): boolean {
  if (!existsSync(folder)) return true;
  const inside = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  if (!inside.map((entry) => removeTree(path.join(folder, entry.name))).every(Boolean)) return false;
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
