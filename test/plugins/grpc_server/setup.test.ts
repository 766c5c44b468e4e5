import { describe, expect, it } from 'vitest';
import { grpcServer } from '../../../src/plugins/grpc_server/setup.js';
import { setup } from '../../support/block.js';

describe('grpc_server', () => {
  it.each([
    { text: 'grpc_server', limits: {} },
    { text: 'grpc_server {\nmax_streams 50\nmax_connections 100\n}', limits: { streams: 50, connections: 100 } },
    { text: 'grpc_server {\nmax_streams 2147483647\n}', limits: { streams: 2147483647 } },
    { text: 'grpc_server {\nmax_streams 0\n}', limits: { streams: Infinity } },
  ])('$text', ({ text, limits }) => expect(setup(grpcServer, text).block.settings.transports!.grpc).toEqual(limits));

  it.each([
    { text: 'grpc_server 1', error: 'Corefile:2: grpc_server: got 1 argument' },
    { text: 'grpc_server {\nmax_streams -1\n}', error: "Corefile:3: grpc_server: max_streams: COUNT: got '-1'" },
    { text: 'grpc_server {\nmax_streams 2147483648\n}', error: "max_streams: COUNT: got '2147483648'" },
    {
      text: 'grpc_server {\nmax_streams 1\nmax_streams 2\n}',
      error: 'Corefile:4: grpc_server: max_streams: got it a second time, allowed: once',
    },
    { text: 'grpc_server {\nmax_queries 1\n}', error: "Corefile:3: grpc_server: unknown option 'max_queries'" },
    { text: 'grpc_server\ngrpc_server', error: 'Corefile:3: grpc_server: got it a second time in this server block' },
  ])('refuses $text', ({ text, error }) => expect(() => setup(grpcServer, text)).toThrow(error));
});
