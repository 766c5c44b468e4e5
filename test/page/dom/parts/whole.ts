import { describe, expect, it, vi } from 'vitest';
import type { ClusterView, FlowView, LiveSample, LookupAnswer } from '../../../../src/lab/web/api.js';
import { adopt, asked, doing, find, json, lab, media, submit, textOf, textsOf } from '../browser.js';
import { CORE, CURL, pod, story, view } from '../given.js';

/** The lab's events, as a browser has them. */
class Events extends EventTarget {
  static last: Events;

  constructor(readonly url: string) {
    super();
    Events.last = this;
  }

  tell(name: string, data: unknown): Promise<void> {
    return doing(() => this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) })));
  }

  happens(name: 'open' | 'error'): Promise<void> {
    return doing(() => this.dispatchEvent(new Event(name)));
  }
}

/** A page that is opened at an address, and knows the cluster; null where it is not told yet. */
async function opened(search = '', told: ClusterView | null = view()) {
  vi.resetModules();
  vi.stubGlobal('EventSource', Events);
  history.replaceState(undefined, '', `/${search}`);
  const root = document.createElement('div');
  root.id = 'page';
  document.body.append(root);
  adopt(root);
  await doing(() => import('../../../../src/page/page.js'));
  const events = Events.last;
  expect(events.url).toBe('/api/events');
  if (told) {
    await events.happens('open');
    await events.tell('cluster', told);
  }
  const [state, player] = await Promise.all([
    import('../../../../src/page/state.js'),
    import('../../../../src/page/player.js'),
  ]);
  return { root, events, state, player };
}
const sample = (time: number): LiveSample => ({ time, period: 1000, packets: 0, cpu: 0, servers: {} });
const flow = (seq: number, more: Partial<FlowView> = {}): FlowView => ({
  seq,
  time: 0,
  node: 'one',
  source: { ip: '10.0.0.7', port: 4000, name: 'default/curl-pod', part: CURL },
  destination: { ip: '10.0.1.5', port: 80, name: 'x', part: CORE },
  protocol: 'TCP',
  point: 'to-endpoint',
  verdict: 'FORWARDED',
  summary: 'TCP',
  ...more,
});

export function wholeParts(): void {
  describe('the page', () => {
    it('waits for the cluster, and then says what it is', async () => {
      const { root, events } = await opened('', null);
      expect(textOf(root)).toBe('The lab is being looked at …');
      await events.happens('open');
      await events.tell('cluster', view());
      expect([textOf(find(root, 'h1')), textOf(find(root, '.facts'))]).toEqual([
        'nodens lab two-nodes',
        '2 nodes · 4 pods · cluster DNS 10.96.0.10 · cluster.local',
      ]);
      expect([textOf(find(root, '.live')), find(root, '.live').dataset.on]).toEqual(['live', 'true']);
      expect([textsOf(root, '.banner'), textsOf(root, 'h2').slice(0, 5)]).toEqual([
        [],
        [
          'A lookup, step by step',
          'The cluster',
          'Hit ratio and cost over time',
          'Flows, as Hubble tells them',
          'Console',
        ],
      ]);
      expect(textsOf(root, '.key li')).toEqual([
        'client',
        'web',
        'service address',
        'node cache',
        'CoreDNS',
        'outside',
        'way of the lookup',
      ]);
      expect([document.documentElement.dataset.theme, textsOf(root, 'footer label')]).toEqual([
        'auto',
        ['auto', 'light', 'dark'],
      ]);
    });

    it.each([
      { name: 'the port of an idle pod', pods: view().pods, want: 'dig @127.0.0.1 -p 5301 google.com' },
      { name: 'not that of a server', pods: [pod('pod/x/y', { kind: 'dns', port: 1 })], want: '' },
      { name: 'nothing where no pod has one', pods: [pod(CURL)], want: '' },
    ])('hints at $name', async ({ pods, want }) => {
      const { root } = await opened('', view({ pods }));
      expect(textOf(find(root, '.hint')).includes('dig')).toBe(want !== '');
      expect(textOf(root.querySelector('.hint code'))).toBe(want);
    });

    it('says that the lab has ended, stands still then, and goes on when it is back', async () => {
      const { root, events, player } = await opened();
      await doing(() => (player.show(story()), player.play()));
      await events.happens('error');
      expect([textOf(find(root, '.live')), find(root, '.live').dataset.on, player.playing.value]).toEqual([
        'the lab does not answer',
        undefined,
        false,
      ]);
      expect(textOf(find(root, '.banner[role=alert]'))).toMatch(
        /^The lab has ended, or does not answer\. .* nodens lab up -topology two-nodes/,
      );
      await events.happens('open');
      expect([textOf(find(root, '.live')), textsOf(root, '.banner')]).toEqual(['live', []]);
    });

    it('is not said to have ended before it answered', async () => {
      const { root, events, state } = await opened('', null);
      await events.happens('error');
      expect([state.ended.value, textsOf(root, '.banner')]).toEqual([false, []]);
    });

    it('shows a lookup that was asked: its steps, its queries and its cost', async () => {
      const { root } = await opened();
      expect([root.querySelector('.stage'), root.querySelector('.matrix'), root.querySelector('.past')]).toEqual([
        null,
        null,
        null,
      ]);
      lab.answers = () => json(story());
      await submit(find(root, '.lookup-form'));
      expect([
        textsOf(root, '.sum').length,
        textsOf(root, '.past tbody tr').length,
        root.querySelector('.hint'),
      ]).toEqual([1, 1, null]);
      // The second time there is a stage to go to at once.
      await submit(find(root, '.lookup-form'));
      expect(document.activeElement?.className).toBe('stage');
    });

    it.each([
      { name: 'narrow', query: 'max-width: 1079px', times: 1 },
      { name: 'wide', query: 'nothing', times: 0 },
    ])('shows the picture of a lookup where the window is $name', async ({ query, times }) => {
      const scroll = vi.spyOn(Element.prototype, 'scrollIntoView').mockImplementation(() => {});
      media.add(query);
      const { root } = await opened();
      lab.answers = () => json(story());
      await submit(find(root, '.lookup-form'));
      expect(scroll.mock.contexts).toEqual(Array.from({ length: times }, () => find(root, '.picture')));
    });
  });

  describe('what the lab tells', () => {
    it('are samples: all at first and where several come, one more else, the last 300', async () => {
      const { events, state } = await opened();
      const times = async (...list: readonly number[]): Promise<readonly number[]> => {
        await events.tell('samples', list.map(sample));
        return state.samples.value.map(({ time }) => time);
      };
      expect(await times(1)).toEqual([1]);
      expect(await times(2)).toEqual([1, 2]);
      expect(await times(7, 8)).toEqual([7, 8]);
      expect(await times(9)).toEqual([7, 8, 9]);
      await events.happens('open');
      expect(await times(5)).toEqual([5]);
      const many = Array.from({ length: 310 }, (_, i) => i);
      expect(await times(...many)).toEqual(many.slice(10));
    });

    it('are flows: the last 400, and how many were left out', async () => {
      const { events, state } = await opened();
      await events.tell('flows', { flows: [flow(0)], left: 2 });
      await events.tell('flows', { flows: Array.from({ length: 400 }, (_, i) => flow(i + 1)), left: 3 });
      const seen = state.flows.value.map(({ seq }) => seq);
      expect([seen.length, seen[0], seen.at(-1), state.flowsLeft.value]).toEqual([400, 1, 400, 5]);
    });

    it('are pulses along the lines', async () => {
      const { events } = await opened();
      const { onPulse } = await import('../../../../src/page/picture/pulses.js');
      const tones: string[] = [];
      onPulse(({ tone }) => tones.push(tone));
      await events.tell('flows', { flows: [flow(1)], left: 0 });
      await events.tell('visits', { visits: [{ server: CORE, from: CURL, hit: true }], left: 0 });
      expect(tones).toEqual(['other', 'hit']);
    });
  });

  describe('an address', () => {
    const PAST = 'nodens-past two-nodes';
    const keep = (...list: readonly LookupAnswer[]): void => sessionStorage.setItem(PAST, JSON.stringify(list));
    const OTHER = story({ asked: 'webpod' });
    const at = '?topology=two-nodes&pod=default/curl-pod&name=google.com';

    it('of another topology says so, and asks nothing', async () => {
      const { root } = await opened('?topology=big&name=google.com');
      expect([asked, textsOf(root, '.banner')]).toEqual([
        [],
        [
          'This address is of the topology big, and this lab runs two-nodes. ' +
            'Start the other one: nodens lab up -topology big',
        ],
      ]);
      // Until a lookup of this one is shown.
      lab.answers = () => json(story());
      await submit(find(root, '.lookup-form'));
      expect(textsOf(root, '.banner')).toEqual([]);
    });

    it('without a name shows nothing, and has the past lookups of its tab', async () => {
      keep(OTHER);
      const { player } = await opened('?topology=two-nodes');
      expect([asked, player.story.value, player.past.value.map((one) => one.asked)]).toEqual([
        [],
        undefined,
        ['webpod'],
      ]);
    });

    it('of a lookup that the tab has had shows it at its step', async () => {
      keep(OTHER, story());
      const { player, root } = await opened(`${at}&step=3.2`);
      expect([asked, player.story.value?.asked, player.frame.value!.query, player.frame.value!.hop]).toEqual([
        [],
        'google.com',
        2,
        1,
      ]);
      expect([location.search, find<HTMLInputElement>(root, '[name=name]').value]).toEqual([
        `${at}&step=3.2`,
        'google.com',
      ]);
    });

    it.each([
      { name: 'name', more: { asked: 'webpod' } },
      { name: 'resolver', more: { profile: 'musl' } },
      { name: 'pod', more: { pod: { ...story().pod, name: 'other' } } },
      { name: 'type', more: { steps: story().steps.map((step) => ({ ...step, queries: step.queries.slice(1) })) } },
    ])('asks again where the lookup had another $name', async ({ more }) => {
      keep(story(more));
      lab.answers = () => json(story());
      const { player } = await opened(`${at}&step=3.2`);
      expect(asked).toEqual([
        ['POST', '/api/lookup', { pod: 'default/curl-pod', name: 'google.com', types: ['A', 'AAAA'], libc: 'glibc' }],
      ]);
      expect([player.frame.value!.query, player.past.value.length]).toEqual([2, 2]);
    });

    it('fills the form', async () => {
      lab.answers = () => json({ error: 'no' }, 400);
      const { root } = await opened('?name=a.b&pod=kube-system/agent&types=AAAA&libc=musl');
      const values = ['name', 'pod', 'types', 'libc'].map(
        (name) => find<HTMLInputElement>(root, `[name=${name}]`).value,
      );
      expect(values).toEqual(['a.b', 'kube-system/agent', 'AAAA', 'musl']);
      expect(textOf(find(root, '.problem'))).toBe('no');
    });

    it('and the tab keep what is shown, but not each step of what plays', async () => {
      const { player, events } = await opened();
      await doing(() => player.show(story()));
      expect(location.search).toBe(at);
      await doing(() => {
        player.past.value = [story()];
        player.play();
        player.index.value = 4;
      });
      expect([location.search, (JSON.parse(sessionStorage.getItem(PAST)!) as unknown[]).length]).toEqual([at, 1]);
      await doing(() => player.pause());
      expect(location.search).toBe(`${at}&step=2.1`);
      // News of the cluster change neither.
      await doing(() => player.goTo(2));
      await events.tell('cluster', view({ name: 'two-nodes' }));
      expect([location.search, player.past.value.length]).toEqual([`${at}&step=1.2`, 1]);
      await doing(() => player.goTo(99));
      expect(location.search).toBe(`${at}&step=end`);
    });

    it('is asked for once', async () => {
      lab.answers = () => json(story());
      const { events } = await opened(at);
      await events.tell('cluster', view());
      await events.tell('cluster', view());
      expect(asked).toHaveLength(1);
    });
  });
}
