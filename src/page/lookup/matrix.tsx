import type { ExplainedQuery, Explanation } from '../../lab/web/api.js';
import { toneOf, whyText } from '../frames.js';
import { frame, goToQuery, reached } from '../player.js';

const outcomeOf = (story: Explanation): { readonly wasted: number; readonly useful: number } => {
  const results = story.steps.flatMap(({ queries }) => queries.map(({ result }) => result));
  const useful = results.filter((result) => result === 'NOERROR').length;
  return { useful, wasted: results.length - useful };
};

/** Why a name took so many queries, at a glance: a row for each name that was tried, a column for each type. */
export function Matrix({ story }: { readonly story: Explanation }) {
  const { wasted } = outcomeOf(story);
  const types = [...new Set(story.steps.flatMap(({ queries }) => queries.map(({ type }) => type)))];
  const { queries } = story.cost;
  // Queries are numbered in the order in which the frames walk through them.
  let next = 0;
  const numbers = new Map(story.steps.flatMap((step) => step.queries.map((query) => [query, next++] as const)));
  return (
    <div class="matrix">
      <p class="sum">
        <strong>
          {queries} {queries === 1 ? 'query' : 'queries'}
        </strong>{' '}
        = {story.steps.length} {story.steps.length === 1 ? 'name' : 'names'} tried × {types.join(' and ')}
        {wasted > 0 && (
          <>
            ; <em>{wasted} found nothing</em>
          </>
        )}
      </p>
      <p class="why">{whyText(story)}.</p>
      <table>
        <caption class="sr">Queries by search step and type</caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            {types.map((type) => (
              <th key={type} scope="col">
                {type}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {story.steps.map((step, i) => (
            <tr key={`${i} ${step.name}`} data-current={frame.value?.step === i || undefined}>
              <th scope="row">
                <span class="tried">{broken(step.name)}</span> <small>{broken(step.why)}</small>
              </th>
              {types.map((type) => (
                <td key={type}>
                  {step.queries
                    .filter((query) => query.type === type)
                    .map((query) => (
                      <Cell key={numbers.get(query)} query={query} number={numbers.get(query)!} />
                    ))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A long name may be broken behind its dots. */
const broken = (name: string) => name.split(/(?<=\.)/).map((label) => [label, <wbr key={label} />]);

/** Where a query was answered: `node cache` hits save the way. */
const hitOf = ({ hops }: ExplainedQuery): boolean => hops.find((hop) => hop.kind === 'visit')?.cache === 'hit';

function Cell({ query, number }: { readonly query: ExplainedQuery; readonly number: number }) {
  const lit = number <= reached.value;
  return (
    <button
      type="button"
      class="query"
      data-lit={lit || undefined}
      data-current={frame.value?.query === number || undefined}
      data-tone={toneOf(query.result)}
      onClick={() => goToQuery(number)}
    >
      <span class="sr">
        Query {number + 1}, {query.type}:{' '}
      </span>
      <b>{query.result}</b>
      <small>
        {hitOf(query) && <span class="hit">hit </span>}
        {query.time.toFixed(1)} ms
      </small>
    </button>
  );
}
