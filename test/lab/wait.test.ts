import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());

const ONE = 'webpod-556878d5d7-7p8bn';
const TWO = 'webpod-556878d5d7-r4dmh';
const timedOut = (of: string): string => `error: timed out waiting for the condition on ${of}\n`;

describe('kubectl wait', () => {
  it('tells of each object whether it came to it', async () => {
    await driven.run(`crash ${ONE}`);
    const line = 'kubectl wait --for=condition=Ready pod -l app=webpod --timeout=2s';
    const began = driven.lab.clock.monotonic();
    expect(await driven.run(line)).toEqual({ text: `pod/${TWO} condition met\n${timedOut(`pods/${ONE}`)}`, code: 1 });
    expect(driven.lab.clock.monotonic() - began).toBe(2000);
    expect(await driven.run(`kubectl wait --for=condition=Ready=False pod ${ONE} ${TWO} --timeout=1s`)).toEqual({
      text: `pod/${ONE} condition met\n${timedOut(`pods/${TWO}`)}`,
      code: 1,
    });
    await driven.run(`restart ${ONE}`);
    expect(await driven.run(line)).toEqual({
      text: `pod/${ONE} condition met\npod/${TWO} condition met\n`,
      code: 0,
    });
  });

  it('tells objects of one name in two namespaces apart', async () => {
    await driven.run('kubectl create namespace other');
    for (const namespace of ['default', 'other'])
      await driven.run(`kubectl create configmap same -n ${namespace} --from-literal=a=${namespace}`);
    expect(
      await driven.run("kubectl wait configmap -A --all --for=jsonpath='{.data.a}'=other --timeout=1s"),
    ).toMatchObject({ text: expect.stringContaining('configmap/same condition met\n') as string, code: 1 });
    const { text } = await driven.run(
      "kubectl wait configmap same -n default --for=jsonpath='{.data.a}'=other --timeout=1s",
    );
    expect(text).toBe(timedOut('configmaps/same'));
    expect(
      await driven.run("kubectl wait configmap same -n other --for=jsonpath='{.data.a}'=other --timeout=1s"),
    ).toEqual({ text: 'configmap/same condition met\n', code: 0 });
  });

  it.each([
    { line: 'kubectl wait pod --for=delete', text: 'error: resource(s) were provided, but no name was specified' },
    { line: 'kubectl wait pod -l app=none --for=condition=Ready', text: 'error: no matching resources found' },
    { line: 'kubectl wait pod none --for=condition=Ready', text: 'pods "none" not found' },
    { line: 'kubectl wait pod curl-pod --for=ready', text: 'error: --for: got "ready", allowed: delete, condition=' },
    { line: 'kubectl wait pod curl-pod', text: 'error: --for: got "", allowed: delete' },
  ])('$line is refused', async ({ line, text }) =>
    expect(await driven.run(line)).toMatchObject({ text: expect.stringContaining(text) as string, code: 1 }),
  );

  it('waits for what is to go: what is not there is gone', async () => {
    expect(await driven.run('kubectl wait pod none --for=delete')).toMatchObject({ code: 0 });
    expect(await driven.run('kubectl wait pod curl-pod --for=delete --timeout=1s')).toEqual({
      text: timedOut('pods/curl-pod'),
      code: 1,
    });
  });
});
