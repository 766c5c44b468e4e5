import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { PartDetails } from '../lab/web/api.js';
import { partDetails } from './connection.js';
import { selected } from './state.js';

/** Time between two looks at an open part, in milliseconds. */
const AGAIN = 2000;

/** The part that was clicked: what it is, its files and its last words. */
export function Details() {
  const id = selected.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const details = useSignal<PartDetails | undefined>(undefined);
  const problem = useSignal('');
  useEffect(() => {
    if (id === undefined) return undefined;
    const stop = new AbortController();
    const read = (): void => {
      partDetails(id, stop.signal).then(
        (found) => ((details.value = found), (problem.value = '')),
        (error: unknown) => {
          if (!stop.signal.aborted) problem.value = (error as Error).message;
        },
      );
    };
    details.value = undefined;
    read();
    const timer = setInterval(read, AGAIN);
    if (!dialog.current!.open) dialog.current!.showModal();
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [id]);
  const shown = details.value;
  return (
    <dialog
      class="details"
      ref={dialog}
      aria-labelledby="details-title"
      onClose={() => (selected.value = undefined)}
      onClick={(event) => event.target === event.currentTarget && dialog.current?.close()}
    >
      <div class="inner">
        <header>
          <h2 id="details-title">{id?.replace(/^[^/]+\//, '') ?? ''}</h2>
          <button type="button" class="close" aria-label="Close" onClick={() => dialog.current?.close()}>
            ✕
          </button>
        </header>
        {problem.value !== '' && (
          <p class="problem" role="alert">
            {problem.value}
          </p>
        )}
        {shown && (
          <>
            <dl>
              {shown.facts.map(([term, text]) => (
                <div key={term}>
                  <dt>{term}</dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
            {shown.links.length > 0 && (
              <p class="links">
                {shown.links.map(({ title, url }) => (
                  <a key={url} href={url} target="_blank" rel="noopener">
                    {title}
                  </a>
                ))}
              </p>
            )}
            {shown.texts.map(({ title, text }) => (
              <section key={title}>
                <h3>{title}</h3>
                <pre tabIndex={0} aria-label={title}>
                  {text}
                </pre>
              </section>
            ))}
          </>
        )}
      </div>
    </dialog>
  );
}
