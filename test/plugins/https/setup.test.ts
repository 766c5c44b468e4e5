import { describe, expect, it } from 'vitest';
import { https } from '../../../src/plugins/https/setup.js';
import { setup } from '../../support/block.js';

describe('https', () => {
  it.each([
    { text: 'https', connections: undefined },
    { text: 'https {\nmax_connections 100\n}', connections: 100 },
    { text: 'https {\nmax_connections 2147483647\n}', connections: 2147483647 },
    { text: 'https {\nmax_connections 0\n}', connections: Infinity },
  ])('$text', ({ text, connections }) =>
    expect(setup(https, text).block.settings.transports!.https!.connections).toBe(connections),
  );

  it.each([
    { text: 'https 10', error: 'Corefile:2: https: got 1 argument' },
    { text: 'https {\nmax_connections\n}', error: 'Corefile:3: https: max_connections:' },
    { text: 'https {\nmax_connections -1\n}', error: "Corefile:3: https: max_connections: COUNT: got '-1'" },
    { text: 'https {\nmax_connections 2147483648\n}', error: "max_connections: COUNT: got '2147483648'" },
    { text: 'https {\nmax_connections many\n}', error: "Corefile:3: https: max_connections: COUNT: got 'many'" },
    {
      text: 'https {\nmax_connections 1\nmax_connections 2\n}',
      error: 'Corefile:4: https: max_connections: got it a second time, allowed: once',
    },
    { text: 'https {\nmax_streams 1\n}', error: "Corefile:3: https: unknown option 'max_streams'" },
    { text: 'https\nhttps', error: 'Corefile:3: https: got it a second time in this server block' },
  ])('refuses $text', ({ text, error }) => expect(() => setup(https, text)).toThrow(error));
});
