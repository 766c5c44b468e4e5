import { createRequire } from 'node:module';

/**
 * Loads a package of the kind that came before ES modules. `import` of such a one has Node search the whole text of
 * its files for names that they may
 * export, which takes longer and more memory than running them.
 */
export const loadPackage = createRequire(import.meta.url) as (name: string) => unknown;

/** The file of such a package, for a thread that loads it by itself. */
export const packagePath = (name: string): string => createRequire(import.meta.url).resolve(name);
