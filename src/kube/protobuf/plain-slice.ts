import { FieldReader, LABEL, NONE, SUBDOMAIN, fitted } from '../intake/field-reader.js';
import { TRIGGER_TIME, Taken } from '../intake/intake.js';
import { endpointPorts } from '../intake/ports.js';
import { IMPORT_NAME_LABEL, SERVICE_NAME_LABEL, targetOf } from '../intake/trim-slice.js';
import type { EndpointPort, FieldChoice, KubeEndpoint } from '../objects/objects.js';
import type { ProtobufCursor } from './cursor.js';
import { readMessage, type MessageFields } from './message.js';
import { PlainMetadata, PlainRepeated, plainAddress, tagOf, type PlainReader } from './plain.js';
import { ENDPOINT_PORT_FIELDS, objectFields } from './tables.js';

/** Of a slice. */
const METADATA = tagOf(1);
const ENDPOINT = tagOf(2);
const PORT = tagOf(3);
const ADDRESS_TYPE = tagOf(4);
/** Of an endpoint. */
const ADDRESS = tagOf(1);
const CONDITIONS = tagOf(2);
const HOSTNAME = tagOf(3);
const TARGET = tagOf(4);
const NODE = tagOf(6);
const ZONE = tagOf(7);
/** Of its conditions. */
const [READY, SERVING, TERMINATING] = [1 << 3, 2 << 3, 3 << 3];
/** Of a reference to an object. */
const TARGET_NAME = tagOf(3);

/** Slices of services of this cluster, of endpoints that have one address each. */
export class PlainSlices implements PlainReader {
  private readonly reader: FieldReader;
  private readonly metadata: PlainMetadata;
  private readonly ports: PlainRepeated<readonly EndpointPort[]>;
  private readonly endpoints: KubeEndpoint[] = [];
  private readonly conditions = new PlainConditions();
  private readonly endpointFields: MessageFields;

  constructor(choice: FieldChoice) {
    this.reader = new FieldReader(choice);
    this.metadata = new PlainMetadata(this.reader.interner, SERVICE_NAME_LABEL, TRIGGER_TIME, IMPORT_NAME_LABEL);
    this.endpointFields = objectFields('EndpointSlice', choice)![2]!.fields!;
    this.ports = new PlainRepeated((cursor) => {
      let whole = true;
      const raw = readMessage(cursor, ENDPOINT_PORT_FIELDS);
      const ports = endpointPorts(this.reader, raw, { drop: () => (whole = false) });
      return whole ? ports : undefined;
    });
  }

  read(cursor: ProtobufCursor, end: number): Taken | undefined {
    this.ports.begin();
    this.endpoints.length = 0;
    let known = false;
    let type = '';
    while (cursor.at < end) {
      const from = cursor.at;
      const tag = cursor.tag(end);
      if (tag === ENDPOINT) {
        if (!this.endpoint(cursor, cursor.lengthEnd(end))) return undefined;
      } else if (tag === PORT) {
        if (!this.ports.add(cursor, from, end)) return undefined;
      } else if (tag === METADATA) {
        if (known || !this.metadata.read(cursor, cursor.lengthEnd(end))) return undefined;
        known = true;
      } else if (tag === ADDRESS_TYPE) type = cursor.text(end) || type;
      else if (tag >>> 3 <= 4) return undefined;
      else cursor.skip(tag & 7, end);
    }
    if (type === '') type = 'IPv4';
    return known && (type === 'IPv4' || type === 'IPv6') ? this.slice(cursor.bytes, type) : undefined;
  }

  private slice(bytes: Buffer, addressType: 'IPv4' | 'IPv6'): Taken | undefined {
    const { name, namespace, version, labels, annotations } = this.metadata;
    const ports = this.ports.value(bytes, NONE);
    const triggeredAt = annotations.value === '' ? undefined : Date.parse(annotations.value);
    if (ports === undefined || Number.isNaN(triggeredAt) || !SUBDOMAIN.test(name)) return undefined;
    return new Taken(
      {
        kind: 'EndpointSlice',
        namespace,
        name,
        service: labels.value,
        addressType,
        imported: undefined,
        endpoints: fitted(this.endpoints),
        ports,
      },
      triggeredAt,
      version,
    );
  }

  private endpoint(cursor: ProtobufCursor, end: number): boolean {
    const { conditions } = this;
    conditions.begin();
    let [address, hostname, target, node, zone] = ['', '', '', '', ''];
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === ADDRESS) {
        if (address !== '') return false;
        address = cursor.fresh(end);
      } else if (tag === CONDITIONS) {
        if (!conditions.read(cursor, cursor.lengthEnd(end))) return false;
      } else if (tag === HOSTNAME) hostname = cursor.fresh(end) || hostname;
      else if (this.endpointFields[tag >>> 3] === undefined) cursor.skip(tag & 7, end);
      else if (tag === NODE) node = cursor.text(end) || node;
      else if (tag === ZONE) zone = cursor.text(end) || zone;
      else if (tag === TARGET && target === '') target = nameOf(cursor, cursor.lengthEnd(end));
      else return false;
    }
    const ip = plainAddress(address);
    if (ip === undefined || (hostname !== '' && !LABEL.test(hostname))) return false;
    this.endpoints.push({
      addresses: [ip],
      ready: conditions.ready ?? true,
      serving: conditions.serving ?? conditions.ready ?? true,
      terminating: conditions.terminating ?? false,
      hostname: hostname === '' ? undefined : hostname,
      target: targetOf(target),
      node: this.reader.topology(node),
      zone: this.reader.topology(zone),
    });
    return true;
  }
}

/** Those of the endpoint that was read last, as far as they are told. */
class PlainConditions {
  ready: boolean | undefined;
  serving: boolean | undefined;
  terminating: boolean | undefined;
  private told = false;

  begin(): void {
    this.told = false;
    this.ready = this.serving = this.terminating = undefined;
  }

  /** False for what is no such message, and for the second of an endpoint. */
  read(cursor: ProtobufCursor, end: number): boolean {
    if (this.told) return false;
    this.told = true;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === READY) this.ready = cursor.varint(end) !== 0;
      else if (tag === SERVING) this.serving = cursor.varint(end) !== 0;
      else if (tag === TERMINATING) this.terminating = cursor.varint(end) !== 0;
      else if (tag >>> 3 <= 3) return false;
      else cursor.skip(tag & 7, end);
    }
    return true;
  }
}

/** The name in a reference to an object; empty where it has none. */
function nameOf(cursor: ProtobufCursor, end: number): string {
  let name = '';
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag === TARGET_NAME) name = cursor.fresh(end) || name;
    else cursor.skip(tag & 7, end);
  }
  return name;
}
