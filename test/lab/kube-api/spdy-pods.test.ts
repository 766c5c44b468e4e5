import { describe, expect, it } from 'vitest';
import { servedLab } from './client.js';
import { SpdyClient } from './spdy-client.js';

const served = servedLab();

const PODS = '/api/v1/namespaces/default/pods';

describe('over SPDY/3.1', () => {
  const upgraded = async (path: string, protocol: string): Promise<SpdyClient> => {
    const client = await SpdyClient.upgrade(served(), path, protocol);
    if (typeof client === 'number') throw new Error(`refused with ${client}`);
    return client;
  };
  const EXEC = 'v4.channel.k8s.io';
  const FORWARD = 'portforward.k8s.io';

  it('a program has a stream for each channel, and begins when all are there', async () => {
    const path = `${PODS}/curl-pod/exec?command=sh&stdin=true&stdout=1&stderr=true`;
    const client = await upgraded(path, `${EXEC}, v3.channel.k8s.io`);
    for (const [i, streamtype] of ['error', 'stdin', 'stdout', 'stderr'].entries())
      await client.open(2 * i + 1, { streamtype });
    client.write(3, 'hostname; ls; exit 3', true);
    await client.closed;
    expect([client.said[5], client.said[7]]).toEqual([
      'curl-pod\n',
      expect.stringContaining('"ls": executable file not found'),
    ]);
    expect(JSON.parse(client.said[1]!)).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode' });
    expect(client.ended.sort()).toEqual([1, 5, 7]);
  });

  const webpod = () =>
    served()
      .lab.kubelet.list()
      .find(({ name }) => name.startsWith('webpod-'))!;
  const forwarded = async (port: string): Promise<SpdyClient> => {
    const client = await upgraded(`${PODS}/${webpod().name}/portforward`, FORWARD);
    await client.open(1, { streamtype: 'error', port, requestid: '7' });
    await client.open(3, { streamtype: 'data', port, requestid: '7' });
    return client;
  };

  it('a port carries what client and pod say, and ends with the pod’s end', async () => {
    const client = await forwarded('80');
    client.write(3, 'GET /x HTTP/1.0\r\nHost: a\r\nConnection: close\r\n\r\n', true);
    await expect.poll(() => [...client.ended].sort()).toEqual([1, 3]);
    expect(client.said[3]).toMatch(/^HTTP\/1\.[01] 200 OK\r\n[^]*Hostname: webpod-[^]*GET \/x HTTP/);
    expect([client.said[1], client.reset]).toEqual(['', []]);
    client.leave();
  });

  it('a port that nobody listens at is told, and its stream reset', async () => {
    const client = await forwarded('81');
    await expect.poll(() => client.ended).toEqual([1]);
    await expect.poll(() => client.reset).toEqual([3]);
    expect(client.said[1]).toBe(
      `error forwarding port to pod default/${webpod().name}: connection refused: nobody listens at port 81`,
    );
    client.leave();
  });

  it.each([
    { name: 'an unknown protocol', path: `${PODS}/curl-pod/exec?command=ls`, protocol: 'v1', status: 400 },
    { name: 'the protocol of ports for a program', path: `${PODS}/curl-pod/attach`, protocol: FORWARD, status: 400 },
    { name: 'another kind', path: '/api/v1/namespaces/default/services/webpod/exec', protocol: EXEC, status: 404 },
    { name: 'a pod that is not there', path: `${PODS}/none/portforward`, protocol: FORWARD, status: 404 },
  ])('is refused: $name', async ({ path, protocol, status }) =>
    expect(await SpdyClient.upgrade(served(), path, protocol)).toBe(status),
  );

  it('whoever is attached, and follows the log, has what a pod writes until it is gone', async () => {
    const pod = webpod();
    const path = `${PODS}/${pod.name}`;
    pod.log.write('before\n');
    const client = await upgraded(`${path}/attach?stdout=true`, EXEC);
    await client.open(1, { streamtype: 'error' });
    await client.open(3, { streamtype: 'stdout' });
    const follower = await served().watch(`${path}/log?follow=true&tailLines=0`);
    // Until a line comes, the server may not have its streams yet.
    await expect.poll(() => (pod.log.write('"again"\n'), client.said[3] ?? '')).toContain('"again"');
    expect(await follower.next()).toBe('again');
    // What happens to others ends nothing.
    const other = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'other' },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    };
    expect((await served().ask('POST', PODS, { body: other })).status).toBe(201);
    pod.log.write('"last"\n');
    await expect.poll(() => client.said[3]).toMatch(/^("again"\n)+"last"\n$/);
    await served().ask('DELETE', path);
    await client.closed;
    expect(client.said[1]).toBe('{"metadata":{},"status":"Success"}');
    let line: unknown = 'again';
    while (line === 'again') line = await follower.next();
    expect([line, await follower.next()]).toEqual(['last', undefined]);
  });
});
