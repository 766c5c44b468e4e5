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
const PATHS = 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** How long it may take where an emulator runs each program. */
const FOREIGN_BUILD = 3_600_000;
/** Where a base image keeps certificates that npm trusts. */
const CERTIFICATES = '/etc/ssl/npm.pem';

/**
 * Images of docker-compose.yml without a registry: Debian from the mirror that this machine uses, Node, npm and
 * Prometheus as installed here. `dir` is for files on the way.
 */
export async function makeImages(podman: Podman, dir: string): Promise<void> {
  await makeBase(podman, dir, BASE);
  await imageOf(podman, path.join(dir, 'prometheus'), PROMETHEUS_IMAGE, {
    more: 'ENTRYPOINT ["/bin/prometheus"]',
    fill: (files) => copyProgram('prometheus', path.join(files, 'bin')),
  });
  await imageOf(podman, path.join(dir, 'node'), BUILD_BASE, { more: PATHS, fill: (files) => copyNode(files) });
  await podman([...build(imageName()), '--target=tools', ROOT], 300_000);
}

/** Builds the image that is for clusters, from the same steps as far as they are the same. */
export const makeImage = (podman: Podman, name: string): Promise<string> => podman([...build(name), ROOT], 300_000);

/**
 * Builds it for another platform, from Debian and Node for that one: a kernel that knows whom to have run its programs
 * takes half an hour for it.
 *
 * @param arch as Debian, Node and Docker call it: `arm64`
 */
export async function makeForeignImage(podman: Podman, dir: string, name: string, arch: string): Promise<void> {
  const [base, buildBase] = [`${BASE}-${arch}`, `${BUILD_BASE}-${arch}`];
  await makeBase(podman, dir, base, arch);
  const packed = `node-linux-${arch}@${process.versions.node.split('.')[0]}`;
  await run(['npm', 'pack', '--silent', '--pack-destination', dir, packed], { timeout: 120_000 });
  await run(['sh', '-c', `tar -xzf node-linux-${arch}-*.tgz`], { cwd: dir });
  const node = path.join(dir, 'package/bin/node');
  const fill = (files: string): Promise<void> => copyNode(files, node);
  await imageOf(podman, path.join(dir, `node-${arch}`), buildBase, { from: base, more: PATHS, fill, arch });
  await podman([...build(name, base, buildBase), `--platform=linux/${arch}`, ROOT], FOREIGN_BUILD);
}

/** A system with apt and little else, and without pages to read, as images of Debian are. */
async function makeBase(podman: Podman, dir: string, name: string, arch?: string): Promise<void> {
  const tar = path.join(dir, `base${arch ?? ''}.tar`);
  const slim = ['doc', 'man', 'locale', 'info'].flatMap((folder) => [`--dpkgopt=path-exclude=/usr/share/${folder}/*`]);
  const options = ['--quiet', '--variant=apt', ...slim, ...(arch === undefined ? [] : [`--architectures=${arch}`])];
  await run(['mmdebstrap', ...options, await release(), tar, ...(await mirrors())], {
    timeout: arch === undefined ? 400_000 : FOREIGN_BUILD,
    env: { TMPDIR: dir },
  });
  await podman(['import', '--quiet', ...(arch === undefined ? [] : ['--arch', arch]), tar, name], 120_000);
}

const build = (name: string, base = BASE, buildBase = BUILD_BASE): string[] => [
  ...['build', '--layers', '--jobs=2', '--network=host', '-f', path.join(ROOT, 'deploy/Dockerfile')],
  ...[...buildArgs(base, buildBase), '-t', name],
];

interface ComposeFile {
  readonly services: {
    readonly resolver: { readonly image: string; readonly build: { args: Record<string, string> } };
  };
}

/** The service whose image all others use. */
const composed = (): ComposeFile['services']['resolver'] =>
  (parse(readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as ComposeFile).services
    .resolver;

const imageName = (): string => `localhost/${composed().image}`;

/** As compose would pass them, with the base images of this test. */
function buildArgs(base: string, buildBase: string): string[] {
  const args = { ...composed().build.args, BUILD_IMAGE: buildBase, BASE_IMAGE: base, NPM_CONFIG_REGISTRY: '' };
  return Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
}

interface Layer {
  /** Debian for this platform by default. */
  readonly from?: string;
  /** Lines of its Dockerfile. */
  readonly more: string;
  readonly fill: (files: string) => void | Promise<void>;
  readonly arch?: string;
}

/** An image of Debian with files laid over it. */
async function imageOf(
  podman: Podman,
  dir: string,
  name: string,
  { from = BASE, more, fill, arch }: Layer,
): Promise<void> {
  const files = path.join(dir, 'files');
  mkdirSync(files, { recursive: true });
  await fill(files);
  writeFileSync(path.join(dir, 'Dockerfile'), `FROM ${from}\nCOPY files /\n${more}\n`);
  const platform = arch === undefined ? [] : [`--platform=linux/${arch}`];
  await podman(['build', '--quiet', '--layers=false', ...platform, '-t', name, dir], 120_000);
}

/** Node, npm, and how npm reaches its registry from this machine. */
async function copyNode(files: string, node = process.execPath): Promise<void> {
  await copyProgram(node, path.join(files, 'usr/local/bin'), 'node');
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
