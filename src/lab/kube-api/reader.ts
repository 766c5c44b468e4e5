import type { RawObject } from '../../kube/objects/raw.js';
import type { Resource } from '../cluster/resources.js';
import type { Lab } from '../lab.js';
import { ApiFault, notFound } from './fault.js';
import { metadataOnly } from './form.js';
import type { Form } from './form.js';
import type { ObjectJournal } from './journal.js';
import type { ResourcePath } from './route.js';
import { selectionOf } from './selection.js';
import { Tables, metadataOfOne } from './tables.js';

/** What is left of a list that is read in parts. */
interface Rest {
  readonly version: number;
  readonly objects: readonly RawObject[];
}

/** Lists that are read in parts at one time; the oldest is given up for one more. */
const OPEN_LISTS = 32;

/** Answers `get` and `list`. */
export class ObjectReader {
  private readonly rests = new Map<string, Rest>();
  private tokens = 0;

  constructor(
    private readonly lab: Lab,
    private readonly journal: ObjectJournal,
  ) {}

  /** Throws an ApiFault for one that is not there. */
  object({ resource, namespace = '', name = '' }: ResourcePath): RawObject {
    const object = this.journal.get(resource.kind, namespace, name);
    if (!object) throw notFound(resource, name);
    return object;
  }

  /** An object in the form that the client wants. */
  shown(object: RawObject, resource: Resource, form: Form, query: URLSearchParams): RawObject {
    if (form.as === 'object') return object;
    if (form.as === 'metadata') return metadataOnly(object, form);
    return this.tables(resource, form, query).of([object], metadataOfOne(object));
  }

  list(path: ResourcePath, form: Form, query: URLSearchParams): RawObject {
    const { resource } = path;
    const token = query.get('continue') ?? '';
    const rest = token === '' ? this.all(path, query) : this.taken(token);
    const limit = Number(query.get('limit') ?? '0');
    if (!Number.isInteger(limit) || limit < 0)
      throw new ApiFault('BadRequest', `limit: got "${query.get('limit')}", allowed: a whole number from 0`);
    const objects = limit === 0 ? rest.objects : rest.objects.slice(0, limit);
    const remaining = rest.objects.length - objects.length;
    const metadata = {
      resourceVersion: String(rest.version),
      ...(remaining > 0 && {
        continue: this.kept({ version: rest.version, objects: rest.objects.slice(limit) }),
        remainingItemCount: remaining,
      }),
    };
    if (form.as === 'table') return this.tables(resource, form, query).of(objects, metadata);
    const partial = form.as === 'metadata';
    return {
      kind: partial ? 'PartialObjectMetadataList' : `${resource.kind}List`,
      apiVersion: partial ? `meta.k8s.io/${form.version}` : resource.apiVersion,
      metadata,
      items: partial ? objects.map((object) => metadataOnly(object, form)) : objects,
    };
  }

  tables(resource: Resource, form: Form, query: URLSearchParams): Tables {
    return new Tables(this.lab, resource, form, query.get('includeObject') ?? 'Metadata');
  }

  private all(path: ResourcePath, query: URLSearchParams): Rest {
    const objects = this.journal.list(path.resource.kind).filter(selectionOf(path, query));
    const version = this.journal.newest;
    const wanted = Number(query.get('resourceVersion') || '0');
    if (query.get('resourceVersionMatch') === 'Exact' && wanted !== version)
      throw new ApiFault('Expired', `The provided resource version ${wanted} is too old or too new: it is ${version}`);
    return { version, objects };
  }

  private kept(rest: Rest): string {
    const token = Buffer.from(`${rest.version}:${++this.tokens}`).toString('base64url');
    this.rests.set(token, rest);
    if (this.rests.size > OPEN_LISTS) this.rests.delete(this.rests.keys().next().value!);
    return token;
  }

  private taken(token: string): Rest {
    const rest = this.rests.get(token);
    if (!rest)
      throw new ApiFault(
        'Expired',
        'The provided continue parameter is too old to display a consistent list result: start a new list without it',
      );
    return rest;
  }
}
