import { useSignal } from '@preact/signals';
import type { FlowView, PeerView } from '../lab/web/api.js';
import { stepOf } from './address.js';
import { frameOfFlow } from './flow-steps.js';
import { frame, frames, goTo, story } from './player.js';
import { flows, flowsLeft } from './state.js';

/** Rows that are drawn. */
const ROWS = 100;
const VERDICTS = ['FORWARDED', 'TRANSLATED', 'TRACED', 'DROPPED'];

const clock = (time: number): string => new Date(time).toISOString().slice(11, 23);
const peer = ({ name, port }: PeerView): string => (port === 0 ? name : `${name}:${port}`);
const textOf = (flow: FlowView): string =>
  (
    `${flow.node} ${flow.source.ip} ${peer(flow.source)} ${flow.destination.ip} ` +
    `${peer(flow.destination)} ${flow.protocol} ${flow.point} ${flow.verdict} ${flow.summary} ${dnsText(flow)}`
  ).toLowerCase();

/** `A google.com.`, and what it was answered. */
function dnsText({ dns }: FlowView): string {
  return dns ? `${dns.type} ${dns.name}${dns.result === undefined ? '' : ` ${dns.result}`}` : '';
}

/** Flows as Hubble reports them, the newest first. */
export function Flows() {
  const filter = useSignal('');
  const verdict = useSignal('');
  const held = useSignal<readonly FlowView[] | undefined>(undefined);
  const words = filter.value
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const wanted = (held.value ?? flows.value).filter(
    (flow) =>
      (verdict.value === '' || flow.verdict === verdict.value) && words.every((word) => textOf(flow).includes(word)),
  );
  const rows = wanted.slice(-ROWS).reverse();
  return (
    <>
      <div class="filters">
        <label>
          Filter{' '}
          <input
            type="search"
            value={filter.value}
            placeholder="curl-pod google.com NXDOMAIN"
            onInput={(event) => (filter.value = event.currentTarget.value)}
          />
        </label>
        <label>
          Verdict{' '}
          <select value={verdict.value} onChange={(event) => (verdict.value = event.currentTarget.value)}>
            <option value="">all</option>
            {VERDICTS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <button
          type="button"
          aria-pressed={held.value !== undefined}
          onClick={() => (held.value = held.value ? undefined : flows.value)}
        >
          {held.value ? 'Go on' : 'Hold'}
        </button>
        <button type="button" onClick={() => ((flows.value = []), (flowsLeft.value = 0), (held.value = undefined))}>
          Clear
        </button>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Flows, the newest first">
        <table class="flows">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Source → destination</th>
              <th scope="col">Protocol, DNS question</th>
              <th scope="col" class="more">
                Point
              </th>
              <th scope="col">Verdict</th>
              <th scope="col">Step</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((flow) => (
              <Row key={flow.seq} flow={flow} step={story.value && frameOfFlow(flow, story.value, frames.value)} />
            ))}
          </tbody>
        </table>
        {rows.length === 0 && (
          <p class="note">
            {flows.value.length === 0
              ? "Nothing yet: look a name up, or ask a pod's port with dig."
              : 'No flow matches.'}
          </p>
        )}
      </div>
      {flowsLeft.value > 0 && <p class="note">{flowsLeft.value} more came too fast to be listed.</p>}
    </>
  );
}

/** @param step number of the moment of the shown lookup that the flow belongs to */
function Row({ flow, step }: { readonly flow: FlowView; readonly step: number | undefined }) {
  const moment = step === undefined ? undefined : frames.value[step];
  const now = frame.value;
  return (
    <tr
      data-verdict={flow.verdict}
      data-of-query={(moment && moment.query === now?.query) || undefined}
      data-now={(moment && moment === now) || undefined}
    >
      <td class="time">{clock(flow.time)}</td>
      <td class="ends">
        <span>{peer(flow.source)}</span> <span class="arrow">{flow.reply ? '⇐' : '→'}</span>{' '}
        <span>{peer(flow.destination)}</span>
      </td>
      <td class="ends">
        {flow.summary} <b>{dnsText(flow)}</b>
      </td>
      <td class="more">
        {flow.point} <small>{flow.node}</small>
      </td>
      <td class="verdict">{flow.verdict}</td>
      <td>
        {moment && (
          <button
            type="button"
            class="link"
            onClick={() => goTo(step!)}
            aria-label={`show step ${stepOf(moment)} of the lookup`}
          >
            {stepOf(moment)}
          </button>
        )}
      </td>
    </tr>
  );
}
