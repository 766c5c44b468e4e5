import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { ProfileName } from '../../resolver/conf/settings.js';
import { NodensError } from '../../lib/errors.js';
import { isName } from '../../wire/index.js';
import { PROFILES } from '../commands/explain.js';
import type { Lab } from '../lab.js';
import type { RunningPod } from '../pods/running-pod.js';

/** A request that cannot be carried out: an HTTP status, and what was got and what is allowed. */
export class RequestError extends NodensError {
  override readonly name = 'RequestError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super('NODENS_LAB_REQUEST', message);
  }
}

const MAX_BODY = 16 * 1024;
const MAX_LINE = 4096;
/** A name in text form with escapes (RFC 1035 section 5.1) is at most so long. */
const MAX_NAME = 1024;
/** What a name is made of (RFC 1035 section 2.3.4). */
const NAME_RULE = 'labels of 1 to 63 bytes with single dots between them, 255 bytes in all';
/** Names of pods that a message tells. */
const MAX_TOLD = 12;

/** The JSON object in a request's body. Rejects with a RequestError. */
export async function readObject(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY) throw new RequestError(413, `body: got more than ${MAX_BODY} bytes, allowed: ${MAX_BODY}`);
    parts.push(part);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(parts).toString());
  } catch (error) {
    throw new RequestError(400, `body: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RequestError(400, 'body: expected a JSON object');
  return value as Readonly<Record<string, unknown>>;
}

/** What `POST /api/lookup` asks for. */
export interface PodLookup {
  readonly pod: RunningPod;
  readonly name: string;
  readonly types: readonly ('A' | 'AAAA')[];
  readonly profile: ProfileName;
}

/** Throws a RequestError. */
export function lookupOf(body: Readonly<Record<string, unknown>>, lab: Lab): PodLookup {
  const name = textOf(body, 'name', MAX_NAME).trim();
  if (name === '' || /\s/.test(name)) throw new RequestError(400, `name: got "${name}", allowed: a domain name`);
  if (isIP(name) !== 0)
    throw new RequestError(
      400,
      `name: got "${name}", an address: programs take it as it is, and nothing is looked up; allowed: a domain name`,
    );
  if (!isName(name)) throw new RequestError(400, `name: got "${name}", which is no name; allowed: ${NAME_RULE}`);
  const [namespace = '', podName = ''] = textOf(body, 'pod', MAX_NAME).split('/', 2);
  const pod = lab.kubelet.get(namespace, podName);
  if (!pod)
    throw new RequestError(
      404,
      `pod: got "${namespace}/${podName}", allowed: ${someOf(
        lab.kubelet.list().map((one) => `${one.namespace}/${one.name}`),
      )}`,
    );
  const profile = PROFILES.find((known) => known === (body['libc'] ?? 'glibc'));
  if (!profile)
    throw new RequestError(400, `libc: got ${JSON.stringify(body['libc'])}, allowed: ${PROFILES.join(', ')}`);
  const types = body['types'] ?? ['A', 'AAAA'];
  if (
    !Array.isArray(types) ||
    types.length === 0 ||
    !types.every((type): type is 'A' | 'AAAA' => type === 'A' || type === 'AAAA')
  )
    throw new RequestError(400, `types: got ${JSON.stringify(types)}, allowed: A, AAAA`);
  return { pod, name, types: [...new Set(types)], profile };
}

/** The first of many names, and how many more there are. */
const someOf = (names: readonly string[]): string =>
  names.length <= MAX_TOLD
    ? names.join(', ')
    : `${names.slice(0, MAX_TOLD).join(', ')} and ${names.length - MAX_TOLD} others`;

/** The command line of `POST /api/exec`. Throws a RequestError. */
export function lineOf(body: Readonly<Record<string, unknown>>): string {
  const line = textOf(body, 'line', MAX_LINE);
  if (/[\r\n]/.test(line)) throw new RequestError(400, 'line: got several lines, allowed: one');
  return line;
}

function textOf(body: Readonly<Record<string, unknown>>, key: string, longest: number): string {
  const value = body[key];
  if (typeof value !== 'string') throw new RequestError(400, `${key}: got ${JSON.stringify(value)}, allowed: text`);
  if (value.length > longest)
    throw new RequestError(400, `${key}: got ${value.length} characters, allowed: ${longest}`);
  return value;
}
