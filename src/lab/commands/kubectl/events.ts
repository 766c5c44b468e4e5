import { textAt } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import { humanDuration } from '../../../observe/kubectl/human-duration.js';
import type { KubectlKind } from '../../../observe/kubectl/kind.js';
import type { ClusterEvent } from '../../cluster/event-log.js';
import { ALL_RESOURCES } from '../../cluster/resources.js';
import type { Lab } from '../../lab.js';
import { metadataOf, timeOf, uidOf } from './metadata.js';

const typeOf = ({ warning }: ClusterEvent): string => (warning === true ? 'Warning' : 'Normal');
/** Of the object that it is about, and a number in base 16, as clients name events. */
const nameOf = ({ about, first, id }: ClusterEvent): string =>
  `${about.name}.${(BigInt(first) * 1_000_000n + BigInt(id)).toString(16)}`;
const fieldOf = ({ container }: ClusterEvent): string =>
  container === undefined ? '' : `spec.containers{${container}}`;
/** Events about objects that no namespace holds are in the default one. */
const namespaceOf = ({ about }: ClusterEvent): string => about.namespace || 'default';

/** What has happened, as objects of the API. */
export const eventObjects = (lab: Lab): RawObject[] => lab.api.events.list().map(eventObject);

function eventObject(event: ClusterEvent): RawObject {
  const { about, source, reason, message, first, last, count } = event;
  const { kind, namespace, name, created } = about;
  const field = fieldOf(event);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    count,
    eventTime: null,
    firstTimestamp: timeOf(first),
    involvedObject: {
      apiVersion: ALL_RESOURCES.find((resource) => resource.kind === kind)?.apiVersion ?? 'v1',
      ...(field !== '' && { fieldPath: field }),
      kind,
      name,
      ...(namespace !== '' && { namespace }),
      uid: uidOf(kind, namespace, name, created),
    },
    lastTimestamp: timeOf(last),
    message,
    metadata: metadataOf({
      apiVersion: 'v1',
      kind: 'Event',
      namespace: namespaceOf(event),
      name: nameOf(event),
      created: first,
      version: count,
    }),
    reason,
    reportingComponent: source.component,
    reportingInstance: source.host ?? '',
    source,
    type: typeOf(event),
  };
}

/** The table of events, by the time at which they happened last. */
export const eventKind = (lab: Lab, names: readonly string[]): KubectlKind => ({
  resource: 'events',
  singular: 'event',
  names,
  namespaced: true,
  columns: ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'],
  wideColumns: ['SUBOBJECT', 'SOURCE', 'FIRST SEEN', 'COUNT', 'NAME'],
  rows: () =>
    lab.api.events.list().map((event) => {
      const { about, source, reason, message, first, last, count } = event;
      const ago = (at: number): string => humanDuration(lab.clock.now() - at);
      return {
        namespace: namespaceOf(event),
        name: nameOf(event),
        labels: {},
        cells: [ago(last), typeOf(event), reason, `${about.kind.toLowerCase()}/${about.name}`, message],
        wide: [
          fieldOf(event),
          [source.component, ...(source.host === undefined ? [] : [source.host])].join(', '),
          ago(first),
          String(count),
          nameOf(event),
        ],
      };
    }),
  order: () => 0,
});

/** What has happened to an object, as the rows of its description. */
export function eventRows(object: RawObject, lab: Lab): readonly (readonly string[])[] {
  const { name = '', namespace = '' } = object['metadata'] as { name?: string; namespace?: string };
  return lab.api.events
    .list()
    .filter(
      ({ about }) => about.kind === textAt(object, 'kind') && about.name === name && about.namespace === namespace,
    )
    .map((event) => {
      const ago = (at: number): string => humanDuration(lab.clock.now() - at);
      const often = event.count > 1 ? ` (x${event.count} over ${ago(event.first)})` : '';
      return [typeOf(event), event.reason, `${ago(event.last)}${often}`, event.source.component, event.message];
    });
}
