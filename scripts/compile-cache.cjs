// What `module.enableCompileCache` does in Node 22.1 and newer, for older ones: it goes into dist/bin as it is.
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');

/**
 * Flags that the program sets on its way, as V8 has them at the start. V8 refuses data that was made while they were
 * set otherwise than when it is read.
 */
const AT_START = [
  '--sparkplug',
  '--no-expose-gc',
  '--parallel-scavenge',
  '--semi-space-growth-factor=2',
  '--heap-growing-percent=0',
];

/**
 * Has the files of a folder, `import.cjs` aside, compiled with what V8 kept of them in another,
 * `KEPT/VERSION-ARCH/FILE`. What is missing or not V8's is written when the process ends, where it may be, or when the
 * returned function is called; a failure to do so is nobody's business. None of the files but `import.cjs` may call
 * `import()`: Node 20 finds no way from a script out of V8's data to its modules.
 */
exports.keepCompiled = (folder, kept) => {
  const place = path.join(kept, `${process.version}-${process.arch}`);
  const fresh = new Map();
  const asAtStart = rememberFlags();
  const compile = Module.prototype._compile;
  Module.prototype._compile = function (source, filename) {
    if (path.dirname(filename) !== folder || path.basename(filename) === 'import.cjs')
      return compile.call(this, source, filename);
    const file = path.join(place, path.basename(filename));
    const cachedData = read(file);
    const script = asAtStart(() => new vm.Script(Module.wrap(source), { filename, cachedData }));
    if (script.cachedDataRejected !== false) fresh.set(file, script);
    return script
      .runInThisContext()
      .call(this.exports, this.exports, Module.createRequire(filename), this, filename, path.dirname(filename));
  };
  const keep = () => {
    try {
      if (fresh.size > 0) mkdirSync(place, { recursive: true });
      for (const [file, script] of fresh)
        write(
          file,
          asAtStart(() => script.createCachedData()),
        );
    } catch {
      // The folder is not ours to write to.
    }
    fresh.clear();
  };
  process.once('exit', keep);
  return keep;
};

/** Returns what does something with the flags as they were at the start, and sets those again that are set from now on. */
function rememberFlags() {
  const { setFlagsFromString } = v8;
  const given = new Set();
  v8.setFlagsFromString = (flag) => {
    // In the order in which they were set last.
    given.delete(flag);
    given.add(flag);
    setFlagsFromString(flag);
  };
  return (work) => {
    if (given.size > 0) for (const flag of AT_START) setFlagsFromString(flag);
    try {
      return work();
    } finally {
      given.forEach((flag) => setFlagsFromString(flag));
    }
  };
}

function read(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Whole or not at all: another process may be reading. */
function write(file, data) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, data);
  renameSync(draft, file);
}
