// Preloaded into a program, this hides what only Linux has: its C library by way of koffi, /proc and /sys, modes of
// sockets and other programs. NODENS_TEST_PLATFORM names the system that the program then believes to be on.
'use strict';
const childProcess = require('node:child_process');
const fs = require('node:fs');
const Module = require('node:module');
const os = require('node:os');

const platform = process.env.NODENS_TEST_PLATFORM;
Object.defineProperty(process, 'platform', { value: platform });
if (platform === 'win32') os.userInfo = () => ({ uid: -1, gid: -1, username: 'learner', homedir: '', shell: null });

const fail = (code, call, file) => {
  throw Object.assign(new Error(`${code}: not on this system, ${call} '${file}'`), { code, path: file });
};
const hidden = (file) => typeof file === 'string' && /^\/(proc|sys|run|etc)(\/|$)/.test(file);

for (const call of ['readFileSync', 'readdirSync', 'openSync', 'statSync', 'lstatSync', 'realpathSync']) {
  const real = fs[call];
  fs[call] = Object.assign((file, ...rest) => (hidden(file) ? fail('ENOENT', call, file) : real(file, ...rest)), real);
}
// The names of Windows' pipes are no paths here: what is listened at under such a name is a file of the working folder.
const PIPES = '\\\\.\\pipe\\';
const { existsSync, readdirSync } = fs;
fs.existsSync = (file) => file === PIPES || (!hidden(file) && existsSync(file));
fs.readdirSync = (file, ...rest) =>
  file === PIPES
    ? readdirSync('.').flatMap((name) => (name.startsWith(PIPES) ? [name.slice(PIPES.length)] : []))
    : readdirSync(file, ...rest);
if (platform === 'win32') fs.chmodSync = (file) => fail('ENOTSUP', 'chmod', file);
for (const call of ['spawn', 'spawnSync', 'execFile', 'execFileSync', 'exec', 'execSync'])
  childProcess[call] = (program) => fail('ENOENT', call, program);

const load = Module._load;
Module._load = (name, ...rest) => (name === 'koffi' ? fail('MODULE_NOT_FOUND', 'require', name) : load(name, ...rest));
