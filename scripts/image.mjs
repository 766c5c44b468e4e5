// Lays out what the image of deploy/Dockerfile holds, in two steps:
//   node scripts/image.mjs program FOLDER    the program, from a built checkout
//   node scripts/image.mjs system FOLDER     what it runs on, from the Debian that this runs in, and its SBOM
// No shell, no package manager: programs, the libraries that they load, their licenses.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';

const NODE = '/usr/local/bin/node';
/** Where the program lies in the image. */
const HOME = 'nodens';
/** Names under which images of others are started, by what their manifests give as the command. */
const NAMES = ['coredns', 'node-cache'];
const LINES = ['', '-save', '-restore'];
/** What the node cache runs. */
const PROGRAMS = [
  '/usr/sbin/nft',
  ...['iptables', 'ip6tables'].flatMap((name) =>
    ['', '-nft', '-legacy'].flatMap((mode) => LINES.map((verb) => `/usr/sbin/${name}${mode}${verb}`)),
  ),
];
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Files and folders of a checkout that the program reads. */
function program(root) {
  const home = path.join(root, HOME);
  for (const name of ['LICENSE', 'corefiles', 'docs', 'examples', 'lab', 'dist/bin', 'dist/page'])
    cpSync(name, path.join(home, name), { recursive: true, filter: (file) => !file.startsWith('dist/bin/cache') });
  const { name, version, description, license } = JSON.parse(readFileSync('package.json', 'utf8'));
  write(path.join(home, 'package.json'), `${JSON.stringify({ name, version, description, license }, null, 2)}\n`);
  // By its path: a program in between, such as env, would lose the rights that come with Node's file.
  const script = readFileSync('bin/nodens', 'utf8').replace(/^#!.*/, `#!${NODE}`);
  write(path.join(home, 'bin/nodens'), script, 0o755);
  for (const name of NAMES) symlinkSync(`/${HOME}/bin/nodens`, path.join(root, name));
  koffi(path.join(home, 'node_modules'));
  // The build knows what went into the bundle; the list of the system's packages is put before it later.
  write(path.join(home, 'sbom.cdx.json'), JSON.stringify(bundled({ name, version, license })));
}

/** The one package with a binary: that of this platform and its C library. */
function koffi(folder) {
  cpSync('node_modules/koffi', path.join(folder, 'koffi'), {
    recursive: true,
    filter: (file) =>
      !/^node_modules\/koffi\/(?:doc|vendor|lib)|\.(?:cc|hh|h|S|asm|txt|d\.ts|md)$/.test(file) || /LICENSE/.test(file),
  });
  for (const name of readdirSync('node_modules/@koromix'))
    cpSync(`node_modules/@koromix/${name}`, path.join(folder, '@koromix', name), {
      recursive: true,
      filter: (file) => !file.includes('/musl_'),
    });
}

/** Packages of npm in the program, as components of CycloneDX. */
function bundled(own) {
  const packages = readFileSync('dist/bin/LICENSES.txt', 'utf8').matchAll(/^(\S+) (\d\S*) \((.+)\)$/gm);
  const found = [...packages].map(([, name, version, license]) => component('npm', name, version, license));
  const { version, license } = JSON.parse(readFileSync('node_modules/koffi/package.json', 'utf8'));
  return {
    own: component('npm', own.name, own.version, own.license),
    found: [...found, component('npm', 'koffi', version, license)],
  };
}

const component = (type, name, version, license) => ({
  type: 'library',
  name,
  version,
  purl: `pkg:${type}/${type === 'deb' ? 'debian/' : ''}${encodeURIComponent(name).replace('%2F', '/')}@${encodeURIComponent(version)}`,
  ...(license !== undefined && { licenses: [{ license: { name: license } }] }),
});

/** Everything else, collected from where it is installed. */
function system(root) {
  const files = new Set();
  const ip = ['/usr/sbin/ip', '/usr/bin/ip', '/bin/ip'].find((file) => existsSync(file));
  if (ip === undefined) throw new Error('ip is not installed');
  for (const file of [NODE, ip, ...PROGRAMS]) take(file, files);
  const plugins = path.join(path.dirname(libraryOf('/usr/sbin/xtables-nft-multi', 'libxtables')), 'xtables');
  for (const name of readdirSync(plugins)) take(path.join(plugins, name), files);
  take(CERTIFICATES, files);
  // As Debian has them: these are links to the folders below usr.
  for (const name of ['bin', 'sbin', 'lib', 'lib64'])
    if (existsSync(`/${name}`) && lstatSync(`/${name}`).isSymbolicLink())
      link(root, `/${name}`, readlinkSync(`/${name}`));
  for (const file of files) place(root, file);
  if (!existsSync(path.join(root, 'usr/bin/ip')) && !existsSync(path.join(root, 'usr/sbin/ip')))
    throw new Error('no ip');
  const packages = debianPackages(files);
  for (const name of packages) describe(root, name);
  settings(root);
  sbom(root, packages);
}

/** A file, what it is a link to, and the libraries that it loads. */
function take(file, files) {
  if (files.has(file)) return;
  files.add(file);
  if (lstatSync(file).isSymbolicLink()) return take(path.resolve(path.dirname(file), readlinkSync(file)), files);
  for (const library of librariesOf(file)) take(library, files);
}

function librariesOf(file) {
  if (!/ELF/.test(readFileSync(file).subarray(0, 4).toString('latin1'))) return [];
  let text;
  try {
    text = execFileSync('ldd', [file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch {
    // Linked statically, or a plugin that finds its libraries in what loads it.
    return [];
  }
  if (text.includes('not found')) throw new Error(`${file}: ${text}`);
  return [...text.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map(([, library]) => library);
}

function libraryOf(program, name) {
  const found = librariesOf(program).find((file) => path.basename(file).startsWith(name));
  if (found === undefined) throw new Error(`${program} loads no ${name}`);
  return realpathSync(found);
}

/** Puts a file, or a link, where it lies once links among its folders are followed. */
function place(root, file) {
  const at = path.join(root, realpathSync(path.dirname(file)), path.basename(file));
  if (existsSync(at)) return;
  mkdirSync(path.dirname(at), { recursive: true });
  if (lstatSync(file).isSymbolicLink()) return symlinkSync(readlinkSync(file), at);
  copyFileSync(file, at);
  chmodSync(at, statSync(file).mode & 0o777);
}

function link(root, name, target) {
  mkdirSync(path.join(root, path.resolve('/', target)), { recursive: true });
  symlinkSync(target, path.join(root, name));
}

/** Names of the packages that files came from. */
function debianPackages(files) {
  const owners = new Set(['ca-certificates']);
  for (const file of new Set([...files].flatMap((one) => [one, realpathSync(one)]))) {
    // What is on record is the name from before /lib and the like became links.
    for (const name of [file, file.replace(/^\/usr/, '')]) {
      try {
        const text = execFileSync('dpkg-query', ['-S', name], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        for (const [, list] of text.matchAll(/^(\S[^/]*): \//gm))
          for (const owner of list.split(', '))
            if (!owner.startsWith('diversion')) owners.add(owner.replace(/:.*/, ''));
        break;
      } catch {
        // Another name, or of no package: Node, lists of certificates.
      }
    }
  }
  return [...owners].sort();
}

/** What scanners read, one file for each package, and its license. */
function describe(root, name) {
  const control = execFileSync('dpkg-query', ['-s', name], { encoding: 'utf8' });
  write(path.join(root, 'var/lib/dpkg/status.d', name), control);
  const license = `/usr/share/doc/${name}/copyright`;
  if (existsSync(license)) {
    mkdirSync(path.join(root, path.dirname(license)), { recursive: true });
    copyFileSync(license, path.join(root, license));
  }
}

/** Users, names, and folders that programs and container engines expect. */
function settings(root) {
  write(
    path.join(root, 'etc/passwd'),
    'root:x:0:0:root:/:/nonexistent\nnobody:x:65534:65534:nobody:/nonexistent:/nonexistent\n',
  );
  write(path.join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  write(path.join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  copyFileSync('/etc/os-release', path.join(root, 'etc/os-release'));
  for (const name of ['run', 'tmp', 'proc', 'sys', 'dev', 'etc/coredns', 'var'])
    mkdirSync(path.join(root, name), { recursive: true });
  chmodSync(path.join(root, 'tmp'), 0o1777);
  symlinkSync('/run', path.join(root, 'var/run'));
}

/** What is in the image, in CycloneDX 1.5 (ECMA-424). */
function sbom(root, packages) {
  const file = path.join(root, HOME, 'sbom.cdx.json');
  const { own, found } = JSON.parse(readFileSync(file, 'utf8'));
  const version = process.version.slice(1);
  const node = { ...component('generic', 'node', version), cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*` };
  const debian = packages.map((name) =>
    component('deb', name, execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' })),
  );
  const components = [{ ...node, type: 'application' }, ...debian, ...found];
  const digest = createHash('sha256').update(JSON.stringify(components)).digest('hex');
  // The same content gives the same number, and no time: built again, the image is the same.
  const part = (from, to) => digest.slice(from, to);
  const serialNumber = `urn:uuid:${part(0, 8)}-${part(8, 12)}-5${part(13, 16)}-8${part(17, 20)}-${part(20, 32)}`;
  const document = { bomFormat: 'CycloneDX', specVersion: '1.5', serialNumber, version: 1 };
  const metadata = { component: { ...own, type: 'application' } };
  writeFileSync(file, `${JSON.stringify({ ...document, metadata, components }, null, 2)}\n`);
}

function write(file, text, mode = 0o644) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
}

const [step, root] = process.argv.slice(2);
if (root === undefined || !['program', 'system'].includes(step))
  throw new Error('usage: image.mjs program|system FOLDER');
if (step === 'program') program(root);
else system(root);
