import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { ROOT } from './project.js';
import { run } from './run.js';

/** Runs podman where images are kept. */
export type Podman = (args: readonly string[], timeout?: number) => Promise<string>;

export const PROMETHEUS_IMAGE = 'localhost/prometheus:debian';
const BASE = 'localhost/debian:base';
const BUILD_BASE = 'localhost/debian:node';
/** Where a base image keeps certificates that npm trusts. */
const CERTIFICATES = '/etc/ssl/npm.pem';

/**
 * Images of docker-compose.yml without a registry: Debian from the mirror that this machine uses, Node, npm and
 * Prometheus as installed here. `dir` is for files on the way.
 */
export async function makeImages(podman: Podman, dir: string): Promise<void> {
  const tar = path.join(dir, 'base.tar');
  // A system with apt and little else, and without pages to read, as images of Debian are.
  const slim = ['doc', 'man', 'locale', 'info'].flatMap((folder) => [`--dpkgopt=path-exclude=/usr/share/${folder}/*`]);
  await run(['mmdebstrap', '--quiet', '--variant=apt', ...slim, await release(), tar, ...(await mirrors())], {
    timeout: 400_000,
    env: { TMPDIR: dir },
  });
  await podman(['import', '--quiet', tar, BASE]);
  await imageOf(podman, path.join(dir, 'prometheus'), PROMETHEUS_IMAGE, 'ENTRYPOINT ["/bin/prometheus"]', (files) =>
    copyProgram('prometheus', path.join(files, 'bin')),
  );
  await imageOf(
    podman,
    path.join(dir, 'node'),
    BUILD_BASE,
    'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    copyNode,
  );
  await podman([...build(imageName()), '--target=tools', ROOT], 300_000);
}

/** Builds the image that is for clusters, from the same steps as far as they are the same. */
export const makeImage = (podman: Podman, name: string): Promise<string> => podman([...build(name), ROOT], 300_000);

const build = (name: string): string[] => [
  ...['build', '--layers', '--jobs=2', '--network=host', '-f', path.join(ROOT, 'deploy/Dockerfile')],
  ...[...buildArgs(), '-t', name],
];

interface ComposeFile {
  'x-nodens': { image: string; build: { args: Record<string, string> } };
}

const composed = (): ComposeFile['x-nodens'] =>
  (parse(readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as ComposeFile)['x-nodens'];

const imageName = (): string => `localhost/${composed().image}`;

/** As compose would pass them, with the base images of this test. */
function buildArgs(): string[] {
  const args = { ...composed().build.args, BUILD_IMAGE: BUILD_BASE, BASE_IMAGE: BASE, NPM_CONFIG_REGISTRY: '' };
  return Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
}

/** An image of Debian with files laid over it. */
async function imageOf(
  podman: Podman,
  dir: string,
  name: string,
  more: string,
  fill: (files: string) => void | Promise<void>,
): Promise<void> {
  const files = path.join(dir, 'files');
  mkdirSync(files, { recursive: true });
  await fill(files);
  writeFileSync(path.join(dir, 'Dockerfile'), `FROM ${BASE}\nCOPY files /\n${more}\n`);
  await podman(['build', '--quiet', '--layers=false', '-t', name, dir], 120_000);
}

/** Node, npm, and how npm reaches its registry from this machine. */
async function copyNode(files: string): Promise<void> {
  await copyProgram(process.execPath, path.join(files, 'usr/local/bin'), 'node');
  const npm = path.resolve(realpathSync((await run(['which', 'npm'])).trim()), '../..');
  cpSync(npm, path.join(files, 'usr/local/lib/npm'), { recursive: true });
  const program = path.join(files, 'usr/local/bin/npm');
  writeFileSync(program, '#!/bin/sh\nexec node /usr/local/lib/npm/bin/npm-cli.js "$@"\n');
  chmodSync(program, 0o755);
  const setting = async (name: string): Promise<string> =>
    (await run(['npm', 'config', 'get', name], { cwd: '/' })).trim().replace(/^(null|undefined)$/, '');
  const lines: string[] = [];
  for (const file of [await setting('globalconfig'), await setting('userconfig')])
    if (existsSync(file)) lines.push(readFileSync(file, 'utf8').trimEnd());
  lines.push(`registry=${await setting('registry')}`);
  const trusted = (await setting('cafile')) || process.env.NODE_EXTRA_CA_CERTS || '';
  if (trusted !== '') {
    mkdirSync(path.dirname(path.join(files, CERTIFICATES)), { recursive: true });
    copyFileSync(trusted, path.join(files, CERTIFICATES));
    lines.push(`cafile=${CERTIFICATES}`);
  }
  mkdirSync(path.join(files, 'root'));
  writeFileSync(path.join(files, 'root/.npmrc'), `${lines.join('\n')}\n`);
}

async function copyProgram(program: string, folder: string, name = path.basename(program)): Promise<void> {
  mkdirSync(folder, { recursive: true });
  copyFileSync(realpathSync((await run(['which', program])).trim()), path.join(folder, name));
  chmodSync(path.join(folder, name), 0o755);
}

/** Code name of this machine's Debian. */
const release = async (): Promise<string> =>
  (await run(['sh', '-c', '. /etc/os-release && echo "$VERSION_CODENAME"'])).trim();

/** Where this machine gets its Debian packages from, as lines of sources.list. */
async function mirrors(): Promise<string[]> {
  const format = '$(ORIGIN)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)';
  const targets = (await run(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages'])).split('\n');
  return [...new Set(targets.filter((line) => line.startsWith('Debian|')).map((line) => line.slice('Debian|'.length)))];
}
