import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { askAdmin, type AdminCaller } from '../insight/admin/ask-admin.js';
import { liveText, type LiveExplanation } from '../insight/explain/live.js';
import { reasonsOf } from '../insight/explain/reasons.js';
import { readRecording, recordingText, storyOfRecorded } from '../insight/explain/recorded.js';
import { podDns } from '../insight/explain/pod-dns.js';
import { explainForPod, podText } from '../insight/explain/pod-lookup.js';
import type { Environment } from '../corefile/environment.js';
import { realClock } from '../lib/clock.js';
import { secureRandom } from '../lib/random.js';
import { parseDuration } from '../lib/duration.js';
import { isExpected } from '../lib/errors.js';
import { FlagError } from '../lib/go-flags.js';
import { adminAddress } from '../server/admin-flags.js';
import type { Command } from './command.js';
import { apiReader } from './read-api.js';
import { say } from './say.js';
import { USAGE, callOf, misused } from './tool.js';
import { EXPLAIN } from './tools.js';

/** `nodens explain NAME [TYPE]`: what a query becomes at a running server, and why. */
export const explainCommand: Command = async (args, env) => {
  const call = callOf(EXPLAIN, args);
  if (typeof call === 'number') return call;
  const { values, rest } = call;
  try {
    if (values.o !== 'text' && values.o !== 'json') throw new FlagError(`-o: got '${values.o}', allowed: text, json`);
    if (values.record !== '') return tellRecording(values.record!, values.o, rest);
    const [name, type, extra] = rest;
    if (name === undefined || extra !== undefined) throw new FlagError(`got '${rest.join(' ')}', allowed: NAME [TYPE]`);
    const caller = callerFrom(values);
    const json = values.o === 'json';
    const transport = values.tcp === 'true' ? 'tcp' : 'udp';
    if (values.pod !== '') {
      if (type !== undefined) throw new FlagError(`got '${type}', allowed: NAME alone with -pod`);
      return await tellPod(name, values, env, json, (asked, of, client) => ask(caller, asked, of, client, 'udp'));
    }
    const explanation = await ask(caller, name, type, values.client!, transport);
    say(json ? `${JSON.stringify(explanation, undefined, 2)}\n` : liveText(explanation, values.v === 'true'));
    return explanation.result === 'NOERROR' ? 0 : 1;
  } catch (error) {
    if (error instanceof FlagError) return misused(EXPLAIN, error.message);
    if (!isExpected(error)) throw error;
    process.stderr.write(`nodens explain: ${error.message}\n`);
    return USAGE;
  }
};

const ask = async (
  caller: AdminCaller,
  name: string,
  type: string | undefined,
  client: string,
  transport: 'udp' | 'tcp',
): Promise<LiveExplanation> =>
  (await askAdmin(caller, '/explain', {
    name,
    ...(type !== undefined && { type }),
    client,
    transport,
  })) as LiveExplanation;

/** A whole lookup of a pod. */
async function tellPod(
  name: string,
  values: Readonly<Record<string, string>>,
  env: Environment,
  json: boolean,
  askAs: (name: string, type: string, client: string) => Promise<LiveExplanation>,
): Promise<number> {
  const [namespace = '', pod = '', extra] = values.pod!.split('/');
  const isLabel = (text: string): boolean => /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text);
  if (!isLabel(namespace) || !isLabel(pod) || extra !== undefined)
    throw new FlagError(`-pod: got '${values.pod}', allowed: NAMESPACE/POD`);
  const profile = (['glibc', 'musl', 'go'] as const).find((known) => known === values.libc);
  if (profile === undefined) throw new FlagError(`-libc: got '${values.libc}', allowed: glibc, musl, go`);
  const servers = values['cluster-dns']!.split(',').filter((text) => text !== '');
  const wrong = servers.find((text) => isIP(text) === 0);
  if (wrong !== undefined) throw new FlagError(`-cluster-dns: got '${wrong}', allowed: addresses, separated by commas`);
  const api = apiReader(values.kubeconfig!, env);
  try {
    const given = { servers, domain: values['cluster-domain'] || undefined };
    const dns = await podDns(api.read, namespace, pod, given);
    const asAsked = (asked: string, type: string): Promise<LiveExplanation> =>
      askAs(asked, type, dns.ip || '127.0.0.1');
    const around = { clock: realClock, random: secureRandom };
    const explanation = await explainForPod(dns, name, profile, asAsked, around);
    say(json ? `${JSON.stringify(explanation, undefined, 2)}\n` : podText(explanation));
    return explanation.found ? 0 : 1;
  } finally {
    api.close();
  }
}

/** What a recorder kept, in words; of one name where one is given. */
function tellRecording(file: string, form: string, [name, extra]: readonly string[]): number {
  if (extra !== undefined) throw new FlagError(`got '${extra}', allowed: one NAME with -record`);
  const recording = readRecording(readFileSync(file, 'utf8'), file);
  if (form === 'text') return say(recordingText(recording, name));
  const queries = recording.queries.map((query) => ({ ...query, reasons: reasonsOf(storyOfRecorded(query)) }));
  return say(`${JSON.stringify({ ...recording, queries }, undefined, 2)}\n`);
}

/** Where the flags of a tool say that a server is to be asked. Throws a FlagError for what cannot be asked. */
export function callerFrom(values: Readonly<Record<string, string>>): AdminCaller {
  const at = adminAddress(values.server!);
  if (typeof at === 'string') throw new FlagError(`-server: ${at}`);
  const timeout = parseDuration(values.timeout!);
  if (timeout === undefined || timeout <= 0)
    throw new FlagError(`-timeout: got '${values.timeout}', allowed: a duration such as 20s`);
  return { at, timeout, ...(values.token !== '' && { tokenFile: values.token }) };
}
