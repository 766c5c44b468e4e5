import { JsonClient, ServiceError, type JsonAnswer, type JsonEndpoint } from '../../net/json-client.js';
import type { Milliseconds } from '../../lib/units.js';

/** An instance of a service. */
export interface Registration {
  readonly address: string;
  /** 0 to 65535. */
  readonly port: number;
}

export interface NomadOptions {
  readonly token: string | undefined;
  /** `USER:PASSWORD` for HTTP authentication. */
  readonly httpAuth: string | undefined;
  readonly region: string | undefined;
  /** In Nomad's language; undefined for all instances. */
  readonly filter: string | undefined;
}

const NOT_FOUND = 404;

/** Asks the first of Nomad's agents that answers. */
export class NomadClient {
  private readonly clients: readonly JsonClient[];
  /** Which agent answered last. */
  private current = 0;

  constructor(
    endpoints: readonly JsonEndpoint[],
    private readonly options: NomadOptions,
  ) {
    this.clients = endpoints.map((endpoint) => new JsonClient(endpoint));
  }

  /** The instances of a service; none for one that does not exist. Rejects with a ServiceError. */
  async instances(service: string, namespace: string, timeout: Milliseconds): Promise<Registration[]> {
    const query = new URLSearchParams({ namespace });
    const { region, filter } = this.options;
    if (region !== undefined) query.set('region', region);
    if (filter !== undefined) query.set('filter', filter);
    const path = `/v1/service/${encodeURIComponent(service)}?${query.toString()}`;
    const { status, body } = await this.get(path, timeout);
    if (status === NOT_FOUND) return [];
    if (status !== 200 || !Array.isArray(body)) throw new ServiceError(`nomad ${path}: ${status}`);
    return (body as unknown[]).map((entry) => registration(entry, path));
  }

  /** Whether an agent answers. */
  async reachable(timeout: Milliseconds): Promise<boolean> {
    try {
      return (await this.get('/v1/agent/self', timeout)).status === 200;
    } catch {
      return false;
    }
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  private async get(path: string, timeout: Milliseconds): Promise<JsonAnswer> {
    const { token, httpAuth } = this.options;
    const headers = {
      ...(token !== undefined && { 'x-nomad-token': token }),
      ...(httpAuth !== undefined && { authorization: `Basic ${Buffer.from(httpAuth).toString('base64')}` }),
    };
    let failure: unknown;
    for (const [i] of this.clients.entries()) {
      const at = (this.current + i) % this.clients.length;
      try {
        const answer = await this.clients[at]!.request({ method: 'GET', path, headers, timeout });
        this.current = at;
        return answer;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

function registration(entry: unknown, path: string): Registration {
  const { Address: address, Port: port } = (entry ?? {}) as { Address?: unknown; Port?: unknown };
  if (typeof address !== 'string' || !Number.isInteger(port) || (port as number) < 0 || (port as number) > 0xffff)
    throw new ServiceError(`nomad ${path}: got an instance without a usable address and port`);
  return { address, port: port as number };
}
