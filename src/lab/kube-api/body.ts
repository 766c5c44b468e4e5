import type { IncomingMessage } from 'node:http';
import { WRITTEN_KINDS, readWritten } from '../../kube/protobuf/written.js';
import { loadYaml } from '../../kube/yaml.js';
import { ApiFault } from './fault.js';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** The longest body that is read, as with a real API server. */
const LONGEST = 3 * 1024 * 1024;

/** The type of a request's body, without parameters. */
export const typeOf = ({ headers }: IncomingMessage): string =>
  (headers['content-type'] ?? 'application/json').split(';')[0]!.trim().toLowerCase();

/** What a request says, in JSON or YAML; undefined for nothing. Throws an ApiFault. */
export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST)
      throw new ApiFault('RequestEntityTooLarge', `the body is too long, allowed: ${LONGEST} bytes`);
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  const type = typeOf(request);
  const bytes = Buffer.concat(chunks);
  try {
    if (type === PROTOBUF) return objectIn(bytes);
    const text = bytes.toString('utf8');
    if (type.endsWith('yaml')) return loadYaml().parse(text) as unknown;
    if (type === '*/*' || type.endsWith('json')) return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof ApiFault) throw error;
    throw new ApiFault('BadRequest', `the body cannot be read: ${(error as Error).message.split('\n', 1)[0]!}`);
  }
  throw new ApiFault(
    'UnsupportedMediaType',
    `Content-Type: got "${type}", allowed: application/json, application/yaml, ${PROTOBUF}`,
  );
}

/** An object in protobuf, of the kinds that the lab knows the fields of. Throws a SyntaxError or an ApiFault. */
function objectIn(bytes: Buffer): unknown {
  const { apiVersion, kind, fields } = readWritten(bytes);
  if (fields) return { apiVersion, kind, ...fields };
  throw new ApiFault(
    'UnsupportedMediaType',
    `Content-Type: got "${PROTOBUF}" with the kind "${kind}", allowed in it: ${WRITTEN_KINDS.join(', ')}; ` +
      'others in application/json, application/yaml',
  );
}
