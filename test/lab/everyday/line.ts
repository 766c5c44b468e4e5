/**
 * A line, how what it prints begins, and the exit code where it is not 0. A line feed in a here-document is `\n`;
 * addresses and generated names of pods stand as POD-IP and NAME.
 */
export type EverydayLine = readonly [line: string, begins: string, code?: number];

/** Takes out what another seed would change. */
export const masked = (text: string): string =>
  text
    .replace(/\b172\.20\.\d+\.\d+\b/g, 'POD-IP')
    .replace(/\b([a-z-]+)-[a-z0-9]{8,10}-[a-z0-9]{5}\b/g, '$1-NAME')
    .replace(/\b(cilium)-[a-z0-9]{5}\b/g, '$1-NAME')
    .replace(/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, 'MAC')
    .replace(/lxc[0-9a-f]{12}/g, 'LXC')
    .replace(/SHA512 = \w+/g, 'SHA512 = DIGEST')
    .replace(/ +$/gm, '')
    .replace(/ {2,}/g, '  ');
