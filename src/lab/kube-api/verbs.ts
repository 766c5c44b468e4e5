import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RawObject } from '../../kube/objects/raw.js';
import type { Resource } from '../cluster/resources.js';
import type { Lab } from '../lab.js';
import { bodyOf, typeOf } from './body.js';
import { SUBRESOURCES, verbsOf } from './discovery.js';
import { ApiFault, success } from './fault.js';
import { formOf } from './form.js';
import type { Form } from './form.js';
import type { ObjectJournal } from './journal.js';
import { uidIn } from './journal.js';
import { sendLog } from './pod-log.js';
import type { ObjectReader } from './reader.js';
import type { ObjectRemover } from './remover.js';
import type { ResourcePath } from './route.js';
import { scaleOf, withScale } from './scale.js';
import { podAt } from './upgrades.js';
import { watch } from './watch.js';
import type { ObjectWriter, WriteOptions } from './writer.js';

/** One request, as it is asked. */
export interface AskedPath {
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface VerbParts {
  readonly lab: Lab;
  readonly journal: ObjectJournal;
  readonly reader: ObjectReader;
  readonly writer: ObjectWriter;
  readonly remover: ObjectRemover;
}

const OK = 200;
const CREATED = 201;

/** The verb of a request, by its method and whether it names an object. */
const VERBS: Readonly<Record<string, readonly [ofAll: string, ofOne: string]>> = {
  GET: ['list', 'get'],
  POST: ['create', 'create'],
  PUT: ['', 'update'],
  PATCH: ['', 'patch'],
  DELETE: ['deletecollection', 'delete'],
};

/** Carries requests about objects out. */
export class Verbs {
  constructor(private readonly parts: VerbParts) {}

  /** Throws an ApiFault. */
  async carryOut(asked: AskedPath): Promise<void> {
    const { path, request, response } = asked;
    const verb = VERBS[request.method ?? '']?.[path.name === undefined ? 0 : 1] ?? '';
    if (path.subresource !== undefined) return this.subresource(asked, verb);
    checkVerb(request, path.resource, path.name !== undefined && verb === 'create' ? '' : verb);
    const form = formOf(request.headers.accept ?? '');
    const { reader, writer, remover } = this.parts;
    const { query } = asked;
    if (verb === 'list' || verb === 'get') return this.read(asked, form);
    const body = await bodyOf(request);
    if (verb === 'delete') return send(response, OK, await remover.delete(path, body, query));
    if (verb === 'deletecollection') return send(response, OK, await remover.deleteAll(path, body, query));
    const options = writeOptions(asked);
    const { object, created } =
      verb === 'create'
        ? await writer.create(path, body, options)
        : verb === 'update'
          ? await writer.replace(path, body, options)
          : await writer.patch(path, typeOf(request), body, options);
    send(response, created ? CREATED : OK, reader.shown(object, path.resource, form, query));
  }

  private read({ path, query, response }: AskedPath, form: Form): void {
    const { journal, reader, lab } = this.parts;
    if (['1', 'true'].includes(query.get('watch') ?? ''))
      return watch(path, form, query, response, { journal, reader, clock: lab.clock });
    if (path.name === undefined) return send(response, OK, reader.list(path, form, query));
    send(response, OK, reader.shown(reader.object(path), path.resource, form, query));
  }

  private async subresource(asked: AskedPath, verb: string): Promise<void> {
    const { path, request, response, query } = asked;
    const { resource, subresource } = path;
    const known = SUBRESOURCES[resource.kind]?.find(({ name }) => name === subresource);
    if (!known) throw new ApiFault('NotFound', 'the server could not find the requested resource');
    if (!known.verbs.includes(verb)) throw notAllowed(request, `${resource.plural}/${known.name}`);
    const { reader, remover } = this.parts;
    if (subresource === 'status') return send(response, OK, reader.object(path));
    if (subresource === 'scale') return this.scale(asked, verb);
    if (subresource === 'log') return sendLog(podAt(path, this.parts.lab), query, response, this.parts.lab);
    if (subresource !== 'eviction') throw new ApiFault('BadRequest', 'Upgrade request required');
    const object = reader.object(path);
    await remover.delete(path, await bodyOf(request), query);
    send(response, CREATED, success(resource, path.name ?? '', uidIn(object)));
  }

  private async scale(asked: AskedPath, verb: string): Promise<void> {
    const { path, request, response } = asked;
    const { reader, writer } = this.parts;
    if (verb === 'get') return send(response, OK, scaleOf(reader.object(path)));
    const body = await bodyOf(request);
    const old = writer.current(path);
    const scale = verb === 'update' ? body : writer.patched(path, typeOf(request), scaleOf(old), body);
    const { object } = await writer.replace(path, withScale(old, scale, path.resource), writeOptions(asked));
    send(response, OK, scaleOf(object));
  }
}

function writeOptions({ query, request }: AskedPath): WriteOptions {
  return {
    manager: query.get('fieldManager') || (request.headers['user-agent'] ?? 'unknown').split('/', 1)[0]!,
    dryRun: query.has('dryRun'),
    force: query.get('force') === 'true',
  };
}

const notAllowed = ({ method }: IncomingMessage, what: string): ApiFault =>
  new ApiFault('MethodNotAllowed', `${method ?? ''} is not supported for ${what} here`);

function checkVerb(request: IncomingMessage, resource: Resource, verb: string): void {
  if (!verbsOf(resource).includes(verb)) throw notAllowed(request, resource.plural);
}

/** Answers with an object. */
export function send(response: ServerResponse, status: number, object: RawObject): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(object));
}
