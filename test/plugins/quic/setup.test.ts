import { describe, expect, it } from 'vitest';
import { quic } from '../../../src/plugins/quic/setup.js';
import { setup } from '../../support/block.js';

describe('quic', () => {
  it.each([
    { text: 'quic', limits: {} },
    { text: 'quic {\nmax_streams 16\nworker_pool_size 65536\n}', limits: { streams: 16, queries: 65_536 } },
    { text: 'quic {\nmax_streams 2147483647\n}', limits: { streams: 2_147_483_647 } },
  ])('$text', ({ text, limits }) => expect(setup(quic, text).block.settings.transports!.quic).toEqual(limits));

  it.each([
    { text: 'quic 1', error: 'Corefile:2: quic: got 1 argument' },
    { text: 'quic {\nmax_streams 0\n}', error: "Corefile:3: quic: max_streams: COUNT: got '0'" },
    {
      text: 'quic {\nmax_streams 2147483648\n}',
      error: "Corefile:3: quic: max_streams: COUNT: got '2147483648'",
    },
    {
      text: 'quic {\nmax_streams 1\nmax_streams 2\n}',
      error: 'Corefile:4: quic: max_streams: got it a second time, allowed: once',
    },
    { text: 'quic {\nmax_queries 1\n}', error: "Corefile:3: quic: unknown option 'max_queries'" },
    { text: 'quic\nquic', error: 'Corefile:3: quic: got it a second time in this server block' },
  ])('refuses $text', ({ text, error }) => expect(() => setup(quic, text)).toThrow(error));
});
