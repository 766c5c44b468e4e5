import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { WRITTEN_KINDS, readWritten } from '../../src/kube/protobuf/written.js';

/** Numbers of fields from generated.proto of k8s.io/api and k8s.io/apimachinery, Kubernetes 1.32. */
const { root } = protobuf.parse(`
syntax = "proto2";
message TypeMeta { optional string apiVersion = 1; optional string kind = 2; }
message Unknown { optional TypeMeta typeMeta = 1; optional bytes raw = 2; }
message ObjectMeta { optional string name = 1; optional string generateName = 2; optional string namespace = 3;
  optional string uid = 5; optional string resourceVersion = 6; map<string, string> labels = 11;
  map<string, string> annotations = 12; }
message IntOrString { optional int64 type = 1; optional int32 intVal = 2; optional string strVal = 3; }
message Requirement { optional string key = 1; optional string operator = 2; repeated string values = 3; }
message LabelSelector { map<string, string> matchLabels = 1; repeated Requirement matchExpressions = 2; }
message ExecAction { repeated string command = 1; }
message HTTPGetAction { optional string path = 1; optional IntOrString port = 2; optional string host = 3;
  optional string scheme = 4; }
message TCPSocketAction { optional IntOrString port = 1; optional string host = 2; }
message GRPCAction { optional int32 port = 1; optional string service = 2; }
message ProbeHandler { optional ExecAction exec = 1; optional HTTPGetAction httpGet = 2;
  optional TCPSocketAction tcpSocket = 3; optional GRPCAction grpc = 4; }
message Probe { optional ProbeHandler handler = 1; optional int32 initialDelaySeconds = 2;
  optional int32 timeoutSeconds = 3; optional int32 periodSeconds = 4; optional int32 successThreshold = 5;
  optional int32 failureThreshold = 6; }
message ContainerPort { optional string name = 1; optional int32 hostPort = 2; optional int32 containerPort = 3;
  optional string protocol = 4; }
message FieldRef { optional string apiVersion = 1; optional string fieldPath = 2; }
message EnvVarSource { optional FieldRef fieldRef = 1; }
message EnvVar { optional string name = 1; optional string value = 2; optional EnvVarSource valueFrom = 3; }
message VolumeMount { optional string name = 1; optional bool readOnly = 2; optional string mountPath = 3;
  optional string subPath = 4; }
message Container { optional string name = 1; optional string image = 2; repeated string command = 3;
  repeated string args = 4; repeated ContainerPort ports = 6; repeated EnvVar env = 7;
  repeated VolumeMount volumeMounts = 9; optional Probe livenessProbe = 10; optional Probe readinessProbe = 11;
  optional string imagePullPolicy = 14; optional bool stdin = 16; optional bool tty = 18;
  optional Probe startupProbe = 22; }
message HostPath { optional string path = 1; optional string type = 2; }
message EmptyDir { optional string medium = 1; }
message Secret { optional string secretName = 1; }
message LocalObjectReference { optional string name = 1; }
message KeyToPath { optional string key = 1; optional string path = 2; }
message ConfigMapVolume { optional LocalObjectReference localObjectReference = 1; repeated KeyToPath items = 2;
  optional bool optional = 4; }
message VolumeSource { optional HostPath hostPath = 1; optional EmptyDir emptyDir = 2; optional Secret secret = 6;
  optional ConfigMapVolume configMap = 19; }
message Volume { optional string name = 1; optional VolumeSource volumeSource = 2; }
message Toleration { optional string key = 1; optional string operator = 2; optional string value = 3;
  optional string effect = 4; }
message DNSOption { optional string name = 1; optional string value = 2; }
message DNSConfig { repeated string nameservers = 1; repeated string searches = 2; repeated DNSOption options = 3; }
message PodSpec { repeated Volume volumes = 1; repeated Container containers = 2; optional string restartPolicy = 3;
  optional string dnsPolicy = 6; map<string, string> nodeSelector = 7; optional string serviceAccountName = 8;
  optional string nodeName = 10; optional bool hostNetwork = 11; optional string hostname = 16;
  optional string subdomain = 17; repeated Toleration tolerations = 22; optional string priorityClassName = 24;
  optional DNSConfig dnsConfig = 26; }
message Template { optional ObjectMeta metadata = 1; optional PodSpec spec = 2; }
message RollingUpdate { optional IntOrString maxUnavailable = 1; optional IntOrString maxSurge = 2; }
message Strategy { optional string type = 1; optional RollingUpdate rollingUpdate = 2; }
message Preconditions { optional string uid = 1; optional string resourceVersion = 2; }
message DeleteOptions { optional int64 gracePeriodSeconds = 1; optional Preconditions preconditions = 2;
  optional bool orphanDependents = 3; optional string propagationPolicy = 4; repeated string dryRun = 5; }
message PolicyRule { repeated string verbs = 1; repeated string apiGroups = 2; repeated string resources = 3;
  repeated string resourceNames = 4; repeated string nonResourceURLs = 5; }
message ClusterRole { optional ObjectMeta metadata = 1; repeated PolicyRule rules = 2; }
message Subject { optional string kind = 1; optional string apiGroup = 2; optional string name = 3;
  optional string namespace = 4; }
message RoleRef { optional string apiGroup = 1; optional string kind = 2; optional string name = 3; }
message ClusterRoleBinding { optional ObjectMeta metadata = 1; repeated Subject subjects = 2;
  optional RoleRef roleRef = 3; }
message ConfigMap { optional ObjectMeta metadata = 1; map<string, string> data = 2; optional bool immutable = 4; }
message DaemonSetSpec { optional LabelSelector selector = 1; optional Template template = 2;
  optional Strategy updateStrategy = 3; }
message DaemonSet { optional ObjectMeta metadata = 1; optional DaemonSetSpec spec = 2; }
message DeploymentSpec { optional int32 replicas = 1; optional LabelSelector selector = 2;
  optional Template template = 3; optional Strategy strategy = 4; optional bool paused = 7;
  optional int32 progressDeadlineSeconds = 9; }
message Deployment { optional ObjectMeta metadata = 1; optional DeploymentSpec spec = 2; }
message Eviction { optional ObjectMeta metadata = 1; optional DeleteOptions deleteOptions = 2; }
message Namespace { optional ObjectMeta metadata = 1; }
message Pod { optional ObjectMeta metadata = 1; optional PodSpec spec = 2; }
message ServicePort { optional string name = 1; optional string protocol = 2; optional int32 port = 3;
  optional IntOrString targetPort = 4; optional int32 nodePort = 5; optional string appProtocol = 6; }
message ServiceSpec { repeated ServicePort ports = 1; map<string, string> selector = 2; optional string clusterIP = 3;
  optional string type = 4; repeated string externalIPs = 5; optional string sessionAffinity = 7;
  optional string externalName = 10; optional bool publishNotReadyAddresses = 13; optional string ipFamilyPolicy = 17;
  repeated string clusterIPs = 18; repeated string ipFamilies = 19; optional string internalTrafficPolicy = 22; }
message Service { optional ObjectMeta metadata = 1; optional ServiceSpec spec = 2; }
message ObjectReference { optional string name = 3; }
message ServiceAccount { optional ObjectMeta metadata = 1; repeated ObjectReference secrets = 2; }
`);

const MAGIC = Buffer.from('k8s\0', 'latin1');

/** An object as a client that knows protobuf sends it. */
function sent(type: string, fields: object, kind = type): Buffer {
  const encode = (name: string, value: object): Uint8Array => {
    const found = root.lookupType(name);
    return found.encode(found.fromObject(value)).finish();
  };
  const unknown = { typeMeta: { apiVersion: 'v1', kind }, raw: encode(type, fields) };
  return Buffer.concat([MAGIC, encode('Unknown', unknown)]);
}

/** Messages whose members JSON has in the object around them. */
const INLINE = new Set(['volumeSource', 'handler', 'localObjectReference']);

/** A value of a field of that type, different from all others, as protobuf has it. */
let values = 0;
function made(type: protobuf.Type): Record<string, unknown> {
  if (type.name === 'IntOrString')
    return ++values % 2 === 0 ? { type: 0, intVal: values } : { type: 1, strVal: `v${values}` };
  const one = (field: protobuf.Field): unknown => {
    if (field.resolve().resolvedType instanceof protobuf.Type) return made(field.resolvedType as protobuf.Type);
    if (field.type === 'bool') return true;
    return field.type === 'string' ? `v${++values}` : ++values;
  };
  return Object.fromEntries(
    type.fieldsArray.map((field) => [
      field.name,
      field instanceof protobuf.MapField
        ? { [`k${++values}`]: `v${++values}` }
        : field.repeated
          ? [one(field), one(field)]
          : one(field),
    ]),
  );
}

/** The same as JSON has it. */
function asJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  if ('intVal' in object || 'strVal' in object) return object.intVal ?? object.strVal;
  const members = Object.entries(object).flatMap(([name, member]) =>
    INLINE.has(name) ? Object.entries(asJson(member) as object) : [[name, asJson(member)] as [string, unknown]],
  );
  return Object.fromEntries(members);
}

describe('an object that a client writes', () => {
  it.each(WRITTEN_KINDS)('is read with all that is known of it: %s', (kind) => {
    const fields = made(root.lookupType(kind));
    expect(readWritten(sent(kind, fields))).toEqual({ apiVersion: 'v1', kind, fields: asJson(fields) });
  });

  it('is read without zeros, but where they say something', () => {
    const spec = {
      ...{ replicas: 0, paused: false, progressDeadlineSeconds: 0, selector: {} },
      strategy: { rollingUpdate: { maxUnavailable: { type: 0, intVal: 0 }, maxSurge: { type: 0 } } },
      template: {
        spec: { hostNetwork: false, volumes: [{ name: 'a', volumeSource: { emptyDir: {}, hostPath: {} } }] },
      },
    };
    expect(readWritten(sent('Deployment', { metadata: {}, spec })).fields).toEqual({
      spec: {
        replicas: 0,
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } },
        template: { spec: { volumes: [{ name: 'a', emptyDir: {} }] } },
      },
    });
    expect(readWritten(sent('DeleteOptions', { gracePeriodSeconds: 0, orphanDependents: false })).fields).toEqual({
      gracePeriodSeconds: 0,
    });
  });

  it('is told to be of a kind that is not known', () =>
    expect(readWritten(sent('Namespace', {}, 'toString'))).toEqual({
      apiVersion: 'v1',
      kind: 'toString',
      fields: undefined,
    }));
});
