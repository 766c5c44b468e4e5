import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meant, missingProgram, nearest } from '../../src/lab/commands/missing.js';
import { describeService, describeSlice } from '../../src/lab/commands/kubectl/describe/service.js';
import { describeTemplate } from '../../src/lab/commands/kubectl/describe/pod.js';
import { Sheet } from '../../src/lab/commands/kubectl/describe/sheet.js';
import { roundTrips } from '../../src/lab/commands/pod/in-pod.js';
import { COMMAND_LINES } from './command-lines.js';
import { DESCRIBED } from './described.js';
import { drivenLab, type Driven } from './lab.js';
import { AWK_LINES } from './lines/awk.js';
import { CHANGE_LINES } from './lines/changes.js';
import { NODE_LINES } from './lines/node.js';
import { OBJECT_LINES } from './lines/objects.js';
import { POD_LINES } from './lines/pods.js';
import { TEXT_LINES } from './lines/text.js';

describe.each([
  { name: 'of all kinds', lines: COMMAND_LINES },
  { name: 'that show objects or work on text', lines: [...OBJECT_LINES, ...AWK_LINES, ...TEXT_LINES] },
  { name: 'that change objects', lines: CHANGE_LINES },
  { name: 'that run programs in pods', lines: POD_LINES },
  { name: 'that run programs on nodes', lines: NODE_LINES },
])('lines of one session, one after the other, $name', ({ lines }) => {
  let driven: Driven;
  beforeAll(async () => {
    driven = await drivenLab();
  });
  afterAll(() => driven.end());

  it.each(lines.map(([line, want, code = 0]) => ({ line, want, code })))('$line', async ({ line, want, code }) => {
    let text = '';
    const { signal } = new AbortController();
    const ended = await driven.drive(
      driven.session.run(line, {
        write: (part) => (text += part),
        error: (part) => (text += `!${part}`),
        signal,
        interactive: true,
        terminal: true,
      }),
    );
    expect({ text, code: ended }).toEqual({ text: want, code });
  });
});

const TEMPLATE = {
  metadata: { labels: { b: '2', a: '1' }, annotations: { note: 'x' } },
  spec: {
    serviceAccountName: 'robot',
    priorityClassName: 'high',
    nodeSelector: { disk: 'ssd' },
    tolerations: [
      { operator: 'Exists' },
      { key: 'a', operator: 'Exists' },
      { key: 'a', operator: 'Exists', effect: 'NoSchedule' },
      { key: 'a', value: 'b', effect: 'NoExecute' },
      { key: 'a', value: 'b', operator: 'Equal' },
    ],
    containers: [
      {
        name: 'one',
        image: 'one:1',
        ports: [{ containerPort: 80 }, { containerPort: 53, hostPort: 5353, protocol: 'UDP' }],
        command: ['sh', '-c'],
        args: ['echo a\necho b'],
        resources: { limits: { memory: '170Mi', cpu: '1' }, requests: { cpu: '100m' } },
        livenessProbe: {
          httpGet: { path: '/health', port: 8080, scheme: 'HTTPS', host: 'h' },
          initialDelaySeconds: 60,
        },
        readinessProbe: { tcpSocket: { port: 53 }, periodSeconds: 5, timeoutSeconds: 2 },
        startupProbe: { exec: { command: ['ls', '-l'] }, successThreshold: 2, failureThreshold: 7 },
        env: [
          { name: 'A', value: 'b' },
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        ],
        volumeMounts: [
          { mountPath: '/b', name: 'v1' },
          { mountPath: '/a', name: 'v2', readOnly: true },
        ],
      },
      { name: 'two', image: 'two:2', livenessProbe: { grpc: { port: 1 } } },
    ],
    volumes: [
      { name: 'v1', configMap: { name: 'cm', optional: true } },
      { name: 'v2', hostPath: { path: '/lib', type: 'Directory' } },
      { name: 'v3', emptyDir: {} },
      { name: 'v4', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
      { name: 'v5', secret: { secretName: 's' } },
      { name: 'v6', nfs: {} },
    ],
  },
};
const described = (template: object): string => {
  const sheet = new Sheet();
  describeTemplate(sheet, template as never);
  return sheet.text();
};
const SERVICE = {
  metadata: { name: 's', namespace: 'default' },
  spec: {
    type: 'NodePort',
    clusterIP: '10.96.0.1',
    ports: [{ name: 'dns', port: 53, targetPort: 'dns', nodePort: 30_053, protocol: 'UDP' }],
    externalTrafficPolicy: 'Local',
    sessionAffinity: 'None',
  },
};
const slice = (count: number) => ({
  metadata: { name: 's-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 's' } },
  addressType: 'IPv4',
  ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
  endpoints: Array.from({ length: count }, (_, i) => ({
    addresses: [i === 1 ? 'fd00::1' : `10.0.0.${i}`],
    conditions: { ready: i !== 5 },
    ...(i === 0 && { targetRef: { kind: 'Pod', name: 'p' }, nodeName: 'n', zone: 'z', hostname: 'h' }),
  })),
});

describe('kubectl describe', () => {
  it.each([
    { name: 'a template', text: () => described(TEMPLATE) },
    { name: 'an empty template', text: () => described({}) },
    { name: 'a service of five', text: () => describeService(SERVICE, [slice(6)]) },
    { name: 'a service of three', text: () => describeService(SERVICE, [slice(3)]) },
    { name: 'a slice', text: () => describeSlice(slice(2)) },
    { name: 'an empty slice', text: () => describeSlice({ ...slice(0), ports: [{}] }) },
  ])('$name', ({ name, text }) => expect(text()).toBe(DESCRIBED[name]));
});

it('ping: the least, the mean, the most and the spread of its round trips', () => {
  expect(roundTrips([1, 2, 3])).toBe('rtt min/avg/max/mdev = 1.000/2.000/3.000/0.816 ms\n');
  expect(roundTrips([4])).toBe('rtt min/avg/max/mdev = 4.000/4.000/4.000/0.000 ms\n');
  expect(roundTrips([])).toBe('');
});

describe('the word that was meant', () => {
  it.each([
    { title: 'one letter changed', typed: 'grap', known: ['grep', 'sed'], near: 'grep' },
    { title: 'the first letter changed', typed: 'crep', known: ['grep'], near: 'grep' },
    { title: 'one left out', typed: 'gep', known: ['grep'], near: 'grep' },
    { title: 'the last one left out', typed: 'gre', known: ['grep'], near: 'grep' },
    { title: 'one added', typed: 'greep', known: ['grep'], near: 'grep' },
    { title: 'one added in front', typed: 'xgrep', known: ['grep'], near: 'grep' },
    { title: 'the first two in the wrong order', typed: 'rgep', known: ['grep'], near: 'grep' },
    { title: 'two in the middle in the wrong order', typed: 'gerp', known: ['grep'], near: 'grep' },
    { title: 'the last two in the wrong order', typed: 'grpe', known: ['grep'], near: 'grep' },
    { title: 'two changed in a word of four', typed: 'graa', known: ['grep'], near: undefined },
    { title: 'two apart changed places', typed: 'pegr', known: ['grep'], near: undefined },
    { title: 'two wrong in a word of six', typed: 'uinqqe', known: ['unique', 'uniqueness'], near: 'unique' },
    { title: 'two changed in a word of seven', typed: 'kabectx', known: ['kubectl'], near: 'kubectl' },
    { title: 'two pairs in the wrong order', typed: 'ukbeclt', known: ['kubectl'], near: 'kubectl' },
    { title: 'three changed in a word of seven', typed: 'kabexxl', known: ['kubectl'], near: undefined },
    { title: 'one wrong in a word of two', typed: 'lx', known: ['ls'], near: 'ls' },
    { title: 'the nearer of two', typed: 'kubectk', known: ['kubectx', 'kubecfgs', 'kubectkl'], near: 'kubectkl' },
    { title: 'the first by name of those as near', typed: 'cat', known: ['cut', 'bat', 'cap'], near: 'bat' },
    { title: 'the word itself', typed: 'a', known: ['b', 'a'], near: 'a' },
    { title: 'none', typed: 'nothing', known: [], near: undefined },
  ])('$title', ({ typed, known, near }) => {
    expect(nearest(typed, known)).toBe(near);
    expect(meant(typed, known)).toBe(near === undefined ? '' : `; did you mean ${near}?`);
    expect(missingProgram(typed, known)).toBe(
      `${typed}: command not found; ${near === undefined ? 'help lists what there is' : `did you mean ${near}?`}`,
    );
  });
});
