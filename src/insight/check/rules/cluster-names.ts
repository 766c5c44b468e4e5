import { Zones } from '../../../chain/index.js';
import type { CorefileRule } from '../blocks.js';
import { isReverse, optionsOf, passesOn } from '../blocks.js';

const reverseKept: CorefileRule = {
  name: 'reverse-not-passed-on',
  severity: 'warning',
  means: 'Reverse lookups of every address that is not of the cluster end in NXDOMAIN, though there is an upstream.',
  todo: "Write 'fallthrough in-addr.arpa ip6.arpa'.",
  *find({ blocks }) {
    for (const block of blocks)
      for (const kubernetes of block.all('kubernetes')) {
        const kept = block
          .zonesOf(kubernetes)
          .filter((zone) => /^(in-addr|ip6)\.arpa\.$/.test(zone) && !passesOn(kubernetes, zone));
        if (block.has('forward') && kept.length > 0)
          yield { at: kubernetes, text: `${kept.join(' and ')} without fallthrough` };
      }
  },
};

const namesLeak: CorefileRule = {
  name: 'cluster-names-leave',
  severity: 'warning',
  means: 'Names of the cluster that do not exist are asked from the upstream: slow, and seen by others.',
  todo: "Name the zones: 'fallthrough in-addr.arpa ip6.arpa'.",
  *find({ blocks }) {
    for (const block of blocks)
      for (const kubernetes of block.all('kubernetes')) {
        const forwarded = new Zones(block.all('forward').flatMap((forward) => block.zonesOf(forward)));
        const leaving = block
          .zonesOf(kubernetes)
          .filter((zone) => !isReverse(zone) && passesOn(kubernetes, zone) && forwarded.contains(zone));
        const [option] = optionsOf(kubernetes, 'fallthrough');
        if (leaving.length > 0 && option !== undefined)
          yield { at: option, text: `what ${leaving.join(', ')} does not have goes to the upstream` };
      }
  },
};

const autopathBlind: CorefileRule = {
  name: 'autopath-without-pods',
  severity: 'warning',
  means: 'autopath @kubernetes finds clients by the addresses of pods, which are only known with pods verified.',
  todo: "Write 'pods verified' in kubernetes.",
  *find({ blocks }) {
    for (const block of blocks)
      for (const autopath of block.all('autopath')) {
        const kubernetes = block.first('kubernetes');
        if (autopath.args.at(-1) !== '@kubernetes') continue;
        const pods = kubernetes === undefined ? undefined : optionsOf(kubernetes, 'pods').at(-1)?.args[0];
        if (pods !== 'verified')
          yield {
            at: autopath,
            text: kubernetes === undefined ? 'there is no kubernetes in the block' : `pods is ${pods ?? 'disabled'}`,
          };
      }
  },
};

const noReverse: CorefileRule = {
  name: 'reverse-unserved',
  severity: 'hint',
  means: 'Reverse lookups of addresses of the cluster go to the upstream, which cannot know them.',
  todo: "Add 'in-addr.arpa ip6.arpa' to kubernetes.",
  *find({ blocks }) {
    for (const block of blocks)
      for (const kubernetes of block.all('kubernetes'))
        if (block.zones.contains('in-addr.arpa.') && !block.zonesOf(kubernetes).some(isReverse))
          yield { at: kubernetes, text: 'no reverse zone is served' };
  },
};

const rewriteOneWay: CorefileRule = {
  name: 'rewrite-one-way',
  severity: 'warning',
  means: 'Answers keep the rewritten name, which is not what was asked: many clients drop them.',
  todo: "Add 'answer auto', or 'answer name FROM TO'.",
  *find({ blocks }) {
    for (const rewrite of blocks.flatMap((block) => block.all('rewrite'))) {
      const lines = [rewrite.args, ...(rewrite.options ?? []).map(({ name, args }) => [name, ...args])];
      const all = lines.map((words) => (words[0] === 'stop' || words[0] === 'continue' ? words.slice(1) : words));
      const answered = all.some((words) => words.includes('answer') || words.length > 5);
      const renames = all.some(
        ([field, match]) => field === 'name' && /^(prefix|suffix|substring|regex)$/.test(match!),
      );
      if (renames && !answered) yield { at: rewrite, text: 'the question is rewritten, the answer is not' };
    }
  },
};

export const CLUSTER_NAMES: readonly CorefileRule[] = [reverseKept, namesLeak, autopathBlind, noReverse, rewriteOneWay];
