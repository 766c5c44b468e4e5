import { describe, expect, it } from 'vitest';
import { atOnePort } from '../../src/net/drawn-port.js';

const taken = (): Error => Object.assign(new Error('taken'), { code: 'EADDRINUSE' });

describe('a port for several transports', () => {
  it.each([
    { name: 'is drawn again when it is taken in one', port: 0, failures: 3, error: taken, opened: true, tries: 4 },
    { name: 'is not drawn for ever', port: 0, failures: 99, error: taken, opened: false, tries: 10 },
    { name: 'that is given is tried once', port: 53, failures: 1, error: taken, opened: false, tries: 1 },
    {
      name: 'is not drawn again for another reason',
      port: 0,
      failures: 1,
      error: () => Object.assign(new Error('no'), { code: 'EACCES' }),
      opened: false,
      tries: 1,
    },
  ])('$name', async ({ port, failures, error, opened, tries }) => {
    let count = 0;
    const done = atOnePort(port, () => (++count <= failures ? Promise.reject(error()) : Promise.resolve('open')));
    expect(await done.catch(() => 'failed')).toBe(opened ? 'open' : 'failed');
    expect(count).toBe(tries);
  });
});
