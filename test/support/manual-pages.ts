import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** The manual page of a plugin, as text. */
export const manualPage = (plugin: string): string =>
  readFileSync(path.join(ROOT, 'src/plugins', plugin, 'README.md'), 'utf8');

/** The Corefiles among the examples of a plugin's page, named `PLUGIN 1`, `PLUGIN 2`, ... */
export const pageExamples = (plugin: string): { readonly name: string; readonly text: string }[] =>
  [...manualPage(plugin).matchAll(/^```corefile\n([\s\S]*?)^```/gm)].map((match, i) => ({
    name: `${plugin} ${i + 1}`,
    text: match[1]!,
  }));

/** What the pages' Corefiles leave to the environment; zones are signed to the folder `signed`. */
export const pageEnv = (signed: string): Record<string, string> => ({
  NODENS_UPSTREAM: '127.0.0.1:1',
  GEOIP_CITY: 'test/plugins/geoip/city.mmdb',
  GEOIP_ASN: 'test/plugins/geoip/asn.mmdb',
  NODENS_SIGNED: signed,
});

/** Drawn ports where a plugin listens for HTTP. */
export const drawnHttpPorts = (corefile: string): string =>
  corefile
    .replace(/^(\s*(?:prometheus|health|ready|pprof)\s+\S*):\d+/gm, '$1:0')
    .replace(/^(\s*(?:prometheus|health|ready|pprof))(\s*\{)?$/gm, '$1 127.0.0.1:0$2');
