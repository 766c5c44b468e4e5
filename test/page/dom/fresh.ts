import { beforeEach } from 'vitest';
import * as choice from '../../../src/page/lookup/choice.js';
import * as player from '../../../src/page/player.js';
import { cluster, connected, flows, flowsLeft, samples, selected } from '../../../src/page/state.js';
import { everyTest, media } from './browser.js';
import { view } from './given.js';

/** For every test of parts of the page: a cluster, no lookup, nothing that moves, and the form as it is at first. */
export function freshPage(): void {
  everyTest();
  beforeEach(() => {
    media.add('reduced-motion');
    [cluster.value, connected.value, selected.value] = [view(), true, undefined];
    [samples.value, flows.value, flowsLeft.value] = [[], [], 0];
    player.pause();
    [player.story.value, player.past.value, player.index.value] = [undefined, [], 0];
    [player.busy.value, player.problem.value] = [false, ''];
    [choice.name.value, choice.chosen.value, choice.types.value, choice.libc.value] = [
      'google.com',
      '',
      'A,AAAA',
      'glibc',
    ];
  });
}
