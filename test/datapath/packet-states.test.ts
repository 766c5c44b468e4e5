import { describe, expect, it } from 'vitest';
import { rule } from '../../src/datapath/netfilter/rule.js';
import type { World } from '../../src/datapath/world.js';
import { lab } from './lab.js';

const one = new Uint8Array([1]);
const RESOLVER = '10.0.2.3';

/** What comes to the node, as connection tracking calls it. */
const TRAFFIC: Readonly<Record<string, (world: World) => unknown>> = {
  NEW(world) {
    const server = world.node('k8s-w1').process.udp();
    server.bind('0.0.0.0', 53);
    world.host('resolver-k8s-w1').process.udp().sendTo(one, '10.0.2.15', 53);
    return server.recv();
  },
  ESTABLISHED(world) {
    world
      .host('resolver-k8s-w1')
      .process.udp({ onReadable: (socket) => void socket.sendTo(one, '10.0.2.15', socket.recv()!.port) })
      .bind('0.0.0.0', 53);
    const client = world.node('k8s-w1').process.udp();
    client.sendTo(one, RESOLVER, 53);
    return client.recv();
  },
  // Port unreachable, about what was sent.
  RELATED(world) {
    const client = world.node('k8s-w1').process.udp();
    client.connect(RESOLVER, 53);
    client.send(one);
    try {
      client.send(one);
      return undefined;
    } catch (error) {
      return error;
    }
  },
};

describe('connection tracking', () => {
  const states = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID'] as const;
  it.each(Object.keys(TRAFFIC))('a rule for %s takes that alone', (name) => {
    for (const state of states) {
      const { world } = lab();
      world.node('k8s-w1').netfilter.append('filter', 'INPUT', rule().states(state).drop());
      const came = TRAFFIC[name]!(world) !== undefined;
      expect({ state, came }).toEqual({ state, came: state !== name });
    }
  });
});
