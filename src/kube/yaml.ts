import type * as Yaml from 'yaml';
import { loadPackage } from '../lib/package.js';

/**
 * The `yaml` package, loaded at the first call: it costs 9 MB of memory, and a server that follows an API in its
 * cluster never needs it.
 */
export function loadYaml(): typeof Yaml {
  return loadPackage('yaml') as typeof Yaml;
}
