import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Intake, Taken } from '../../src/kube/intake/intake.js';
import { ALL_FIELDS, DNS_FIELDS, type FieldChoice, type KubeKind } from '../../src/kube/objects/objects.js';
import { ProtobufCursor } from '../../src/kube/protobuf/cursor.js';
import { readMessage } from '../../src/kube/protobuf/message.js';
import { ProtobufObjectReader } from '../../src/kube/protobuf/objects.js';
import { objectFields } from '../../src/kube/protobuf/tables.js';
import type { Manifest } from '../support/fake-api.js';
import { protobufMessage } from '../support/kube-protobuf.js';
import { RecordedLog } from '../support/kube.js';

const SLICE_FIELDS = { ...DNS_FIELDS, targets: true, topology: true };
const takenFrom = (kind: KubeKind, fields: FieldChoice, raw: unknown): unknown =>
  new Intake({ kinds: [kind], fields, log: new RecordedLog() }).take(kind, raw);
const readers = {
  Service: ProtobufObjectReader.of('Service', DNS_FIELDS)!,
  EndpointSlice: ProtobufObjectReader.of('EndpointSlice', SLICE_FIELDS)!,
};
type Kind = keyof typeof readers;
const fieldsOf = (kind: Kind): FieldChoice => (kind === 'Service' ? DNS_FIELDS : SLICE_FIELDS);
const readQuickly = (kind: Kind, bytes: Buffer): unknown =>
  readers[kind].read(new ProtobufCursor(bytes, 0, bytes.length));

const SERVICE = 'kubernetes.io/service-name';
const metadata = (rest: object = {}): Manifest['metadata'] => ({
  name: 'web',
  namespace: 'shop',
  uid: '6e9bb1f2',
  resourceVersion: '17',
  labels: { app: 'web' },
  ...rest,
});
const ports = [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }];
const service = (spec: object, rest: object = {}): Manifest => ({
  kind: 'Service',
  metadata: metadata(),
  spec: { ports, clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'], ipFamilies: ['IPv4'], type: 'ClusterIP', ...spec },
  status: { loadBalancer: {} },
  ...rest,
});
const endpoint = (rest: object = {}): object => ({
  addresses: ['172.20.0.1'],
  conditions: { ready: true, serving: true, terminating: false },
  nodeName: 'k8s-w1',
  ...rest,
});
const slice = (endpoints: readonly object[], rest: object = {}, meta: object = {}): Manifest => ({
  kind: 'EndpointSlice',
  metadata: metadata({ labels: { app: 'web', [SERVICE]: 'web' }, ...meta }),
  addressType: 'IPv4',
  endpoints,
  ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  ...rest,
});
const trigger = (time: string): object => ({
  annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': time, other: 'x' },
});

describe('objects as nearly all are', () => {
  it.each<{ name: string; object: Manifest }>([
    { name: 'a service', object: service({}) },
    { name: 'a headless service', object: service({ clusterIP: 'None', clusterIPs: ['None'] }) },
    {
      name: 'a service with two addresses',
      object: service({ clusterIPs: ['fd00:0::7', '10.96.0.7'], ipFamilies: ['IPv6', 'IPv4'] }),
    },
    { name: 'a service without the list of addresses', object: service({ clusterIPs: [] }) },
    { name: 'a service that does not wait', object: service({ publishNotReadyAddresses: true, type: 'NodePort' }) },
    { name: 'a service without ports', object: service({ ports: [] }) },
    { name: 'a slice', object: slice([endpoint()]) },
    { name: 'a slice without endpoints and ports', object: slice([], { ports: [] }) },
    { name: 'a slice without a service', object: slice([endpoint()], {}, { labels: {} }) },
    { name: 'a slice of IPv6', object: slice([endpoint({ addresses: ['fd00:0::1'] })], { addressType: 'IPv6' }) },
    { name: 'a slice that tells when', object: slice([endpoint()], {}, trigger('2025-07-30T05:41:20Z')) },
    {
      name: 'a slice of pods with names',
      object: slice([
        endpoint({ hostname: 'web-0', targetRef: { kind: 'Pod', name: 'web-0' }, zone: 'west' }),
        endpoint({ conditions: {}, targetRef: { kind: 'Pod', name: 'a'.repeat(64) } }),
        endpoint({ conditions: { ready: false, terminating: true }, nodeName: '' }),
      ]),
    },
  ])('are read at once: $name', ({ object }) => {
    const kind = object.kind as Kind;
    const got = readQuickly(kind, protobufMessage(object));
    expect(got).toBeInstanceOf(Taken);
    expect(got).toEqual(takenFrom(kind, fieldsOf(kind), object));
  });

  it('share their ports', () => {
    const [one, other] = ['a', 'b'].map((name) => service({}, { metadata: metadata({ name }) }));
    const [first, second] = [one!, other!].map((object) => readQuickly('Service', protobufMessage(object)) as Taken);
    expect((first!.object as { ports: unknown }).ports).toBe((second!.object as { ports: unknown }).ports);
  });
});

describe('what is out of the ordinary', () => {
  it.each<{ name: string; object: Manifest }>([
    { name: 'a name that is none', object: service({}, { metadata: metadata({ name: 'Web' }) }) },
    { name: 'a namespace that is none', object: service({}, { metadata: metadata({ namespace: 'a.b' }) }) },
    { name: 'an address that is none', object: service({ clusterIPs: ['10.96.0.300'] }) },
    { name: 'a name outside', object: service({ type: 'ExternalName', externalName: 'example.org' }) },
    { name: 'addresses outside', object: service({ externalIPs: ['192.0.2.1'] }) },
    { name: 'a load balancer', object: service({}, { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }) },
    { name: 'an unknown type', object: service({ type: 'Other' }) },
    { name: 'a port that is none', object: service({ ports: [{ name: 'x', port: 70_000 }] }) },
    { name: 'two addresses of an endpoint', object: slice([endpoint({ addresses: ['172.20.0.1', '172.20.0.2'] })]) },
    { name: 'an endpoint without address', object: slice([endpoint({ addresses: [] }), endpoint()]) },
    { name: 'names in place of addresses', object: slice([endpoint({ addresses: ['a.b'] })], { addressType: 'FQDN' }) },
    { name: 'a host name that is none', object: slice([endpoint({ hostname: 'A_B' })]) },
    { name: 'a time that is none', object: slice([endpoint()], {}, trigger('yesterday')) },
    {
      name: 'a slice of another cluster',
      object: slice([endpoint()], {}, { labels: { 'multicluster.kubernetes.io/service-name': 'web' } }),
    },
  ])('is read by the general rules: $name', ({ object }) => {
    const kind = object.kind as Kind;
    const got = readQuickly(kind, protobufMessage(object));
    expect(got).not.toBeInstanceOf(Taken);
    expect(takenFrom(kind, fieldsOf(kind), got)).toEqual(takenFrom(kind, fieldsOf(kind), object));
  });

  it.each([
    { name: 'labels and selectors', fields: ALL_FIELDS },
    { name: 'labels', fields: { ...DNS_FIELDS, labels: true } },
    { name: 'selectors', fields: { ...DNS_FIELDS, selectors: true } },
  ])('are $name that are kept', ({ fields }) => {
    const object = service({ selector: { app: 'web' } });
    const bytes = protobufMessage(object);
    const got = ProtobufObjectReader.of('Service', fields)!.read(new ProtobufCursor(bytes, 0, bytes.length));
    expect(takenFrom('Service', fields, got)).toEqual(takenFrom('Service', fields, object));
  });

  const part = (field: number, ...bytes: readonly number[]): number[] => [(field << 3) | 2, bytes.length, ...bytes];
  it('are conditions of text, which are none', () => {
    const conditions = Buffer.from(part(2, ...part(1, ...Buffer.from('172.20.0.1')), ...part(2, ...part(3, 1))));
    const bytes = Buffer.concat([protobufMessage(slice([])), conditions]);
    expect(() => readQuickly('EndpointSlice', bytes)).toThrow('terminating, field 3, has the wire type 2');
  });

  it.each([
    { name: 'told twice', conditions: [...part(2, 1 << 3, 0), ...part(2, 2 << 3, 1)], quick: false },
    { name: 'and what nobody knows', conditions: part(2, 1 << 3, 0, 4 << 3, 1, ...part(5, 7), 3 << 3, 1), quick: true },
  ])('are conditions of an endpoint $name: $quick', ({ conditions, quick }) => {
    const address = part(1, ...Buffer.from('172.20.0.1'));
    const bytes = Buffer.concat([protobufMessage(slice([])), Buffer.from(part(2, ...address, ...conditions))]);
    const got = readQuickly('EndpointSlice', bytes);
    expect(got instanceof Taken).toBe(quick);
    expect(takenFrom('EndpointSlice', SLICE_FIELDS, got)).toEqual(generally('EndpointSlice', bytes));
  });
});

/** What the general rules make of the bytes, or the error that they end in. */
function generally(kind: Kind, bytes: Buffer): unknown {
  const fields = objectFields(kind, fieldsOf(kind))!;
  return takenFrom(kind, fieldsOf(kind), readMessage(new ProtobufCursor(bytes, 0, bytes.length), fields));
}

describe('whatever the bytes are', () => {
  const samples: readonly (readonly [Kind, Buffer])[] = [
    ['Service', protobufMessage(service({ clusterIPs: ['fd00::7', '10.96.0.7'], ipFamilies: ['IPv6', 'IPv4'] }))],
    ['Service', protobufMessage(service({ publishNotReadyAddresses: true, ports: [...ports, ...ports] }))],
    [
      'EndpointSlice',
      protobufMessage(
        slice(
          [endpoint({ hostname: 'web-0', targetRef: { kind: 'Pod', name: 'web-0' }, zone: 'west' }), endpoint()],
          {},
          trigger('2025-07-30T05:41:20Z'),
        ),
      ),
    ],
  ];

  it.each([
    { name: 'cut short', change: (bytes: Buffer, at: number) => bytes.subarray(0, at) },
    {
      name: 'with a byte changed',
      change: (bytes: Buffer, at: number, value: number) => Buffer.from(bytes).fill(value, at, at + 1),
    },
    {
      name: 'with a byte left out',
      change: (bytes: Buffer, at: number) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
    },
    {
      name: 'with a part twice',
      change: (bytes: Buffer, at: number, length: number) =>
        Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]),
    },
  ])('an object is the same as by the general rules: $name', ({ change }) => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), fc.nat(255), ([kind, sample], at, value) => {
        const bytes = change(sample, at % sample.length, value);
        let want: unknown;
        try {
          want = generally(kind, bytes);
        } catch (error) {
          // What nobody wants is not looked into: not every fault in it is found.
          expect(error).toBeInstanceOf(SyntaxError);
          return;
        }
        expect(takenFrom(kind, fieldsOf(kind), readQuickly(kind, bytes))).toEqual(want);
      }),
      { numRuns: 400 },
    );
  });
});
