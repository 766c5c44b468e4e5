import { panics, type Query, type Runtime } from '../chain/index.js';
import type { FlightRecorder } from '../record/flight-recorder.js';
import { countExtendedErrors } from './extended-errors.js';
import { chargeAttempts } from './overload.js';
import { Responder, type ResponderHooks } from './respond.js';
import type { ServerOptions } from './server-options.js';
import { watchAnswers } from './top.js';

/**
 * What answers a server's queries, and counts, logs and records on the way.
 *
 * @param stacktrace whether faults of handlers are logged with their stacks
 */
export function makeResponder(options: ServerOptions, runtime: Runtime, stacktrace: () => boolean): Responder {
  const { metrics, log, clock } = runtime;
  const panicked = panics(metrics);
  const panickedAt = (error: unknown, query: Query): void => {
    panicked.inc();
    const text = error instanceof Error ? error.message : String(error);
    const stack = stacktrace() && error instanceof Error ? `\n${error.stack}` : '';
    log.error(`Recovered from panic in server: "${query.client.server.label}" ${text}${stack}`);
  };
  const overdue = (query: Query): void =>
    log.error(`"${query.qname} ${query.typeName}" was not answered in time by any handler`);
  const answered = watchAnswers(clock, options.top, countExtendedErrors(metrics));
  const shares = options.workerPool?.shares;
  const recording = recordingTo(options.recorder);
  const waited = chargeAttempts(shares, recording.waited);
  const hooks = { panicked: panickedAt, overdue, answered, ...recording, waited };
  return new Responder(clock, hooks, options.queryTime);
}

const recordingTo = (recorder: FlightRecorder | undefined): Pick<ResponderHooks, 'atOnce' | 'waited'> =>
  recorder === undefined
    ? {}
    : {
        atOnce: (query, outcome, chain) => recorder.atOnce(query, outcome, chain),
        waited: (query, outcome, chain) => recorder.waited(query, outcome, chain),
      };
