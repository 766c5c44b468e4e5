import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventLog } from '../../src/lab/cluster/event-log.js';
import { ManualClock } from '../../src/lib/clock.js';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

let driven: Driven;
beforeAll(async () => {
  driven = await drivenLab();
});
afterAll(() => driven.end());

/** The lines of a command, runs of blanks as one. */
const lines = async (line: string): Promise<string[]> =>
  (await driven.run(line)).text.split('\n').map((one) => one.replace(/ +/g, ' ').trim());

describe('kubectl get events', () => {
  it('tells on a fresh lab what was placed and started', async () => {
    const shown = await lines('kubectl get events');
    expect(shown[0]).toBe('LAST SEEN TYPE REASON OBJECT MESSAGE');
    expect(shown.filter((line) => line.includes('webpod-556878d5d7-7p8bn'))).toEqual([
      '0s Normal SuccessfulCreate replicaset/webpod-556878d5d7 Created pod: webpod-556878d5d7-7p8bn',
      '0s Normal Scheduled pod/webpod-556878d5d7-7p8bn Successfully assigned default/webpod-556878d5d7-7p8bn to k8s-ctr',
      '0s Normal Pulled pod/webpod-556878d5d7-7p8bn Container image "traefik/whoami" already present on machine',
      '0s Normal Created pod/webpod-556878d5d7-7p8bn Created container: webpod',
      '0s Normal Started pod/webpod-556878d5d7-7p8bn Started container webpod',
    ]);
  });

  it.each([
    {
      name: 'fields select',
      line: 'kubectl get events --field-selector involvedObject.kind=Deployment,reason=ScalingReplicaSet',
      want: ['0s Normal ScalingReplicaSet deployment/webpod Scaled up replica set webpod-556878d5d7 from 0 to 2'],
    },
    {
      name: 'an object holds all of it',
      line:
        'kubectl get events -n kube-system --field-selector involvedObject.name=coredns-674b8bbfcf-gbnm8,reason=Started ' +
        "-o jsonpath='{.items[0].involvedObject.fieldPath} {.items[0].source.host} {.items[0].count}'",
      want: ['spec.containers{coredns} k8s-w1 1'],
    },
  ])('$name', async ({ line, want }) =>
    expect((await lines(line)).filter((one) => one !== '' && !one.startsWith('LAST'))).toEqual(want),
  );
});

it('describe shows the events of an object', async () => {
  const shown = await lines('kubectl describe pod curl-pod');
  expect(shown.slice(shown.indexOf('Events:'))).toEqual([
    'Events:',
    'Type Reason Age From Message',
    '---- ------ --- ---- -------',
    'Normal Scheduled 0s default-scheduler Successfully assigned default/curl-pod to k8s-ctr',
    'Normal Pulled 0s kubelet Container image "nicolaka/netshoot" already present on machine',
    'Normal Created 0s kubelet Created container: curl',
    'Normal Started 0s kubelet Started container curl',
    '',
  ]);
});

it('tells of changes, and counts what comes again', async () => {
  await driven.run('kubectl scale deploy webpod --replicas=1');
  const after = (await lines('kubectl get events')).join('\n');
  expect(after).toMatch(/deployment\/webpod Scaled down replica set webpod-556878d5d7 from 2 to 1/);
  expect(after).toMatch(/Normal Killing pod\/webpod-\S+ Stopping container webpod/);
  expect(after).toMatch(/replicaset\/webpod-556878d5d7 Deleted pod: webpod-/);
  await driven.run('sleep 5');
  const [{ name } = { name: '' }] = driven.lab.kubelet.list().filter(({ namespace }) => namespace === 'default');
  await driven.run(`restart ${name}`);
  expect((await lines(`kubectl describe pod ${name}`)).join('\n')).toMatch(/Started 0s \(x2 over \d+s\) kubelet/);
});

it('an event that is told again counts and stands last; after an hour it is forgotten', () => {
  const clock = new ManualClock();
  let changes = 0;
  const log = new EventLog(clock, () => changes++);
  const about = { kind: 'Pod', namespace: 'default', name: 'web', created: clock.now() };
  const tell = (reason: string): void => log.tell({ about, reason, message: '', source: { component: 'kubelet' } });
  const told = (): unknown => log.list().map(({ reason, count, id }) => ({ reason, count, id }));
  tell('Pulled');
  tell('Started');
  clock.advance(1_800_000);
  tell('Pulled');
  expect(told()).toEqual([
    { reason: 'Started', count: 1, id: 2 },
    { reason: 'Pulled', count: 2, id: 1 },
  ]);
  clock.advance(1_800_000);
  expect(told()).toEqual([{ reason: 'Pulled', count: 2, id: 1 }]);
  expect(changes).toBe(3);
});
