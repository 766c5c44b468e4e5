import { describe, expect, it } from 'vitest';
import { dnsLab, story } from './lab.js';

describe('neighbour probes', () => {
  function used(neighbourProbes: boolean) {
    const lab = dnsLab({ neighbourProbes });
    const send = (): void =>
      void lab.world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(1), '172.20.1.40', 9);
    const pass = (time: number): void => {
      lab.clock.advance(time);
      lab.world.runTimers();
    };
    const asked = (): string[] => story(lab.events, ['arp']);
    return { ...lab, send, pass, asked };
  }

  it('follow five seconds after the first use, and hold for thirty', () => {
    const { send, pass, asked, world } = used(true);
    send();
    send();
    pass(4_999);
    expect(asked()).toEqual([]);
    pass(1);
    const router = world.node('k8s-ctr').ciliumNode!.routerIp;
    expect(asked()).toEqual([
      `eth0 Out arp request 172.20.1.236 ${router}`,
      `lxcd63c3c1415ff In arp request 172.20.1.236 ${router}`,
      `lxcd63c3c1415ff Out arp reply ${router} 172.20.1.236`,
      `eth0 In arp reply ${router} 172.20.1.236`,
    ]);
    send();
    pass(20_000);
    expect(asked()).toHaveLength(4);
    pass(10_000);
    send();
    pass(5_000);
    expect(asked()).toHaveLength(8);
  });

  it('are off by default', () => {
    const { send, pass, asked } = used(false);
    send();
    pass(60_000);
    expect(asked()).toEqual([]);
  });

  it('stop with the pod', () => {
    const { send, pass, asked, world } = used(true);
    send();
    world.removePod('default', 'curl-pod');
    pass(5_000);
    expect(asked()).toEqual([]);
  });
});
