import { readFileSync } from 'node:fs';
import path from 'node:path';
import { realClock } from '../lib/clock.js';
import { FlagError, HelpAsked } from '../lib/go-flags.js';
import { NodeCacheFlagError, nodeCacheUsage, parseNodeCacheFlags, type NodeCacheOptions } from '../nodelocal/flags.js';
import { hostFiles } from '../nodelocal/folder.js';
import { NodeCache } from '../nodelocal/node-cache.js';
import { planText } from '../nodelocal/node-network.js';
import { placesOfOthers } from '../net/inherited-sockets.js';
import { hostRun } from '../nodelocal/run.js';
import { StartLog } from '../nodelocal/start-log.js';
import { VERSION } from '../lib/package-folder.js';
import type { Command } from './command.js';
import { logOf, pluginLines, runServer } from './run-server.js';
import { say, versionLines } from './say.js';

/** `nodens node-cache FLAGS`: serves DNS on a node, as the node-cache of the Kubernetes addon does. */
export const nodeCache: Command = async (args, env) => {
  const startLog = new StartLog(realClock, (text) => process.stderr.write(text));
  if (args.at(-1) === 'help') return say(nodeCacheUsage(VERSION));
  let options: NodeCacheOptions;
  try {
    options = parseNodeCacheFlags(args);
  } catch (error) {
    if (error instanceof HelpAsked) return say(nodeCacheUsage(VERSION));
    if (!(error instanceof FlagError || error instanceof NodeCacheFlagError)) throw error;
    startLog.info(startLine);
    if (error instanceof FlagError) {
      process.stderr.write(`${error.message}\n${nodeCacheUsage(VERSION)}`);
      return 2;
    }
    startLog.fatal(`Error parsing flags - ${error.message}, Exiting`);
    return 1;
  }
  if (options.ask !== undefined) return say(options.ask === 'plugins' ? pluginLines() : versionLines());
  if (options.dryRun) return say(planText(options));
  const log = logOf(options.logFormat);
  const first = options.logFormat === 'json' ? log : startLog;
  first.info(startLine);
  return runServer({
    corefile: { name: options.corefile, read: () => readFileSync(path.resolve(options.corefile), 'utf8') },
    io: options.io,
    admin: options.admin,
    record: options.record,
    port: options.dnsPort,
    log,
    env,
    quiet: options.quiet,
    pidfile: options.pidfile,
    takeover: options.takeover,
    companion: (shared) =>
      new NodeCache(options, {
        ...shared,
        clock: realClock,
        run: hostRun(env),
        placesOfOthers,
        files: hostFiles,
        env,
        startLog: first,
        log,
        self: { pid: process.pid, signalReload: () => process.kill(process.pid, 'SIGUSR1') },
      }),
  });
};

const startLine = `Starting node-cache image: nodens:${VERSION}`;
