import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

const require = createRequire(import.meta.url);

/** The `yaml` package, loaded at the first call: it costs 9 MB of memory, and a server that follows an API in its cluster never needs it. */
export function loadYaml(): typeof Yaml {
  return require('yaml') as typeof Yaml;
}
