import protobuf from 'protobufjs';
import type { Manifest } from './fake-api.js';

/** Numbers of fields from generated.proto of k8s.io/api and k8s.io/apimachinery. */
const { root } = protobuf.parse(`
syntax = "proto2";
message TypeMeta { optional string apiVersion = 1; optional string kind = 2; }
message Unknown { optional TypeMeta typeMeta = 1; optional bytes raw = 2; optional string contentEncoding = 3;
  optional string contentType = 4; }
message RawExtension { optional bytes raw = 1; }
message WatchEvent { optional string type = 1; optional RawExtension object = 2; }
message Time { optional int64 seconds = 1; optional int32 nanos = 2; }
message FieldsV1 { optional bytes Raw = 1; }
message ManagedFieldsEntry { optional string manager = 1; optional string operation = 2; optional string apiVersion = 3;
  optional Time time = 4; optional string fieldsType = 6; optional FieldsV1 fieldsV1 = 7; }
message ListMeta { optional string selfLink = 1; optional string resourceVersion = 2; optional string continue = 3;
  optional int64 remainingItemCount = 4; }
message ObjectMeta { optional string name = 1; optional string generateName = 2; optional string namespace = 3;
  optional string selfLink = 4; optional string uid = 5; optional string resourceVersion = 6;
  optional int64 generation = 7; optional Time creationTimestamp = 8; optional Time deletionTimestamp = 9;
  map<string, string> labels = 11; map<string, string> annotations = 12;
  repeated ManagedFieldsEntry managedFields = 17; }
message StatusCause { optional string reason = 1; optional string message = 2; optional string field = 3; }
message StatusDetails { optional string name = 1; repeated StatusCause causes = 4;
  optional int32 retryAfterSeconds = 5; }
message Status { optional ListMeta metadata = 1; optional string status = 2; optional string message = 3;
  optional string reason = 4; optional StatusDetails details = 5; optional int32 code = 6; }
message IntOrString { optional int64 type = 1; optional int32 intVal = 2; optional string strVal = 3; }
message ServicePort { optional string name = 1; optional string protocol = 2; optional int32 port = 3;
  optional IntOrString targetPort = 4; optional int32 nodePort = 5; }
message ServiceSpec { repeated ServicePort ports = 1; map<string, string> selector = 2; optional string clusterIP = 3;
  optional string type = 4; repeated string externalIPs = 5; optional string sessionAffinity = 7;
  optional string externalName = 10; optional bool publishNotReadyAddresses = 13; optional string ipFamilyPolicy = 17;
  repeated string clusterIPs = 18; repeated string ipFamilies = 19; }
message LoadBalancerIngress { optional string ip = 1; optional string hostname = 2; }
message LoadBalancerStatus { repeated LoadBalancerIngress ingress = 1; }
message ServiceStatus { optional LoadBalancerStatus loadBalancer = 1; }
message Service { optional ObjectMeta metadata = 1; optional ServiceSpec spec = 2; optional ServiceStatus status = 3; }
message EndpointConditions { optional bool ready = 1; optional bool serving = 2; optional bool terminating = 3; }
message ObjectReference { optional string kind = 1; optional string namespace = 2; optional string name = 3; }
message Endpoint { repeated string addresses = 1; optional EndpointConditions conditions = 2;
  optional string hostname = 3; optional ObjectReference targetRef = 4; optional string nodeName = 6;
  optional string zone = 7; }
message EndpointPort { optional string name = 1; optional string protocol = 2; optional int32 port = 3; }
message EndpointSlice { optional ObjectMeta metadata = 1; repeated Endpoint endpoints = 2;
  repeated EndpointPort ports = 3; optional string addressType = 4; }
message ContainerPort { optional string name = 1; optional int32 containerPort = 3; optional string protocol = 4; }
message Container { optional string name = 1; optional string image = 2; repeated ContainerPort ports = 6; }
message PodDNSConfigOption { optional string name = 1; optional string value = 2; }
message PodDNSConfig { repeated string nameservers = 1; repeated string searches = 2;
  repeated PodDNSConfigOption options = 3; }
message PodSpec { repeated Container containers = 2; optional string dnsPolicy = 6;
  optional PodDNSConfig dnsConfig = 26; optional string nodeName = 10; optional bool hostNetwork = 11;
  optional string hostname = 16; optional string subdomain = 17; }
message PodIP { optional string ip = 1; }
message PodCondition { optional string type = 1; optional string status = 2; }
message PodStatus { optional string phase = 1; repeated PodCondition conditions = 2; optional string podIP = 6;
  repeated PodIP podIPs = 12; }
message Pod { optional ObjectMeta metadata = 1; optional PodSpec spec = 2; optional PodStatus status = 3; }
message Namespace { optional ObjectMeta metadata = 1; }
message NodeSpec { optional string podCIDR = 1; repeated string podCIDRs = 7; }
message NodeAddress { optional string type = 1; optional string address = 2; }
message NodeStatus { repeated NodeAddress addresses = 5; }
message Node { optional ObjectMeta metadata = 1; optional NodeSpec spec = 2; optional NodeStatus status = 3; }
message List { optional ListMeta metadata = 1; repeated bytes items = 2; }
`);

/** What a list says beside its items. */
interface ListMetadata {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

const MAGIC = Buffer.from('k8s\0', 'latin1');

/** Whether the API has objects of that kind in protobuf: those of the resources that come with it. */
export const hasProtobuf = (kind: string): boolean => root.get(kind) !== null;

function message(type: string, value: object): Uint8Array {
  const found = root.lookupType(type);
  return found.encode(found.fromObject(value)).finish();
}

/** The value as protobuf has it, where that is not as JSON has it. */
function converted(key: string, value: unknown): unknown {
  if (/Timestamp$|^time$/.test(key) && typeof value === 'string') return { seconds: Date.parse(value) / 1000 };
  if (key === 'targetPort') return typeof value === 'string' ? { type: 1, strVal: value } : { type: 0, intVal: value };
  if (key === 'fieldsV1') return { Raw: Buffer.from(JSON.stringify(value)) };
  if (Array.isArray(value)) return value.map((item) => converted('', item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, converted(name, member)]));
}

const bare = (kind: string, object: unknown): Uint8Array => message(kind, converted('', object) as object);

function enveloped(kind: string, apiVersion: string, raw: Uint8Array): Buffer {
  // As Kubernetes writes them, empty texts are there, too.
  const unknown = { typeMeta: { apiVersion, kind }, raw, contentEncoding: '', contentType: '' };
  return Buffer.concat([MAGIC, message('Unknown', unknown)]);
}

/** An object as it stands in a list: without the envelope. */
export const protobufMessage = (object: Pick<Manifest, 'kind'>): Buffer => Buffer.from(bare(object.kind, object));

/** An object in `application/vnd.kubernetes.protobuf`. */
export function protobufObject(object: Pick<Manifest, 'kind' | 'apiVersion'>): Buffer {
  return enveloped(object.kind, object.apiVersion ?? 'v1', bare(object.kind, object));
}

/** A list in `application/vnd.kubernetes.protobuf`. */
export function protobufList(kind: string, metadata: ListMetadata, objects: readonly Manifest[]): Buffer {
  const items = objects.map((object) => bare(kind, object));
  return enveloped(`${kind}List`, objects[0]?.apiVersion ?? 'v1', message('List', { metadata, items }));
}

/** Bytes as a frame of a watch. */
export function protobufFrame(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** An event of a watch in `application/vnd.kubernetes.protobuf;stream=watch`. */
export function protobufEvent(type: string, object: Pick<Manifest, 'kind' | 'apiVersion'>): Buffer {
  return protobufFrame(message('WatchEvent', { type, object: { raw: protobufObject(object) } }));
}
