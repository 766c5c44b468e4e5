import { pluginStatementFrom } from '../corefile/index.js';
import { silentLog } from '../lib/log.js';
import { PluginLoader } from '../plugin-api/host.js';
import { manualPage } from '../plugin-api/manual.js';
import type { Command } from './command.js';
import { refuse, say } from './say.js';

const USAGE = 'usage: nodens plugin FILE|PACKAGE\n';

/** `nodens plugin FILE`: loads a plugin as a server would and prints its manual page. */
export const pluginPage: Command = async (args) => {
  const [source, extra] = args;
  if (source === undefined || extra !== undefined || /^--?h(elp)?$/.test(source)) return refuse(USAGE);
  const loader = new PluginLoader(process.cwd(), silentLog());
  const { plugin } = await loader.load(pluginStatementFrom(source, 'nodens plugin'));
  return say(manualPage(plugin));
};
