// Puts the program together for a quick start: `node scripts/bundle.mjs [FOLDER]`, by default into dist/bin. What a
// command needs is loaded from a few files in place of some hundred; what it does not need, another command or a
// package that is used now and then, is a file of its own.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build, transform } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
/** The oldest Node that the package runs on. */
const TARGET = 'node20.19';
/** Packages of CommonJS that the sources load by `loadPackage`, each when it is first needed. */
const PACKAGES = [
  'https-proxy-agent',
  'ipaddr.js',
  'jq-wasm',
  'pino',
  'prom-client',
  're2js',
  'socks-proxy-agent',
  'tinyglobby',
  'ws',
  'yaml',
];
/** Packages that are found in node_modules or not at all: one with a binary for each platform. */
const EXTERNAL = ['koffi', '@matrixai/quic', 'acme-client'];
/**
 * Commands that look at servers. They are bundled beside the program, with what they share with it in them once more:
 * code that more commands share is split into more files, and calls from file to file cost a server time.
 */
const TOOLS = ['check', 'compare', 'doctor', 'explain', 'record', 'top'];
/** What the launcher loads before the program: by itself, so that it is little. */
const EARLY = 'early';
/** Modules of Node that take milliseconds to load and that most starts do without: loaded when they are first used. */
const LATE = ['assert', 'child_process', 'crypto', 'http', 'http2', 'https', 'tls', 'v8', 'worker_threads', 'zlib'];
/** What the module that loads it looks for beside itself. */
const KERNEL_PROGRAM = 'src/kernel/answers.bpf.o';
/** The name under which a module knows where it lies. */
const HERE = 'moduleUrl';

/**
 * In place of src/plugin-api/node-import.ts: plugins are files that Node imports, whatever kind of module this is
 * bundled into.
 */
const NODE_IMPORT = 'importByNode';
const nodeImport = {
  name: 'node-import',
  setup({ onLoad }) {
    onLoad({ filter: /src[/\\]plugin-api[/\\]node-import\.ts$/ }, () => ({
      contents: `export const nodeImport = (url) => ${NODE_IMPORT}(url);\n`,
    }));
  },
};

const fileOf = (name) => `${name.replaceAll('/', '-').replace(/\.js$/, '')}.cjs`;

/** In place of src/lib/package.ts: packages come from the files beside the bundle. */
const loadPackage = {
  name: 'load-package',
  setup({ onLoad }) {
    const files = Object.fromEntries(PACKAGES.map((name) => [name, `./${fileOf(name)}`]));
    onLoad({ filter: /src[/\\]lib[/\\]package\.ts$/ }, () => ({
      contents: [
        `const FILES = ${JSON.stringify(files)};`,
        'export const loadPackage = (name) => require(FILES[name] ?? name);',
        'export const packagePath = (name) => require.resolve(FILES[name] ?? name);\n',
      ].join('\n'),
    }));
  },
};

/** In place of the tools and of what the launcher has loaded already, in the program: their files. */
const toolFiles = {
  name: 'tool-files',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^\\./(?:${[...TOOLS, EARLY].join('|')})\\.js$`) }, ({ path: name, importer }) =>
      /src[/\\]cli[/\\](?:main|run-server)\.ts$/.test(importer)
        ? { path: name.replace(/\.js$/, '.cjs'), external: true }
        : undefined,
    );
  },
};

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: TARGET,
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  write: false,
  external: EXTERNAL,
};

/**
 * Modules, bundled. Code that several commands share is split off, which esbuild does for ES modules only; they are
 * turned into CommonJS after that, which Node loads faster, and from its compile cache.
 */
async function modules(entryPoints, outdir, splitting) {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    entryPoints,
    outdir,
    splitting,
    format: 'esm',
    chunkNames: '[name]-[hash]',
    outExtension: { '.js': '.cjs' },
    define: { 'import.meta.url': HERE },
    plugins: [loadPackage, nodeImport, toolFiles],
  });
  for (const { path: file, text } of outputFiles) {
    const { code } = await transform(required(direct(text)), {
      format: 'cjs',
      platform: 'node',
      target: TARGET,
      charset: 'ascii',
      banner: text.includes(HERE) ? `const ${HERE} = require("node:url").pathToFileURL(__filename).href;` : '',
    });
    const head = text.includes(NODE_IMPORT) ? `const ${NODE_IMPORT} = require("./import.cjs");\n` : '';
    writeFileSync(file, head + late(code));
  }
  return metafile;
}

/**
 * What one part takes from another becomes a constant: as a property of the other part's exports, which are getters, it
 * would be asked for at each use, for a tenth of a forwarded query's time. The sources export nothing that changes.
 */
function direct(code) {
  return code.replace(
    /^import \{([^}]*)\} from ("\.\/[^"]+");$/gm,
    (_, names, file) => `const {${names.replace(/ as /g, ': ')}} = require(${file});`,
  );
}

/**
 * Parts of the program, modules of Node and packages are loaded by `require`, quicker than by `import`, which stays for
 * plugins of others: see compile-cache.cjs.
 */
function required(code) {
  const text = code.replace(/\bimport\(("[^"]+")\)/g, 'Promise.resolve().then(() => require($1))');
  const left = /^.*\bimport\(.*$/m.exec(text);
  if (left !== null) throw new Error(`import() of what is no literal; allowed: nodeImport. Got: ${left[0].trim()}`);
  return text;
}

/** Turns each `var import_node_tls = require("node:tls")` into a property that loads the module when it is read. */
function late(code) {
  const loads = new RegExp(`^var (\\w+) = (.*require\\("node:(?:${LATE.join('|')})"\\).*);$`, 'gm');
  return [...code.matchAll(loads)].reduce((text, [line, variable, expression]) => {
    const [before, after] = text
      .split(line)
      .map((part) => part.replace(new RegExp(`\\b${variable}\\b`, 'g'), `${variable}Late.module`));
    const late = `{ get module() { const value = ${expression}; Object.defineProperty(this, "module", { value }); return value; } }`;
    return `${before}var ${variable}Late = ${late};${after}`;
  }, code);
}

async function packages(outdir) {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    // As `require` finds them: the form of ES modules may ask where it lies, which nothing in the bundle knows.
    entryPoints: PACKAGES.map((name) => ({ in: require.resolve(name), out: fileOf(name).replace(/\.cjs$/, '') })),
    outdir,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
  });
  for (const { path: file, contents } of outputFiles) writeFileSync(file, contents);
  return metafile;
}

/** The licenses of packages that went into the bundle, which ask to be kept with it. */
function licenses(inputs) {
  const names = new Set(inputs.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []));
  return [...names]
    .sort()
    .map((name) => {
      const folder = path.join(ROOT, 'node_modules', name);
      const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
      return `${name} ${version} (${license})\n\n${textOf(folder)}`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

function textOf(folder) {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'COPYING']) {
    try {
      return readFileSync(path.join(folder, name), 'utf8');
    } catch {
      // The next spelling.
    }
  }
  return '';
}

/** Bundles the program into `outdir`, whose contents are replaced. */
export async function bundle(outdir) {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const metafiles = await Promise.all([
    modules({ main: 'src/cli/main.ts' }, outdir, true),
    modules(Object.fromEntries(TOOLS.map((name) => [name, `src/cli/${name}.ts`])), outdir, true),
    // By itself: a thread loads what it runs and nothing of what it shares with the rest.
    modules({ worker: 'src/fastpath/worker.ts' }, outdir, false),
    modules({ [EARLY]: `src/cli/${EARLY}.ts` }, outdir, false),
    packages(outdir),
  ]);
  copyFileSync(path.join(ROOT, KERNEL_PROGRAM), path.join(outdir, path.basename(KERNEL_PROGRAM)));
  writeFileSync(path.join(outdir, 'import.cjs'), 'module.exports = (url) => import(url);\n');
  copyFileSync(path.join(ROOT, 'scripts/compile-cache.cjs'), path.join(outdir, 'compile-cache.cjs'));
  writeFileSync(path.join(outdir, 'LICENSES.txt'), licenses(metafiles.flatMap(({ inputs }) => Object.keys(inputs))));
}

if (process.argv[1] === import.meta.filename)
  await bundle(path.resolve(process.argv[2] ?? path.join(ROOT, 'dist/bin')));
