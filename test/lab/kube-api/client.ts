import { once } from 'node:events';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect } from 'vitest';
import { realClock } from '../../../src/lib/clock.js';
import { selfSigned } from '../../../src/lab/kube-api/certificate.js';
import { kubeconfig } from '../../../src/lab/kube-api/kubeconfig.js';
import { KubeApi } from '../../../src/lab/kube-api/server.js';
import { Lab } from '../../../src/lab/lab.js';
import { loadTopology } from '../../../src/lab/topology/load.js';

/** Parsed JSON of the API; tests look into it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = any;

export interface Asked {
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  readonly token?: string;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Json;
}

/** Events of a watch, in order. */
export interface Watching {
  readonly status: number;
  next(): Promise<Json>;
  end(): void;
}

/** A lab of two nodes with its API on a drawn port, and a client of it. */
export class ServedLab {
  private constructor(
    readonly lab: Lab,
    readonly api: KubeApi,
    readonly ca: string,
    readonly faults: unknown[],
  ) {}

  static async start(kept?: number): Promise<ServedLab> {
    const lab = await Lab.create(loadTopology('two-nodes'), { clock: realClock });
    const identity = selfSigned('test', ['127.0.0.1'], Date.now());
    const faults: unknown[] = [];
    const onFault = (error: unknown): void => void faults.push(error);
    const api = new KubeApi({ lab, identity, token: TOKEN, onFault, ...(kept !== undefined && { kept }) });
    await api.open();
    return new ServedLab(lab, api, identity.certificate, faults);
  }

  async ask(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const response = await this.send(method, path, asked);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    const type = response.headers['content-type'] ?? '';
    const body: unknown = type.startsWith('application/json') && !type.includes('stream') ? JSON.parse(text) : text;
    return { status: response.statusCode!, type, body };
  }

  async get(path: string, accept?: string): Promise<Json> {
    return (await this.ask('GET', path, accept === undefined ? {} : { accept })).body;
  }

  /** Begins a watch; its events are read one by one. */
  async watch(path: string, accept?: string): Promise<Watching> {
    const response = await this.send('GET', path, accept === undefined ? {} : { accept });
    const lines = createInterface({ input: response })[Symbol.asyncIterator]();
    return {
      status: response.statusCode!,
      next: async () => {
        const { value, done } = await lines.next();
        return done ? undefined : JSON.parse(value);
      },
      end: () => response.destroy(),
    };
  }

  /** What a kubeconfig for it says. */
  get kubeconfig(): string {
    return kubeconfig({ url: this.api.url, certificate: this.ca, token: TOKEN });
  }

  /** Nobody needs the servers' lame duck time. */
  stop(): void {
    this.api.close();
    void this.lab.stop();
  }

  private async send(method: string, path: string, asked: Asked): Promise<IncomingMessage> {
    const { body, type = 'application/json', accept = 'application/json', token = TOKEN } = asked;
    const said = typeof body === 'string' || Buffer.isBuffer(body);
    const text = body === undefined ? '' : said ? body : JSON.stringify(body);
    const request = https.request(`${this.api.url}${path}`, {
      method,
      ca: this.ca,
      agent: false,
      headers: {
        authorization: `Bearer ${token}`,
        accept,
        ...(text !== '' && { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
      },
    });
    request.end(text);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }
}

/** What the client shows. */
export const TOKEN = 'a-token';

/** One for all tests of a file, that is there while they run; nothing may have thrown in it at their end. */
export function servedLab(): () => ServedLab {
  let served: ServedLab;
  beforeAll(async () => {
    served = await ServedLab.start();
  });
  afterAll(() => {
    served.stop();
    expect(served.faults).toEqual([]);
  });
  return () => served;
}
