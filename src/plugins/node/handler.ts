import type {
  Handler,
  MetadataSource,
  Next,
  Outcome,
  ProvidesMetadata,
  ProvidesSearchLists,
  Query,
  SearchList,
} from '../../chain/index.js';
import type { NodePods } from './pods.js';
import type { SearchLists } from './search-list.js';

const LABEL = 'kubernetes/client-label/';

/** Knows which pod of the node asks. It changes no answer: others ask it. */
export class NodeClients implements Handler, ProvidesMetadata, ProvidesSearchLists {
  readonly name = 'node';
  readonly role = 'observes';
  readonly dependsOn = 'question';

  constructor(
    private readonly pods: NodePods,
    private readonly lists: SearchLists,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    return next(query);
  }

  /** A pod that is being deleted has none: its address may be another's before the API tells. */
  searchList(query: Query): SearchList | undefined {
    const pod = this.pods.at(query.client.remote.address);
    return pod === undefined || pod.terminating ? undefined : this.lists.of(pod);
  }

  metadata(): Readonly<Record<string, MetadataSource>> {
    const podOf = (query: Query) => this.pods.at(query.client.remote.address);
    return {
      'kubernetes/client-namespace': (query) => podOf(query)?.namespace,
      'kubernetes/client-pod-name': (query) => podOf(query)?.name,
      [LABEL]: (query, label) => podOf(query)?.labels?.[label.slice(LABEL.length)],
    };
  }
}
