import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FlagError, HelpAsked, parseFlags, usage } from '../lib/go-flags.js';
import { adminFromFlags, recordFromFlags } from '../server/admin-flags.js';
import { ioFromFlags } from '../server/io-flags.js';
import { tuneEngine } from './engine.js';
import type { Command } from './command.js';
import type * as RunServer from './run-server.js';
import { FLAGS } from './flags.js';
import { refuse, say, versionLines } from './say.js';

/** Served when there is no Corefile at all: tells clients who they are, as CoreDNS does. */
const WITHOUT_COREFILE = '. {\n    whoami\n    log\n}\n';

/** `nodens [flags]`: serves a Corefile until a signal ends it. */
export const serve: Command = async (args, env) => {
  let flags;
  try {
    flags = parseFlags(args, FLAGS);
  } catch (error) {
    if (error instanceof HelpAsked) return say(usage('nodens', FLAGS));
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`${error.message}\n${usage('nodens', FLAGS)}`);
    return 2;
  }
  const { values } = flags;
  const [extra] = flags.rest;
  if (extra !== undefined)
    return refuse(
      extra === 'help' ? usage('nodens', FLAGS) : `unexpected argument '${extra}'\n${usage('nodens', FLAGS)}`,
    );
  if (values.version === 'true') return say(versionLines());
  if (values.plugins === 'true') return say((await loadServer()).pluginLines());
  const port = Number(values['dns.port']);
  if (!/^\d+$/.test(values['dns.port']!) || port > 65_535)
    return refuse(`-dns.port: expected a port from 0 to 65535, got '${values['dns.port']}'\n`);
  const format = values['log.format'];
  if (format !== 'text' && format !== 'json') return refuse(`-log.format: expected text or json, got '${format}'\n`);
  const io = ioFromFlags(values);
  if (typeof io === 'string') return refuse(`${io}\n`);
  const admin = adminFromFlags(values);
  if (typeof admin === 'string') return refuse(`${admin}\n`);
  const record = recordFromFlags(values);
  if (typeof record === 'string') return refuse(`${record}\n`);
  const { logOf, runServer } = await loadServer();
  return runServer({
    io,
    admin,
    record,
    corefile: corefileSource(values.conf!, flags.given.has('conf')),
    plugins: values.plugin!.split('\n').filter((line) => line !== ''),
    port,
    log: logOf(format),
    env,
    quiet: values.quiet === 'true',
    pidfile: values.pidfile!,
    takeover: values.takeover!,
  });
};

/** `Corefile` in the working directory may be missing; one that was asked for by name may not. */
export function corefileSource(conf: string, asked: boolean): RunServer.ServeOptions['corefile'] {
  if (conf === 'stdin') {
    const text = readFileSync(0, 'utf8');
    return { name: 'stdin', read: () => text };
  }
  if (!asked && !existsSync(conf)) return { name: 'Corefile', read: () => WITHOUT_COREFILE };
  return { name: conf, read: () => readFileSync(path.resolve(conf), 'utf8') };
}

/** What serves is loaded when it is about to: `-version`, help and mistakes need none of it. */
export function loadServer(): Promise<typeof RunServer> {
  tuneEngine();
  return import('./run-server.js');
}
