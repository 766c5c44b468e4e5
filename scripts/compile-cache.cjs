// What `module.enableCompileCache` does in Node 22.1 and newer, for older ones: it goes into dist/bin as it is.
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

/**
 * Has the files of a folder, `import.cjs` aside, compiled with what V8 kept of them in another,
 * `KEPT/VERSION-ARCH/FILE`. What is missing or not V8's is written when the process ends, where it may be, or when the
 * returned function is called; a failure to do so is nobody's business. None of the files but `import.cjs` may call
 * `import()`: Node 20 finds no way from a script out of V8's data to its modules.
 */
exports.keepCompiled = (folder, kept) => {
  const place = path.join(kept, `${process.version}-${process.arch}`);
  const fresh = new Map();
  const compile = Module.prototype._compile;
  Module.prototype._compile = function (source, filename) {
    if (path.dirname(filename) !== folder || path.basename(filename) === 'import.cjs')
      return compile.call(this, source, filename);
    const file = path.join(place, path.basename(filename));
    const script = new vm.Script(Module.wrap(source), { filename, cachedData: read(file) });
    if (script.cachedDataRejected !== false) fresh.set(file, script);
    return script
      .runInThisContext()
      .call(this.exports, this.exports, Module.createRequire(filename), this, filename, path.dirname(filename));
  };
  const keep = () => {
    try {
      if (fresh.size > 0) mkdirSync(place, { recursive: true });
      for (const [file, script] of fresh) write(file, script.createCachedData());
    } catch {
      // The folder is not ours to write to.
    }
    fresh.clear();
  };
  process.once('exit', keep);
  return keep;
};

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
