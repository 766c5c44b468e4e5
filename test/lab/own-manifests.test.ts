import { afterAll, beforeAll, expect, it } from 'vitest';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

const MINE = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: mine }\n';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab({ 'manifests/lrp.yaml': MINE });
});
afterAll(() => driven.end());

it.each([
  { name: 'from any folder', file: 'manifests/webpod.yaml', want: /^deployment\.apps\/webpod unchanged$/m },
  { name: 'as in the clone', file: 'lab/manifests/webpod.yaml', want: /^deployment\.apps\/webpod unchanged$/m },
  { name: "a file of the user's goes first", file: 'manifests/lrp.yaml', want: /^configmap\/mine created$/m },
  { name: 'none of that name', file: 'manifests/none.yaml', want: /cannot read manifests\/none\.yaml: no such file/ },
  { name: 'out of the folder', file: 'manifests/../two-nodes.yaml', want: /cannot read \S+: no such file/ },
])('kubectl apply -f $file: $name', async ({ file, want }) =>
  expect((await driven.run(`kubectl apply -f ${file}`)).text).toMatch(want),
);
