import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LAB_FOLDER } from '../../../src/lab/topology/load.js';

/** One line of a write-up, as it is typed. */
export interface Step {
  readonly line: string;
  /** What the output has; nothing is said where it does not matter. */
  readonly has?: string | RegExp;
  /** Exit code. Default 0. */
  readonly code?: number;
  /** Seconds after which Ctrl-C is pressed, for what does not end by itself. */
  readonly stop?: number;
  /** A lab cannot carry the line out; what it prints says why. */
  readonly refused?: true;
}

/** A line that a lab cannot carry out, and what it says in place of it. */
export const instead = (line: string, has: string, code = 127): Step => ({ line, has, code, refused: true });

const MANIFEST = readFileSync(path.join(LAB_FOLDER, 'manifests/webpod.yaml'), 'utf8');
/** Makes the sample application, as the write-ups type it. */
export const APPLY = `cat << EOF | kubectl apply -f -\n${MANIFEST}\nEOF`;

const parts = MANIFEST.split('\n---\n');
/** The web server alone, and then the pod to ask from, which some write-ups make in two steps. */
export const WEBPOD = `cat << EOF | kubectl apply -f -\n${parts.slice(0, 2).join('\n---\n')}\nEOF`;
export const CURL_POD = `cat <<EOF | kubectl apply -f -\n${parts[2]!}\nEOF`;

/** Asks the sample application again and again. */
export const LOOP = "kubectl exec -it curl-pod -- sh -c 'while true; do curl -s webpod | grep Hostname; sleep 1; done'";

/** Adds the query log to the node cache's Corefile: `kubectl edit`, whose editor's hand is a sed. */
export const LOGGED = `EDITOR="sed -i -E 's/^( +)errors/\\1log\\n\\1errors/'" kubectl edit cm -n kube-system node-local-dns`;
