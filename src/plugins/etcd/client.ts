import { JsonClient, ServiceError, type JsonAnswer, type JsonEndpoint } from '../../net/json-client.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';

/** A key with its value. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** The lease that it goes with, as etcd writes it; undefined without one. */
  readonly lease: string | undefined;
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

const UNAUTHENTICATED = 401;
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const text = (encoded: unknown): string => Buffer.from(typeof encoded === 'string' ? encoded : '', 'base64').toString();

/** Reads keys by the JSON form of etcd's API, version 3, from the first of its servers that answers. */
export class EtcdClient {
  private readonly clients: readonly JsonClient[];
  /** Which server answered last. */
  private current = 0;
  private token: string | undefined;

  constructor(
    endpoints: readonly JsonEndpoint[],
    private readonly credentials: Credentials | undefined,
  ) {
    this.clients = endpoints.map((endpoint) => new JsonClient(endpoint));
  }

  /** The key itself, or all keys that begin with it. Rejects with a ServiceError. */
  async range(key: string, prefix: boolean, timeout: Milliseconds): Promise<KeyValue[]> {
    const end = prefix ? { range_end: base64(afterPrefix(key)) } : {};
    const body = await this.post('/v3/kv/range', { key: base64(key), ...end }, timeout);
    return list(body, 'kvs').map((entry) => {
      const { key: name, value, lease } = entry as Record<string, unknown>;
      return {
        key: text(name),
        value: text(value),
        lease: typeof lease === 'string' && lease !== '0' ? lease : undefined,
      };
    });
  }

  /** What is left of a lease; 0 for one that is over. Rejects with a ServiceError. */
  async timeToLive(lease: string, timeout: Milliseconds): Promise<Seconds> {
    const body = (await this.post('/v3/lease/timetolive', { ID: lease }, timeout)) as { TTL?: unknown } | undefined;
    return Math.max(0, Number(body?.TTL ?? 0) || 0);
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  private async post(path: string, body: unknown, timeout: Milliseconds): Promise<unknown> {
    let failure: unknown;
    for (const [i] of this.clients.entries()) {
      const at = (this.current + i) % this.clients.length;
      try {
        const answer = await this.authorized(this.clients[at]!, path, body, timeout);
        this.current = at;
        return answer;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  private async authorized(client: JsonClient, path: string, body: unknown, timeout: Milliseconds): Promise<unknown> {
    if (this.credentials !== undefined) this.token ??= await this.authenticate(client, timeout);
    let answer = await this.send(client, path, body, timeout);
    if (answer.status === UNAUTHENTICATED && this.credentials !== undefined) {
      this.token = await this.authenticate(client, timeout);
      answer = await this.send(client, path, body, timeout);
    }
    return bodyOf(answer, path);
  }

  private send(client: JsonClient, path: string, body: unknown, timeout: Milliseconds): Promise<JsonAnswer> {
    const headers: Record<string, string> = this.token === undefined ? {} : { authorization: this.token };
    return client.request({ method: 'POST', path, body, headers, timeout });
  }

  private async authenticate(client: JsonClient, timeout: Milliseconds): Promise<string> {
    const path = '/v3/auth/authenticate';
    const answer = await client.request({ method: 'POST', path, body: this.credentials, timeout });
    const { token } = (bodyOf(answer, path) ?? {}) as { token?: unknown };
    if (typeof token !== 'string') throw new ServiceError(`etcd ${path}: an answer without a token`);
    return token;
  }
}

function bodyOf({ status, body }: JsonAnswer, path: string): unknown {
  if (status === 200) return body;
  const { message, error } = (body ?? {}) as { message?: unknown; error?: unknown };
  const said = [message, error].find((each): each is string => typeof each === 'string');
  throw new ServiceError(`etcd ${path}: ${status}${said === undefined ? '' : ` ${said}`}`);
}

const list = (body: unknown, name: string): readonly unknown[] => {
  const value = (body as Record<string, unknown> | undefined)?.[name];
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
};

/** The first key after all that begin with `prefix`: its last byte is one more. */
function afterPrefix(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1]!++;
  return end;
}
