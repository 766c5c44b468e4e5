import { formatDuration, parseDuration } from '../../../lib/duration.js';
import type { CorefileRule } from '../blocks.js';
import { hasOption, isPublic, optionsOf } from '../blocks.js';

/** Above it, an answer over UDP may not fit into one packet on the way (DNS flag day 2020). */
const SAFE_SIZE = 1400;

const lameduck: CorefileRule = {
  name: 'lameduck-too-long',
  severity: 'warning',
  means: 'The pod is killed before its lame duck time is over, and queries that it holds are lost.',
  todo: 'Make lameduck shorter, or terminationGracePeriodSeconds longer.',
  *find({ blocks, grace }) {
    for (const option of blocks.flatMap((b) => b.all('health').flatMap((one) => optionsOf(one, 'lameduck')))) {
      const time = parseDuration(option.args[0] ?? '') ?? 0;
      if (time >= grace)
        yield { at: option, text: `lameduck ${formatDuration(time)}, and the pod has ${formatDuration(grace)} to end` };
    }
  },
};

const noLameduck: CorefileRule = {
  name: 'lameduck-missing',
  severity: 'hint',
  means: 'The server ends while clients are still led to it: some queries of each restart are lost.',
  todo: "Write 'lameduck 5s' in health.",
  *find({ blocks, role }) {
    if (role === 'node-cache') return;
    for (const health of blocks.flatMap((block) => block.all('health')))
      if (!hasOption(health, 'lameduck')) yield { at: health, text: 'health without lameduck' };
  },
};

const noErrors: CorefileRule = {
  name: 'errors-missing',
  severity: 'hint',
  means: 'Why a query failed is written nowhere.',
  todo: "Add 'errors'.",
  *find({ blocks }) {
    for (const { source } of blocks) {
      const asks = source.directives.some(({ name }) => name === 'forward' || name === 'kubernetes');
      if (asks && !source.directives.some(({ name }) => name === 'errors'))
        yield { at: source, text: `the block of '${source.keys[0]?.text ?? ''}' has no errors` };
    }
  },
};

const noReload: CorefileRule = {
  name: 'reload-missing',
  severity: 'hint',
  means: 'A changed Corefile is not read before the next start.',
  todo: "Add 'reload'.",
  *find({ blocks }) {
    const [first] = blocks;
    if (first !== undefined && !blocks.some((block) => block.has('reload')))
      yield { at: first.source, text: 'no block has reload' };
  },
};

const debugOn: CorefileRule = {
  name: 'debug-on',
  severity: 'warning',
  means: 'With debug a fault of a plugin ends the process, and the log holds what each query went through.',
  todo: 'Leave debug out where others depend on the server.',
  *find({ blocks }) {
    for (const debug of blocks.flatMap((block) => block.all('debug'))) yield { at: debug, text: 'debug is on' };
  },
};

const logsEverything: CorefileRule = {
  name: 'log-every-query',
  severity: 'hint',
  means: 'A line for each query costs nearly as much as answering it from the cache, and tells who asks for what.',
  todo: "Write 'log . { class denial error }', or leave log out.",
  *find({ blocks }) {
    for (const log of blocks.flatMap((block) => block.all('log')))
      if (optionsOf(log, 'class').every(({ args }) => args.includes('all') || args.includes('success')))
        yield { at: log, text: 'every query is logged' };
  },
};

const fragments: CorefileRule = {
  name: 'bufsize-fragments',
  severity: 'warning',
  means: 'Answers over UDP may be cut into fragments, of which networks lose some: lookups then time out.',
  todo: "Write 'bufsize 1232'.",
  *find({ blocks }) {
    for (const bufsize of blocks.flatMap((block) => block.all('bufsize')))
      if (Number(bufsize.args[0]) > SAFE_SIZE) yield { at: bufsize, text: `${bufsize.args[0]} bytes in one datagram` };
  },
};

const openTransfer: CorefileRule = {
  name: 'transfer-to-all',
  severity: 'warning',
  means: 'Whoever can reach the server gets the whole zone.',
  todo: "Name the secondaries: 'to 192.0.2.1'.",
  *find({ blocks }) {
    for (const to of blocks.flatMap((block) => block.all('transfer').flatMap((one) => optionsOf(one, 'to'))))
      if (to.args.includes('*') && !blocks.some((block) => block.has('acl')))
        yield { at: to, text: 'transfers go to everybody' };
  },
};

const openResolver: CorefileRule = {
  name: 'open-resolver',
  severity: 'warning',
  means: 'Everybody on the internet can have names resolved here, and use that to flood others.',
  todo: "Add 'acl' with the networks of the clients, or bind to an inner address.",
  *find({ blocks }) {
    for (const block of blocks) {
      const open = block.listen.find(isPublic);
      const bind = block.first('bind');
      if (open !== undefined && bind !== undefined && block.has('forward') && !block.has('acl'))
        yield { at: bind, text: `${open} is public, names are forwarded, and there is no acl` };
    }
  },
};

const erratic: CorefileRule = {
  name: 'erratic-answers',
  severity: 'warning',
  means: 'erratic drops, delays or cuts answers on purpose.',
  todo: 'Keep it for tests.',
  *find({ blocks }) {
    for (const one of blocks.flatMap((block) => block.all('erratic'))) yield { at: one, text: 'erratic is on' };
  },
};

const nodeCacheEverywhere: CorefileRule = {
  name: 'node-cache-unbound',
  severity: 'warning',
  means: 'The cache of a node takes port 53 at every address of the node, also where other resolvers listen.',
  todo: "Add 'bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__', or bind 0.0.0.0 in a pod of its own network.",
  *find({ blocks, role }) {
    if (role !== 'node-cache') return;
    for (const block of blocks)
      if (!block.has('bind')) yield { at: block.source, text: `'${block.source.keys[0]?.text ?? ''}' has no bind` };
  },
};

export const SERVING: readonly CorefileRule[] = [
  lameduck,
  noLameduck,
  noErrors,
  noReload,
  debugOn,
  logsEverything,
  fragments,
  openTransfer,
  openResolver,
  erratic,
  nodeCacheEverywhere,
];
