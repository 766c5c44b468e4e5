import { DockerEngine } from './docker.js';
import { PodmanEngine } from './podman.js';
import { missing, works } from './run.js';

/** What runs containers, with the images of docker-compose.yml in it. */
export interface Engine {
  readonly name: string;
  /** The command line of compose. */
  readonly compose: readonly string[];
  /** What compose needs to know of its surroundings. */
  readonly env: Readonly<Record<string, string>>;
  /** The command line that runs single containers. */
  readonly client: readonly string[];
  /** Arguments of its `run`. */
  readonly runOptions: readonly string[];
  /** Files that go over docker-compose.yml, as arguments of compose. */
  readonly overrides: readonly string[];
  /** Makes images and starts what has to run. */
  start(): Promise<void>;
  /** Builds the image that is for clusters, under this name. */
  makeImage(name: string): Promise<unknown>;
  /** The body that a URL of the machine on which ports are published gives. */
  get(url: string): Promise<string>;
  /** Takes away everything of it. */
  stop(): Promise<void>;
}

/** Debian packages of the engine that the test brings where there is none. */
const PACKAGES = 'podman runc docker-compose mmdebstrap netavark aardvark-dns prometheus';

/** An engine that is there, or one that can be brought; a text that says what is missing where neither is possible. */
export function findEngine(): Engine | string {
  const compose = [['docker', 'compose'], ['docker-compose']].find((command) => works(...command, 'version'));
  if (works('docker', 'info') && compose) return new DockerEngine(compose);
  if (process.platform !== 'linux' || process.getuid!() !== 0)
    return 'there is no container engine, and bringing one needs Linux and root';
  const absent = missing(['podman', 'runc', 'docker-compose', 'mmdebstrap', 'prometheus', 'unshare', 'nsenter', 'npm']);
  if (absent.length > 0)
    return `there is no container engine, and to bring one the test misses ${absent.join(', ')} (Debian: ${PACKAGES})`;
  return new PodmanEngine();
}
