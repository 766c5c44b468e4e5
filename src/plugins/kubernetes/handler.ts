import {
  Reply,
  type ExternalFinding,
  type Handler,
  type MetadataSource,
  type Next,
  type Outcome,
  type ProvidesChanges,
  type ProvidesExternalServices,
  type ProvidesMetadata,
  type ProvidesSearchPaths,
  type Query,
  type Readiness,
  type TransfersZones,
  type Zones,
  type ZoneTransfer,
} from '../../chain/index.js';
import { formatIp } from '../../lib/cidr.js';
import type { Seconds } from '../../lib/units.js';
import { Class, Flag, Rcode, Type, addressOfReverseName, type Name } from '../../wire/index.js';
import { aliasRecord, resolveAlias, resolveEndpoints, type AliasContext, type Resolved } from './alias.js';
import { Answers, NameAnswers } from './answers.js';
import { followNames } from './changed-names.js';
import type { Cluster } from './cluster.js';
import { clusterDomains, podOf, queryLabels } from './clients.js';
import { ExternalLookup } from './external.js';
import {
  ObjectFinder,
  type EndpointsFound,
  type Finding,
  type LookupOptions,
  type RecordTarget,
} from './object-finder.js';
import { Leases } from './leases.js';
import { before, parseRequest, type Request } from './name.js';
import { NOT_KNOWN, NO_TRANSFER, freshReply, keptReply, serverReply, serversReply } from './name-replies.js';
import { nameServers, type NameServer } from './nameserver.js';
import type { KubernetesOptions } from './options.js';
import { authoritative, pointerRecords } from './records.js';
import { namesOfAddress } from './reverse.js';
import { zoneRecords } from './transfer.js';
import { Zone, isTransfer } from './zone.js';

export type HandlerOptions = LookupOptions &
  Pick<KubernetesOptions, 'zones' | 'multicluster' | 'primaryZone' | 'through' | 'ttl'>;

/**
 * Answers for the names of a cluster (Kubernetes DNS specification 1.1.0). Only an alias to a name elsewhere has to
 * be waited for.
 */
export class Kubernetes
  implements
    Handler,
    Readiness,
    ProvidesChanges,
    ProvidesExternalServices,
    ProvidesMetadata,
    ProvidesSearchPaths,
    TransfersZones
{
  readonly name = 'kubernetes';
  readonly dependsOn = 'question';
  /** Addresses at which this server can be reached: those of the zone's name server. */
  ownAddresses: readonly string[] = [];
  private readonly zones: Zones;
  private readonly zoneOf: ReadonlyMap<Name, Zone>;
  private readonly lookup: ObjectFinder;
  private readonly outside: ExternalLookup;
  private readonly answers: Answers;

  /** @param ask the whole server, for aliases to names elsewhere */
  constructor(
    private readonly options: HandlerOptions,
    private readonly cluster: Cluster,
    private readonly ask: Next,
  ) {
    this.zones = options.zones;
    const imports = {
      get serial() {
        return cluster.importSerial;
      },
    };
    const zones = options.zones.list.map((name) =>
      options.multicluster.list.includes(name)
        ? new Zone(name, options.ttl, imports, 'multicluster')
        : new Zone(name, options.ttl, cluster, options.zonal ? 'zonal' : 'plain'),
    );
    this.zoneOf = new Map(zones.map((zone) => [zone.name, zone]));
    this.lookup = new ObjectFinder(cluster.store, options);
    this.outside = new ExternalLookup(cluster.store, this.lookup, options.namespaces);
    this.answers = new Answers(
      zones.filter((zone) => !zone.reverse).map((zone) => zone.name),
      options.impliedNamespaces,
    );
  }

  /** Whether all objects are known, as they are or as they were saved. */
  ready(): boolean {
    return this.cluster.isKnown;
  }

  /** Keeps what is answered up to date until the returned function is called. */
  follow(): () => void {
    const { store } = this.cluster;
    const ends = [
      this.answers.follow(store),
      store.changes.subscribe(() => this.zoneOf.forEach((zone) => zone.changed())),
    ];
    return () => ends.forEach((end) => end());
  }

  get changingZones(): readonly Name[] {
    return this.zones.list;
  }

  followChanges(changed: (name: Name) => void): () => void {
    return followNames(this.cluster.store, [...this.zoneOf.values()], this.options.impliedNamespaces, changed);
  }

  get externalTtl(): Seconds {
    return this.options.ttl;
  }

  get externalSerial(): Seconds {
    return this.cluster.outsideSerial;
  }

  external(labels: readonly string[], headless: boolean): ExternalFinding {
    return this.outside.find(labels, headless);
  }

  externalNames(headless: boolean): readonly (readonly string[])[] {
    return this.outside.names(headless);
  }

  externalLabels(ip: string): readonly string[] {
    return this.outside.labels(ip);
  }

  externalServers(headless: boolean): readonly string[] {
    return this.outside.servers(this.ownAddresses, headless);
  }

  zoneTransfer(name: Name, known: number | undefined): ZoneTransfer | 'unready' | undefined {
    const zone = this.zoneOf.get(name);
    if (zone === undefined) return undefined;
    if (!this.cluster.hasSynced) return 'unready';
    const { serial } = this.cluster;
    const soa = zone.soa();
    if (known === serial) return { serial, records: [soa] };
    const context = { store: this.cluster.store, finder: this.lookup, ttl: this.options.ttl };
    return { serial, records: zoneRecords(zone, soa, this.servers(), context) };
  }

  /** Only pods that are followed have a path. */
  searchPath(query: Query): readonly Name[] | undefined {
    const zone = this.zones.match(query.name);
    const pod = zone === undefined ? undefined : podOf(query, this.cluster.store);
    return pod && clusterDomains(pod.namespace, zone!);
  }

  metadata(): Readonly<Record<string, MetadataSource>> {
    return queryLabels(this.zones, this.cluster.store, this.options.zonal);
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (query.class !== Class.IN) return next(query);
    if (query.type === Type.PTR) {
      const pointer = this.answers.pointer(query.name);
      if (pointer !== undefined) return pointer;
    } else {
      const known = this.answers.service(query.name);
      const reply = known === undefined ? undefined : keptReply(known, query);
      if (reply !== undefined) return reply;
    }
    return this.find(query, next);
  }

  private find(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { name, type } = query;
    const zone = this.zoneOf.get(this.zones.match(name) ?? '');
    if (zone === undefined) return next(query);
    if (isTransfer(type)) return NO_TRANSFER;
    if (type === Type.SOA) return name === zone.name ? zone.authority(query) : zone.deny(query, Rcode.NOERROR);
    if (name === zone.name)
      return type === Type.NS
        ? serversReply(query, zone, this.servers(), this.options.ttl)
        : zone.deny(query, Rcode.NOERROR);
    if (type === Type.PTR) {
      const address = addressOfReverseName(name);
      if (address !== undefined) return this.pointer(query, formatIp(address)) ?? this.missing(query, zone, next);
    }
    if (type === Type.TXT && name === zone.versionName) return zone.version;
    if (name === zone.nameserver) {
      // As with CoreDNS, which looks for these two among the objects only.
      const unknown = type === Type.PTR || type === Type.TXT;
      return unknown ? this.missing(query, zone, next) : serverReply(query, zone, this.servers(), this.options.ttl);
    }
    const request = parseRequest(before(name, zone.name), zone.forms);
    if (request === 'between') return zone.deny(query, Rcode.NOERROR);
    return request === undefined || zone.reverse
      ? this.missing(query, zone, next)
      : this.answer(query, zone, request, next);
  }

  private answer(query: Query, zone: Zone, request: Request, next: Next): Outcome | Promise<Outcome> {
    const other = request.kind === 'pod' || request.prefixed;
    const kept = zone.forms !== 'multicluster';
    const known = other ? this.answers.other(query.name) : this.answers.service(query.name);
    const reply = known === undefined ? undefined : keptReply(known, query);
    if (reply !== undefined) return reply;
    const finding = this.lookup.find(request, zone.forms);
    if (finding === 'no-name') return this.missing(query, zone, next);
    if (finding === 'no-data') return zone.deny(query, Rcode.NOERROR);
    if ('alias' in finding) return this.alias(query, zone, finding.alias);
    if (finding.names !== undefined) return this.named(query, zone, finding);
    if (!kept && request.kind === 'svc')
      return freshReply(query, new NameAnswers(zone), finding.targets, this.options.ttl);
    const answers = known ?? this.keep(query.name, zone, request, finding.targets);
    return freshReply(query, answers, finding.targets, this.options.ttl);
  }

  private keep(name: Name, zone: Zone, request: Request, targets: readonly RecordTarget[]): NameAnswers {
    const { answers } = this;
    const { kind, namespace, service } = request;
    if (kind === 'pod') {
      const owner = this.options.pods === 'verified' ? { pod: targets[0]!.ip } : 'namespace';
      return answers.keepOther(name, zone, namespace, owner);
    }
    return request.prefixed ? answers.keepOther(name, zone, namespace, { service }) : answers.keepService(name, zone);
  }

  private alias(query: Query, zone: Zone, target: Name): Outcome | Promise<Outcome> {
    return this.aliased(query, zone, target, (context) => resolveAlias(query, query.qname, target, context));
  }

  /** Endpoints some of which are known by a name only. */
  private named(query: Query, zone: Zone, found: EndpointsFound): Outcome | Promise<Outcome> {
    const { qname, name, type } = query;
    if (type === Type.SRV) return freshReply(query, new NameAnswers(zone), found.targets, this.options.ttl);
    const alias = found.targets.length === 0 && found.names!.find((target) => target !== name);
    return this.aliased(query, zone, alias, (context) => resolveEndpoints(query, qname, found, context));
  }

  private aliased(
    query: Query,
    zone: Zone,
    alias: Name | false | undefined,
    resolve: (context: AliasContext) => Resolved | Promise<Resolved>,
  ): Outcome | Promise<Outcome> {
    const { type, qname } = query;
    const { ttl } = this.options;
    if (type === Type.CNAME && alias)
      return authoritative(qname, { answer: [aliasRecord(qname, alias, ttl)], additional: [] });
    if (type !== Type.A && type !== Type.AAAA) return zone.deny(query, Rcode.NOERROR);
    const reply = ({ answer, truncated }: Resolved): Reply =>
      answer.length === 0
        ? zone.deny(query, Rcode.NOERROR)
        : Reply.of(truncated ? Flag.AA | Flag.TC : Flag.AA, Rcode.NOERROR, { answer });
    const resolved = resolve({ zone, ttl, ask: this.ask, find: (name) => this.findIn(zone, name) });
    return resolved instanceof Promise ? resolved.then(reply) : reply(resolved);
  }

  private findIn(zone: Zone, name: Name): Finding {
    const request = parseRequest(before(name, zone.name), zone.forms);
    return request === undefined || request === 'between' ? 'no-name' : this.lookup.find(request, zone.forms);
  }

  private pointer(query: Query, ip: string): Reply | undefined {
    const { store } = this.cluster;
    const hosts = namesOfAddress(ip, store, this.lookup, this.options);
    if (hosts.length === 0) return undefined;
    const { primaryZone, ttl } = this.options;
    const made = authoritative(
      query.name,
      { answer: pointerRecords(query.name, primaryZone, hosts, ttl), additional: [] },
      new Leases().addresses,
    );
    this.answers.keepPointer(query.name, made);
    return made;
  }

  private servers(): NameServer[] {
    return nameServers(this.ownAddresses, this.cluster.store, this.lookup);
  }

  private missing(query: Query, zone: Zone, next: Next): Outcome | Promise<Outcome> {
    if (this.options.through.contains(query.name)) return next(query);
    return this.cluster.isKnown
      ? zone.deny(query, Rcode.NXDOMAIN)
      : zone.deny(query, Rcode.SERVFAIL).withEdns(NOT_KNOWN);
  }
}
