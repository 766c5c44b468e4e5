import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeService, describeSlice } from '../../src/lab/commands/kubectl/describe/service.js';
import { describeTemplate } from '../../src/lab/commands/kubectl/describe/pod.js';
import { Sheet } from '../../src/lab/commands/kubectl/describe/sheet.js';
import { COMMAND_LINES } from './command-lines.js';
import { DESCRIBED } from './described.js';
import { drivenLab, type Driven } from './lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());

describe('lines of one session, one after the other', () => {
  it.each(COMMAND_LINES.map(([line, want, code = 0]) => ({ line, want, code })))(
    '$line',
    async ({ line, want, code }) => {
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
    },
  );
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
