import { readFileSync, realpathSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import type { Milliseconds } from '../../lib/units.js';
import type { HttpPort, PodPort } from './ports.js';
import type { Lab } from '../lab.js';
import { LAB_FOLDER } from '../topology/load.js';
import { explainLookup } from '../explain/explain-lookup.js';
import { explanationText } from '../explain/text.js';
import { COMMANDS } from '../commands/index.js';
import { Session } from '../session/session.js';
import type { ExecAnswer, LookupAnswer } from './api.js';
import { clusterView, nodeCacheOf } from './cluster-view.js';
import { detailsOf } from './details.js';
import { SECURITY_HEADERS, refusalOf } from './guard.js';
import { Live } from './live.js';
import { RequestError, lineOf, lookupOf, readObject } from './requests.js';
import { StaticFiles } from './static-files.js';

export interface WebPageOptions {
  readonly dns: () => readonly PodPort[];
  readonly http: () => readonly HttpPort[];
  /** Processor time of this process so far. */
  readonly cpu: () => Milliseconds;
  readonly files?: StaticFiles;
}

/** Command lines that run at a time, and bytes that one may have waiting for a reader. */
const MAX_RUNNING = 8;
const MAX_WAITING = 1024 * 1024;

type RouteHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  search: URLSearchParams,
) => void | Promise<void>;

/** The page of a lab and the interface behind it. */
export class WebPage {
  private readonly live: Live;
  private readonly files: StaticFiles;
  private readonly session: Session;
  private running = 0;
  private readonly routes: Readonly<
    Record<string, { readonly methods: readonly string[]; readonly handle: RouteHandler }>
  >;

  constructor(
    private readonly lab: Lab,
    private readonly options: WebPageOptions,
  ) {
    this.files = options.files ?? new StaticFiles();
    this.live = new Live(lab, { view: () => clusterView(lab, options.dns()), cpu: options.cpu });
    this.session = new Session(lab, { read: readLabFile }, COMMANDS);
    const read = ['GET', 'HEAD'];
    this.routes = {
      '/api/cluster': {
        methods: read,
        handle: (_request, response) => json(response, 200, clusterView(lab, options.dns())),
      },
      '/api/part': { methods: read, handle: (_request, response, search) => this.part(response, search) },
      '/api/events': { methods: ['GET'], handle: (_request, response) => this.events(response) },
      '/api/lookup': { methods: ['POST'], handle: (request, response) => this.lookup(request, response) },
      '/api/exec': { methods: ['POST'], handle: (request, response) => this.exec(request, response) },
    };
  }

  /** Serves a request that is meant for the page or its interface; false for any other. */
  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const [pathname = '', query = ''] = (request.url ?? '').split('?', 2);
    const route = Object.hasOwn(this.routes, pathname) ? this.routes[pathname] : undefined;
    const file = route ? undefined : this.files.get(pathname);
    if (!route && file === undefined) return false;
    const refused = refusalOf(request, route?.methods ?? ['GET', 'HEAD']);
    if (refused) {
      // The body is not read, so the connection cannot be used for another request.
      response.setHeader('connection', 'close');
      if (refused.status === 405) response.setHeader('allow', (route?.methods ?? ['GET', 'HEAD']).join(', '));
      json(response, refused.status, { error: refused.error });
    } else if (route) {
      Promise.resolve()
        .then(() => route.handle(request, response, new URLSearchParams(query)))
        .catch((error: unknown) => fail(response, error));
    } else if (file === 'missing') {
      response
        .writeHead(503, { ...SECURITY_HEADERS, 'content-type': 'text/plain; charset=utf-8' })
        .end('the page is not built; build it with: npm run build\n');
    } else if (file) {
      const fresh = request.headers['if-none-match'] === file.etag;
      response.writeHead(fresh ? 304 : 200, {
        ...SECURITY_HEADERS,
        'content-type': file.type,
        etag: file.etag,
        'cache-control': 'no-cache',
        ...(!fresh && { 'content-length': file.body.length }),
      });
      // Node leaves the body out where there must be none: of 304, and for HEAD.
      response.end(file.body);
    }
    return true;
  }

  close(): void {
    this.live.close();
    void this.session.close();
  }

  private part(response: ServerResponse, search: URLSearchParams): void {
    const id = search.get('id') ?? '';
    const details = detailsOf(this.lab, id, this.options.http());
    if (!details)
      throw new RequestError(
        404,
        `id: got "${id}", allowed: pod/NAMESPACE/NAME, service/NAMESPACE/NAME, node/NAME, host/NAME of what there is`,
      );
    json(response, 200, details);
  }

  private events(response: ServerResponse): void {
    if (!this.live.add(response, SECURITY_HEADERS)) throw new RequestError(503, 'too many pages are open');
  }

  private async lookup(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pod, name, types, profile } = lookupOf(await readObject(request), this.lab);
    const at = this.lab.clock.now();
    const nodeCache = nodeCacheOf(this.lab);
    const explanation = await explainLookup(this.lab, pod, name, { types, profile });
    const answer: LookupAnswer = { ...explanation, at, nodeCache, asText: explanationText(explanation) };
    json(response, 200, answer);
  }

  /**
   * Runs a line and writes what it says as it comes. It ends when the reader goes, or when the reader is much slower
   * than the line.
   */
  private async exec(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = lineOf(await readObject(request));
    if (this.running >= MAX_RUNNING) throw new RequestError(429, `${MAX_RUNNING} commands are running already`);
    const stop = new AbortController();
    response.on('close', () => stop.abort());
    response
      .writeHead(200, {
        ...SECURITY_HEADERS,
        'content-type': 'application/x-ndjson; charset=utf-8',
        'cache-control': 'no-store',
      })
      .flushHeaders();
    const say = (answer: ExecAnswer): void => {
      if (stop.signal.aborted || response.writableLength > MAX_WAITING) return stop.abort();
      response.write(`${JSON.stringify(answer)}\n`);
    };
    this.running++;
    try {
      say({ code: await this.session.run(line, { write: (text) => say({ text }), signal: stop.signal }) });
    } catch (error) {
      say({ text: `${(error as Error).message}\n` });
      say({ code: 1 });
    } finally {
      this.running--;
      response.end();
    }
  }
}

/**
 * Files that commands of the page read: those of the lab's own folder, under their way in it (`manifests/lrp.yaml`)
 * or as the scripts name them
 * (`../manifests/lrp.yaml`). Whoever may open the page is not given the user's files.
 */
export function readLabFile(file: string): string {
  const wanted = path.resolve(LAB_FOLDER, file.replace(/^\.\.\//, ''));
  const inside = (name: string): boolean =>
    !path.relative(LAB_FOLDER, name).startsWith('..') && !path.isAbsolute(path.relative(LAB_FOLDER, name));
  if (!inside(wanted)) throw new Error('the page reads the files of the folder lab only');
  const real = realpathSync(wanted);
  if (path.relative(realpathSync(LAB_FOLDER), real).startsWith('..'))
    throw new Error('the page reads the files of the folder lab only');
  return readFileSync(real, 'utf8');
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response
    .writeHead(status, {
      ...SECURITY_HEADERS,
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    })
    .end(JSON.stringify(value));
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy();
  else if (error instanceof RequestError) json(response, error.status, { error: error.message });
  else json(response, 500, { error: (error as Error).message });
}
