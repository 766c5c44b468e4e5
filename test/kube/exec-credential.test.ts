import { describe, expect, it } from 'vitest';
import { outputOf } from '../../src/kube/auth/exec-program.js';
import { ExecCredential } from '../../src/kube/auth/exec-credential.js';
import { ManualClock, realClock, type Clock } from '../../src/lib/clock.js';

const V1 = 'client.authentication.k8s.io/v1';
const BETA = 'client.authentication.k8s.io/v1beta1';

const CLUSTER = { server: 'https://api.test', config: null };

function credential(config: object, terminal = false, clock: Clock = realClock): ExecCredential {
  return new ExecCredential(
    { command: 'sh', ...config },
    {
      folder: '/',
      env: { PATH: process.env['PATH'] },
      clock,
      cluster: () => Promise.resolve(CLUSTER),
      terminal,
    },
  );
}

/** A program that prints a credential with what it was told as its token. */
const telling = (version: string): readonly string[] => [
  '-c',
  `printf '{"apiVersion":"${version}","status":{"token":"%s"}}' "$(printf %s "$KUBERNETES_EXEC_INFO" | base64 -w0)"`,
];

describe('a credential program', () => {
  it.each([
    { name: 'that is told nothing', config: { interactiveMode: 'Never' }, spec: { interactive: false } },
    {
      name: 'that wants to know the cluster',
      config: { interactiveMode: 'Never', provideClusterInfo: true },
      spec: { cluster: CLUSTER, interactive: false },
    },
    {
      name: 'that may ask, without a terminal',
      config: { interactiveMode: 'IfAvailable' },
      spec: { interactive: false },
    },
    {
      name: 'that may not ask, with a terminal',
      config: { interactiveMode: 'Never' },
      terminal: true,
      spec: { interactive: false },
    },
    {
      name: 'of v1beta1, which may leave the mode out',
      config: { apiVersion: BETA },
      spec: { interactive: false },
    },
  ])('is told what it asks for: one $name', async ({ config, terminal, spec }) => {
    const { apiVersion = V1 } = config as { apiVersion?: string };
    const { token = '' } = await credential({ apiVersion, args: telling(apiVersion), ...config }, terminal).get();
    expect(JSON.parse(Buffer.from(token, 'base64').toString())).toEqual({ kind: 'ExecCredential', apiVersion, spec });
  });

  it('is run again 10 s before what it gave expires', async () => {
    const clock = new ManualClock(Date.UTC(2025, 6, 30));
    // A process has a number of its own.
    const script = `echo '{"apiVersion":"${V1}","status":{"token":"'$$'","expirationTimestamp":"2025-07-30T00:10:00Z"}}'`;
    const given = credential({ apiVersion: V1, interactiveMode: 'Never', args: ['-c', script] }, false, clock);
    const tokens: unknown[] = [];
    for (const wait of [0, 10 * 60_000 - 10_000 - 1, 1]) {
      clock.advance(wait);
      tokens.push((await given.get()).token);
    }
    expect(tokens.map((token) => token === tokens[0])).toEqual([true, true, false]);
  });

  it.each([
    {
      name: 'another version than configured',
      printed: { apiVersion: BETA, status: { token: 't' } },
      error: `credential program sh printed apiVersion "${BETA}", expected ${V1}`,
    },
    {
      name: 'a certificate without its key',
      printed: { apiVersion: V1, status: { token: 't', clientCertificateData: 'c' } },
      error: 'credential program sh printed a certificate or a key, expected: both or neither',
    },
  ])('that prints $name is refused', async ({ printed, error }) => {
    const args = ['-c', `echo '${JSON.stringify(printed)}'`];
    await expect(credential({ apiVersion: V1, interactiveMode: 'Never', args }).get()).rejects.toThrow(error);
  });

  it.each([
    {
      name: 'v1 without a mode',
      config: { apiVersion: V1 },
      error: 'kubeconfig: exec.interactiveMode is missing, allowed are Never, IfAvailable, Always',
    },
    {
      name: 'an unknown mode',
      config: { apiVersion: BETA, interactiveMode: 'always' },
      error: 'kubeconfig: exec.interactiveMode is "always", allowed are Never, IfAvailable, Always',
    },
    {
      name: 'a terminal that is not there',
      config: { apiVersion: V1, interactiveMode: 'Always' },
      error: 'kubeconfig: exec.interactiveMode is Always, but standard input is no terminal',
    },
    {
      name: 'a variable without a name',
      config: { apiVersion: V1, interactiveMode: 'Never', env: [{ value: 'x' }] },
      error: 'kubeconfig: exec.env has an entry without a name',
    },
    {
      name: 'a version that is gone',
      config: { apiVersion: 'client.authentication.k8s.io/v1alpha1' },
      error: 'allowed are client.authentication.k8s.io/v1 and /v1beta1',
    },
  ])('is not run with $name', ({ config, error }) => expect(() => credential(config)).toThrow(error));
});

describe('what a program prints', () => {
  const MIB = 1024 * 1024;
  const printed = (script: string): Promise<string> =>
    outputOf('sh', ['-c', script], { env: { PATH: process.env['PATH'] }, terminal: false });

  it('is taken up to 1 MiB', async () => expect(await printed(`head -c ${MIB} /dev/zero`)).toHaveLength(MIB));

  it.each([
    { name: 'that it fails', script: 'exit 3', error: /^exit code 3$/ },
    { name: 'why it fails', script: 'echo a; echo why >&2; exit 3', error: /^exit code 3: why\n$/ },
    { name: 'that it prints more', script: `head -c ${MIB + 1} /dev/zero`, error: /^(SIGKILL|exit code 0)$/ },
    { name: 'that it does not end', script: 'exec cat /dev/zero', error: /^SIGKILL$/ },
    { name: 'that it complains without end', script: 'exec cat /dev/zero >&2', error: /^SIGKILL: / },
  ])('or else it is told $name', ({ script, error }) => expect(printed(script)).rejects.toThrow(error));
});
