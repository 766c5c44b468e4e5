import type { RefObject } from 'preact';
import type { Explanation, Hop } from '../../lab/web/api.js';
import { frame, frames, goTo, index, byQuery, pause, play, playing } from '../player.js';

const KEYS: Readonly<Record<string, () => void>> = {
  ArrowRight: () => goTo(index.value + 1),
  ArrowLeft: () => goTo(index.value - 1),
  ArrowDown: () => byQuery(1),
  ArrowUp: () => byQuery(-1),
  Home: () => goTo(0),
  End: () => goTo(frames.value.length - 1),
  ' ': () => (playing.value ? pause() : play()),
};

const tagOf = (hop: Hop): string =>
  hop.kind === 'visit'
    ? hop.cache === 'hit'
      ? 'hit'
      : hop.cache === 'miss'
        ? 'miss'
        : 'server'
    : hop.redirect
      ? 'redirect'
      : hop.at === undefined
        ? 'direct'
        : 'service';
/** The words of a hop without the one that its tag says. */
const wordsOf = (hop: Hop): string => hop.text.replace(new RegExp(`^${tagOf(hop)} `), '');

/** The moment of the lookup that is shown, in words, and the keys that walk through it. */
export function Stage({ story, root }: { readonly story: Explanation; readonly root: RefObject<HTMLDivElement> }) {
  const now = frame.value;
  if (!now) return null;
  const query =
    story.steps[now.step]?.queries[
      now.query - story.steps.slice(0, now.step).reduce((sum, step) => sum + step.queries.length, 0)
    ];
  const last = frames.value.length - 1;
  const onKeyDown = (event: KeyboardEvent): void => {
    const run = KEYS[event.key];
    // A button keeps its own keys.
    if (!run || (event.key === ' ' && event.target !== event.currentTarget)) return;
    event.preventDefault();
    run();
  };
  return (
    <div
      class="stage"
      ref={root}
      tabIndex={0}
      role="group"
      aria-label="The lookup step by step: left and right arrow for one step, up and down for one query, space to play"
      onKeyDown={onKeyDown}
    >
      <div class="controls">
        <button type="button" onClick={() => goTo(0)} disabled={index.value === 0} aria-label="First step">
          |◀
        </button>
        <button type="button" onClick={() => goTo(index.value - 1)} disabled={index.value === 0} aria-label="Step back">
          ◀
        </button>
        <button
          type="button"
          class="play"
          onClick={() => (playing.value ? pause() : play())}
          aria-label={playing.value ? 'Pause' : 'Play'}
        >
          {playing.value ? '❚❚' : '▶ Play'}
        </button>
        <button
          type="button"
          onClick={() => goTo(index.value + 1)}
          disabled={index.value === last}
          aria-label="Step forward"
        >
          ▶
        </button>
        <button type="button" onClick={() => goTo(last)} disabled={index.value === last} aria-label="Last step">
          ▶|
        </button>
        <span class="place">
          {index.value + 1} / {last + 1}
        </span>
      </div>
      <progress max={last} value={index.value} aria-label="Steps walked" />
      <h3>{now.title}</h3>
      {query ? (
        <ol class="hops">
          {query.hops.map((hop, i) => (
            <li
              key={i}
              data-now={now.hop === i || undefined}
              data-past={now.hop > i || undefined}
              data-tag={tagOf(hop)}
              style={{ '--depth': hop.depth }}
            >
              <span class="tag">{tagOf(hop)}</span> {wordsOf(hop)}
            </li>
          ))}
          <li class="reply" data-now={now.kind === 'reply' || undefined}>
            <span class="tag">reply</span> {query.text}
          </li>
        </ol>
      ) : (
        <p>{now.kind === 'end' ? story.outcome : now.text}</p>
      )}
      {now.kind === 'end' && <Cost story={story} />}
      <Reasons reasons={now.kind === 'end' ? story.reasons : now.kind === 'reply' && query ? query.reasons : []} />
      <p class="sr" aria-live="polite">
        {playing.value ? '' : `${now.title}. ${now.text}`}
      </p>
    </div>
  );
}

/** What went wrong, and what to do about it. */
function Reasons({ reasons }: Pick<Explanation, 'reasons'>) {
  if (reasons.length === 0) return null;
  const advice = new Set(reasons.flatMap((reason) => reason.advice ?? []));
  return (
    <ul class="reasons">
      {reasons.map(({ text }) => (
        <li key={text}>
          <b>Why:</b> {text}.
        </li>
      ))}
      {[...advice].map((text) => (
        <li key={text}>
          <b>Try:</b> {text}.
        </li>
      ))}
    </ul>
  );
}

/** What the lookup took, in figures. */
function Cost({ story: { cost } }: { readonly story: Explanation }) {
  const figures = [
    ['queries', cost.queries],
    ['packets', cost.packets],
    ['sockets', cost.sockets],
    ['visits', cost.visits],
    ['ms', cost.time.toFixed(1)],
  ] as const;
  return (
    <dl class="cost">
      {figures.map(([unit, value]) => (
        <div key={unit}>
          <dt>{unit}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
