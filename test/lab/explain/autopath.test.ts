import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAB_FOLDER } from '../../../src/lab/topology/load.js';
import { drivenLab, type Driven } from '../lab.js';

const manifest = readFileSync(path.join(LAB_FOLDER, 'manifests/node-local-dns-lrp.yaml'), 'utf8');
const walking = manifest
  .replace('- -skipteardown=true', '- -autopath\n            - -skipteardown=true')
  .replace(
    'ports:\n            - { name: dns, containerPort',
    'env: [{ name: NODE_NAME, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }]\n          $&',
  );

describe('explain, with a node cache that walks search lists', () => {
  let driven: Driven;
  beforeAll(async () => {
    driven = await drivenLab({ 'walking.yaml': walking });
    await driven.run('kubectl apply -f walking.yaml');
    await driven.run('kubectl apply -f ../manifests/lrp.yaml');
  });
  afterAll(() => driven.end());

  it('makes two queries of ten, and says why', async () => {
    const { text, code } = await driven.run('explain -v google.com');
    expect(code).toBe(0);
    expect(text).toContain('google.com has 142.250.196.110, 2404:6800:4004:825::200e');
    expect(text).toContain('cost: 2 queries, 4 packets');
    expect(text).toContain(
      "autopath walked the pod's search list in its place: google.com.svc.cluster.local. NXDOMAIN, " +
        'google.com.cluster.local. NXDOMAIN, google.com.davolink. NXDOMAIN, google.com. NOERROR',
    );
  });

  it('says nothing of it where nothing was walked', async () => {
    const { text } = await driven.run('explain -v webpod');
    expect(text).not.toContain('autopath');
  });
});
