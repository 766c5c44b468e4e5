import { useSignal } from '@preact/signals';
import type { LookupAnswer } from '../../lab/web/api.js';
import { past } from '../player.js';
import { fileName, save } from '../save.js';
import { cluster } from '../state.js';

/** Time that a word about what was done stays, in milliseconds. */
const SAID = 2500;

/** What can be done with a lookup: its address and its text copied, its data saved. */
export function Share({ story }: { readonly story: LookupAnswer }) {
  const said = useSignal('');
  const copy = (what: string, text: string): void => {
    const say = (word: string): void => {
      said.value = word;
      setTimeout(() => said.value === word && (said.value = ''), SAID);
    };
    navigator.clipboard.writeText(text).then(
      () => say(`${what} copied`),
      () => say('the browser does not let the page copy'),
    );
  };
  const saveJson = (): void =>
    save(
      fileName('lookup', story.asked, 'json'),
      'application/json',
      `${JSON.stringify({ topology: cluster.value?.name, lookup: story, past: past.value }, undefined, 2)}\n`,
    );
  return (
    <div class="share">
      <div class="chips">
        <button type="button" onClick={() => copy('link', location.href)}>
          Copy link
        </button>
        <button type="button" onClick={() => copy('text', story.asText)}>
          Copy text
        </button>
        <button type="button" onClick={saveJson}>
          Save as JSON
        </button>
        <span role="status">{said.value}</span>
      </div>
      <details>
        <summary>As text, as the command explain -v prints it</summary>
        <pre tabIndex={0} aria-label="The lookup as text">
          {story.asText}
        </pre>
      </details>
    </div>
  );
}
