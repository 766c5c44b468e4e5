import { effect, untracked } from '@preact/signals';
import { render } from 'preact';
import { useRef } from 'preact/hooks';
import type { ClusterView } from '../lab/web/api.js';
import { Charts } from './charts.js';
import { follow } from './connection.js';
import { Console } from './console.js';
import { Details } from './details.js';
import { Faults } from './faults.js';
import { Flows } from './flows.js';
import { LookupForm } from './lookup/form.js';
import { Matrix } from './lookup/matrix.js';
import { Past } from './lookup/past.js';
import { Share } from './lookup/share.js';
import { Stage } from './lookup/stage.js';
import { NodeCacheSwitch } from './node-cache-switch.js';
import './page.css';
import { Picture } from './picture/picture.js';
import { pulseFlows, pulseVisits } from './picture/pulses.js';
import { past, pause, story } from './player.js';
import { notice, restore } from './restore.js';
import { cluster, connected, ended } from './state.js';
import { ThemeSwitch } from './theme-switch.js';
import { followTheme } from './theme.js';

/** Where the picture comes after the form, as in the style sheet. */
const NARROW = '(max-width: 1079px)';

function Page() {
  const view = cluster.value;
  const stage = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLElement>(null);
  if (!view) return <p class="waiting">The lab is being looked at …</p>;
  const told = story.value;
  const onAsked = (): void => {
    stage.current?.focus({ preventScroll: true });
    if (matchMedia(NARROW).matches) picture.current?.scrollIntoView({ block: 'start' });
  };
  return (
    <>
      <Header view={view} />
      <main>
        {/* What is asked comes first for those who go by keyboard or ear; the style sheet puts it at the side. */}
        <div class="side">
          <section class="panel lookup" aria-labelledby="lookup-title">
            <h2 id="lookup-title">A lookup, step by step</h2>
            <LookupForm onAsked={onAsked} />
            {!told && <Hint view={view} />}
          </section>
          {told && (
            <section class="panel walk" aria-label="Steps of the lookup">
              <Stage story={told} root={stage} />
            </section>
          )}
          {told && (
            <section class="panel queries" aria-label="Queries of the lookup">
              <Matrix story={told} />
              <Share story={told} />
            </section>
          )}
          {past.value.length > 0 && (
            <section class="panel queries" aria-label="Past lookups">
              <Past />
            </section>
          )}
        </div>
        <section class="panel picture" ref={picture} aria-labelledby="picture-title">
          <div class="title">
            <h2 id="picture-title">The cluster</h2>
            <NodeCacheSwitch view={view} />
          </div>
          <Picture view={view}>
            <Key />
          </Picture>
          <Faults view={view} />
        </section>
        <section class="panel figures" aria-labelledby="figures-title">
          <h2 id="figures-title">Hit ratio and cost over time</h2>
          <Charts />
        </section>
        <section class="panel flow-list" aria-labelledby="flows-title">
          <h2 id="flows-title">Flows, as Hubble tells them</h2>
          <Flows />
        </section>
        <section class="panel shell" aria-labelledby="console-title">
          <h2 id="console-title">Console</h2>
          <Console />
        </section>
      </main>
      <footer>
        <ThemeSwitch />
      </footer>
      <Details />
    </>
  );
}

function Header({ view }: { readonly view: ClusterView }) {
  return (
    <>
      <header class="top">
        <h1>
          <img src="/icon.svg" alt="" width="28" height="28" /> nodens lab <span>{view.name}</span>
        </h1>
        <p class="facts">
          {view.nodes.length} nodes · {view.pods.length} pods · cluster DNS {view.dns} · {view.domain}
        </p>
        <p class="live" data-on={connected.value || undefined} role="status">
          {connected.value ? 'live' : 'the lab does not answer'}
        </p>
      </header>
      {ended.value && (
        <p class="banner" role="alert">
          The lab has ended, or does not answer. What you see is how it was. Start it again with{' '}
          <code>nodens lab up -topology {view.name}</code> (or its file): this page then goes on by itself.
        </p>
      )}
      {notice.value !== '' && (
        <p class="banner" role="alert">
          {notice.value}
        </p>
      )}
    </>
  );
}

function Hint({ view }: { readonly view: ClusterView }) {
  const port = view.pods.find((pod) => pod.kind === 'idle' && pod.port !== undefined)?.port;
  return (
    <div class="hint">
      <p>
        Choose a name and press <b>Look up</b>: its way through the cluster lights up, step by step.
      </p>
      {port !== undefined && (
        <p>
          A real client asks as a pod, and is seen here too:
          <br />
          <code>dig @127.0.0.1 -p {port} google.com</code>
        </p>
      )}
    </div>
  );
}

const KINDS = [
  ['idle', 'client'],
  ['web', 'web'],
  ['service', 'service address'],
  ['node-cache', 'node cache'],
  ['dns', 'CoreDNS'],
  ['host', 'outside'],
] as const;

function Key() {
  return (
    <ul class="key" aria-label="Colours">
      {KINDS.map(([kind, text]) => (
        <li key={kind} data-kind={kind}>
          {text}
        </li>
      ))}
      <li data-kind="way">way of the lookup</li>
    </ul>
  );
}

followTheme();
follow(pulseVisits, pulseFlows);
// What the address names can be asked for once the cluster is known.
const waiting = cluster.subscribe((view) => {
  if (!view) return;
  queueMicrotask(() => waiting());
  untracked(() => restore(view));
});
// A lookup does not play on beside a lab that has ended.
effect(() => {
  if (ended.value) pause();
});
render(<Page />, document.getElementById('page')!);
