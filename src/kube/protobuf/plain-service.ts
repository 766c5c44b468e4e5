import { FieldReader, LABEL, NONE } from '../intake/field-reader.js';
import { Taken } from '../intake/intake.js';
import { servicePorts } from '../intake/ports.js';
import type { FieldChoice, IpFamily, ServicePort, ServiceType } from '../objects/objects.js';
import type { ProtobufCursor } from './cursor.js';
import { readMessage, type MessageFields } from './message.js';
import { PlainMetadata, PlainRepeated, plainAddress, tagOf, type PlainReader } from './plain.js';
import { objectFields, servicePortFields } from './tables.js';

/** Of a service. */
const [METADATA, SPEC, STATUS] = [tagOf(1), tagOf(2), tagOf(3)];
/** Of its `spec`. */
const PORTS = tagOf(1);
const CLUSTER_IP = tagOf(3);
const TYPE = tagOf(4);
const NOT_READY = 13 << 3;
const CLUSTER_IPS = tagOf(18);
const IP_FAMILIES = tagOf(19);
/** Bytes of a status that says nothing: that there is a load balancer with nothing to say. */
const EMPTY_STATUS = 2;

const FAMILIES: Readonly<Record<string, readonly IpFamily[]>> = { IPv4: ['IPv4'], IPv6: ['IPv6'] };

/** Services with cluster addresses, or headless, and with nothing outside the cluster. */
export class PlainServices implements PlainReader {
  private readonly reader: FieldReader;
  private readonly metadata: PlainMetadata;
  private readonly ports: PlainRepeated<readonly ServicePort[]>;
  private readonly specFields: MessageFields;
  private type = '';
  private clusterIp = '';
  private clusterIps: string[] = [];
  private families: readonly IpFamily[] = NONE;
  private notReady = false;

  constructor(choice: FieldChoice) {
    this.reader = new FieldReader(choice);
    this.metadata = new PlainMetadata(this.reader.interner);
    const fields = servicePortFields(choice);
    this.specFields = objectFields('Service', choice)![2]!.fields!;
    this.ports = new PlainRepeated((cursor) => {
      let whole = true;
      const ports = servicePorts(this.reader, readMessage(cursor, fields), { drop: () => (whole = false) });
      return whole ? ports : undefined;
    });
  }

  read(cursor: ProtobufCursor, end: number): Taken | undefined {
    // Each part comes once, right behind the one before.
    let seen = METADATA - 8;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === METADATA || tag === SPEC || tag === STATUS) {
        if (tag !== seen + 8) return undefined;
        seen = tag;
        const stop = cursor.lengthEnd(end);
        if (tag === METADATA ? !this.metadata.read(cursor, stop) : !this.part(tag, cursor, stop)) return undefined;
      } else if (tag >>> 3 <= 3) return undefined;
      else cursor.skip(tag & 7, end);
    }
    return seen >= SPEC ? this.service(cursor.bytes) : undefined;
  }

  private part(tag: number, cursor: ProtobufCursor, end: number): boolean {
    if (tag === SPEC) return this.spec(cursor, end);
    const length = end - cursor.at;
    if (length > 0 && (length !== EMPTY_STATUS || cursor.bytes[cursor.at] !== tagOf(1))) return false;
    cursor.at = end;
    return true;
  }

  private spec(cursor: ProtobufCursor, end: number): boolean {
    this.ports.begin();
    this.type = this.clusterIp = '';
    this.clusterIps = [];
    this.families = NONE;
    this.notReady = false;
    while (cursor.at < end) {
      const from = cursor.at;
      const tag = cursor.tag(end);
      if (tag === PORTS) {
        if (!this.ports.add(cursor, from, end)) return false;
      } else if (tag === CLUSTER_IP) this.clusterIp = cursor.fresh(end) || this.clusterIp;
      else if (tag === TYPE) this.type = cursor.text(end) || this.type;
      else if (tag === NOT_READY) this.notReady = cursor.varint(end) !== 0;
      else if (tag === CLUSTER_IPS) this.clusterIps.push(cursor.fresh(end));
      else if (tag === IP_FAMILIES) {
        if (!this.family(cursor.text(end))) return false;
      } else if (this.specFields[tag >>> 3] !== undefined) {
        // Of those, only the name outside may be there, empty.
        if (tag !== tagOf(10) || cursor.lengthEnd(end) !== cursor.at) return false;
      } else cursor.skip(tag & 7, end);
    }
    return true;
  }

  private family(name: string): boolean {
    const families = FAMILIES[name];
    if (families === undefined) return false;
    this.families = this.families.length === 0 ? families : this.reader.interner.value([...this.families, ...families]);
    return true;
  }

  private service(bytes: Buffer): Taken | undefined {
    const { name, namespace, version } = this.metadata;
    const { clusterIps, families } = this;
    const type = serviceType(this.type);
    const ports = this.ports.value(bytes, NONE);
    if (type === undefined || ports === undefined || families.length === 0 || !LABEL.test(name)) return undefined;
    if (clusterIps.length === 0) clusterIps.push(this.clusterIp);
    const headless = clusterIps[0] === 'None';
    if (!headless)
      for (let i = 0; i < clusterIps.length; i++) {
        const address = plainAddress(clusterIps[i]!);
        if (address === undefined) return undefined;
        clusterIps[i] = address;
      }
    return new Taken(
      {
        kind: 'Service',
        namespace,
        name,
        type,
        headless,
        // A list that was pushed to has room for sixteen more.
        clusterIps: headless ? NONE : clusterIps.slice(),
        externalName: '',
        ports,
        publishNotReadyAddresses: this.notReady,
        ipFamilies: families,
        selector: undefined,
        labels: undefined,
        externalIps: NONE,
        loadBalancerNames: NONE,
      },
      undefined,
      version,
    );
  }
}

/** Undefined for what is unusual, as is a name that stands for a service outside. */
const serviceType = (text: string): ServiceType | undefined =>
  text === '' ? 'ClusterIP' : text === 'ClusterIP' || text === 'NodePort' || text === 'LoadBalancer' ? text : undefined;
