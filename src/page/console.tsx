import { signal } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { execute } from './connection.js';

/** Characters of output that are kept. */
const KEPT = 60_000;
const EXAMPLES = [
  'kubectl get pods -A -o wide',
  'cilium-dbg service list',
  'hubble observe --last 12',
  'kubectl exec curl-pod -- dig google.com',
  'help',
];

const output = signal('');
const running = signal<AbortController | undefined>(undefined);

const write = (text: string): void => void (output.value = (output.value + text).slice(-KEPT));

/** Runs a line where everybody sees it; resolves with its exit code, 1 where the lab refused it. */
export async function runLine(line: string): Promise<number> {
  const stop = new AbortController();
  running.value = stop;
  write(`$ ${line}\n`);
  try {
    return await execute(line, write, stop.signal);
  } catch (error) {
    write(stop.signal.aborted ? '^C\n' : `${(error as Error).message}\n`);
    return 1;
  } finally {
    running.value = undefined;
  }
}

/** A prompt of the lab: the commands of `nodens lab shell`. */
export function Console() {
  const [line, setLine] = useState('');
  const lines = useRef<readonly string[]>([]);
  const at = useRef(0);
  const end = useRef<HTMLPreElement>(null);
  const text = output.value;
  useLayoutEffect(() => {
    if (end.current) end.current.scrollTop = end.current.scrollHeight;
  }, [text]);
  const run = (command: string): void => {
    if (command.trim() === '' || running.value) return;
    lines.current = [...lines.current, command];
    at.current = lines.current.length;
    setLine('');
    void runLine(command);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (step === 0) return;
    event.preventDefault();
    at.current = Math.max(0, Math.min(lines.current.length, at.current + step));
    setLine(lines.current[at.current] ?? '');
  };
  return (
    <>
      <div class="chips">
        {EXAMPLES.map((one) => (
          <button key={one} type="button" onClick={() => run(one)} disabled={running.value !== undefined}>
            {one}
          </button>
        ))}
      </div>
      <pre class="output" ref={end} tabIndex={0} role="log" aria-label="Output of commands">
        {text === '' ? 'Commands run in the lab, as in "nodens lab shell".' : text}
      </pre>
      <form class="prompt" onSubmit={(event) => (event.preventDefault(), run(line))}>
        <label class="sr" for="line">
          Command
        </label>
        <span aria-hidden="true">$</span>
        <input
          id="line"
          value={line}
          onInput={(event) => setLine(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          placeholder="kubectl exec curl-pod -- nslookup webpod"
        />
        {running.value ? (
          <button type="button" onClick={() => running.value?.abort()}>
            Stop
          </button>
        ) : (
          <button type="submit">Run</button>
        )}
      </form>
    </>
  );
}
