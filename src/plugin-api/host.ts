/** What a server needs to have plugins from outside: loaded when the first one is asked for. */
export { adaptPlugin } from './adapt.js';
export { whatIsWrong } from './check-plugin.js';
export { PluginLoader } from './loader.js';
