import { request } from 'node:http';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock, realClock } from '../../src/lib/clock.js';
import { secureRandom } from '../../src/lib/random.js';
import { Gateway } from '../../src/lab/gateway/gateway.js';
import { Lab } from '../../src/lab/lab.js';
import { loadTopology } from '../../src/lab/topology/load.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { LabNetwork } from '../../src/lab/network/lab-network.js';
import { runDig } from '../../src/resolver/index.js';
import { Class, Flag, Type, encodeMessage } from '../../src/wire/index.js';
import { drivenLab } from './lab.js';

let lab: Lab;
let gateway: Gateway;
beforeAll(async () => {
  lab = await Lab.create(loadTopology('two-nodes'), { clock: realClock });
  gateway = new Gateway(lab, { host: new HostNetwork(), port: 0 });
  await gateway.open();
});
afterAll(async () => {
  gateway.close();
  // Nobody needs the servers' lame duck time.
  void lab.stop();
});

const encodeQuery = (name: string): Buffer =>
  encodeMessage({
    id: 1,
    flags: Flag.RD,
    rcode: 0,
    question: [{ name, type: Type.A, class: Class.IN }],
    answer: [],
    authority: [],
    additional: [],
  });
const portOf = (pod: string): number => gateway.dns().find((entry) => entry.pod === pod)!.port;
const dig = async (port: number, ...args: string[]): Promise<string> =>
  (
    await runDig(['@127.0.0.1', '-p', String(port), '+short', ...args], {
      network: new HostNetwork(),
      clock: realClock,
      random: secureRandom,
      resolvConf: 'nameserver 127.0.0.1\n',
    })
  ).text;

const get = (url: string): Promise<{ status: number | undefined; text: string }> =>
  new Promise((resolve, reject) => {
    request(url, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('end', () => resolve({ status: response.statusCode, text }));
    })
      .on('error', reject)
      .end();
  });

describe('a DNS port of a pod', () => {
  it.each([
    { name: 'UDP', args: [] },
    { name: 'TCP', args: ['+tcp'] },
  ])('answers by $name as the pod is answered', async ({ args }) => {
    expect(await dig(portOf('default/curl-pod'), 'webpod.default.svc.cluster.local', ...args)).toBe('10.96.152.212\n');
  });

  it('is the pod: the flows say so', async () => {
    await dig(portOf('default/webpod-556878d5d7-r4dmh'), 'google.com');
    expect(lab.hubble.observe(['--from-pod', 'default/webpod-556878d5d7-r4dmh', '--port', '53']).join('\n')).toContain(
      'default/webpod-556878d5d7-r4dmh',
    );
  });

  it('asks what the pod is given to ask: CoreDNS has the resolver of its node', async () => {
    expect(await dig(portOf('kube-system/coredns-674b8bbfcf-vvgfm'), 'google.com')).toBe('142.250.196.110\n');
    expect(await dig(portOf('kube-system/coredns-674b8bbfcf-vvgfm'), 'webpod.default.svc.cluster.local')).toBe('');
  });

  it('comes and goes with its pod', async () => {
    await lab.apply([
      {
        kind: 'Pod',
        place: 'test',
        raw: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'late' }, spec: { containers: [] } },
      },
    ]);
    await expect.poll(() => gateway.dns().map(({ pod }) => pod)).toContain('default/late');
    expect(await dig(portOf('default/late'), 'webpod.default.svc.cluster.local')).toBe('10.96.152.212\n');
    await lab.remove('Pod', 'default', 'late');
    await expect.poll(() => gateway.dns().map(({ pod }) => pod)).not.toContain('default/late');
  });
});

describe('a client of a DNS port', () => {
  it('has a socket in the pod until it has been silent for 15 seconds', async () => {
    const driven = await drivenLab();
    const host = new LabNetwork(driven.lab.hosts.list()[0]!.model.process);
    const own = new Gateway(driven.lab, { host, port: 0 });
    await own.open();
    const pod = driven.lab.kubelet.get('default', 'curl-pod')!.model;
    const sockets = (): number => pod.netns.ports.list().length;
    const before = sockets();
    const { port } = own.dns().find((entry) => entry.pod === 'default/curl-pod')!;
    let answers = 0;
    const client = await host.connectUdp(
      { address: '127.0.0.1', port },
      () => void answers++,
      () => undefined,
    );
    for (const asked of [1, 2]) {
      client.send(encodeQuery('webpod.default.svc.cluster.local.'));
      await driven.run('sleep 14');
      expect({ sockets: sockets(), answers }).toEqual({ sockets: before + 1, answers: asked });
    }
    await driven.run('sleep 2');
    expect(sockets()).toBe(before);
    client.close();
    own.close();
    await driven.end();
  });
});

describe('HTTP', () => {
  it('has metrics, health and readiness of each server', async () => {
    const urls = gateway
      .http()
      .filter(({ pod }) => pod === 'kube-system/coredns-674b8bbfcf-vvgfm')
      .map(({ url }) => url);
    expect(urls.map((url) => url.replace(/^.*vvgfm/, ''))).toEqual(
      expect.arrayContaining([':8080/health', ':8181/ready', ':9153/metrics']),
    );
    for (const url of urls) expect((await get(url)).status).toBe(200);
    expect((await get(urls.find((url) => url.endsWith('/metrics'))!)).text).toContain('coredns_cache_requests_total');
  });

  it('says what there is to what there is not', async () => {
    const { status, text } = await get(`http://127.0.0.1:${gateway.webPort}/nowhere`);
    expect(status).toBe(404);
    expect(text).toContain('/metrics');
  });
});

it('a port that is taken is an error, and nothing stays open', async () => {
  const second = new Gateway(lab, { host: new HostNetwork(), port: gateway.webPort });
  await expect(second.open()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(second.dns()).toEqual([]);
});

describe('a client of the page that keeps it waiting', () => {
  it('is closed in time', async () => {
    const clock = new ManualClock();
    const timed = Object.assign(Object.create(lab) as Lab, { clock });
    const page = new Gateway(timed, { host: new HostNetwork(), port: 0 });
    await page.open();
    const sockets = ['', 'GET / HTTP/1.1\r\n'].map((text) => {
      const socket = net.connect(page.webPort, '127.0.0.1', () => socket.write(text));
      return socket;
    });
    const closed = Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve))),
    );
    while (clock.pending === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.advance(6000);
    await closed;
    page.close();
  });
});
