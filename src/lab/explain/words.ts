import type { Node } from '../../datapath/cluster/node.js';
import { askedOf, askedText, cacheText } from '../../insight/explain/words.js';
import type { Frontend } from '../../datapath/loadbalancer/service.js';
import type { Lab } from '../lab.js';
import type { InnerQuestion, ServerSpan } from '../trace/tracer.js';

/** What a node makes of an address, in words. */
export function translationText(address: string, node: Node, frontend: Frontend | undefined): string {
  const backends = frontend?.backends.map((backend) => backend.ip).join(' or ');
  if (frontend?.redirect)
    return `redirect ${frontend.redirect.policy} on ${node.name}: to ${backends || 'nobody'} in place of service ${frontend.owner}`;
  // A node cache with rules has the service's address on its node; packets never come there with it.
  const passedBy =
    frontend !== undefined && node.netns.hasAddress(address)
      ? `; ${node.name} has the address itself and is passed by: sockets are translated before a packet is sent`
      : '';
  if (frontend) return `service ${frontend.owner}: to ${backends || 'nobody, it has no endpoints'}${passedBy}`;
  return node.netns.hasAddress(address) ? `an address of ${node.name} itself` : 'no service, straight to the address';
}

/** What a server did with a query, in words. */
export function spanText(visit: ServerSpan, lab: Lab): string {
  const [namespace = '', name = ''] = visit.server.split('/', 2);
  const pod = lab.kubelet.get(namespace, name);
  const place = pod ? `${visit.server} on ${pod.model.spec.node}` : `${visit.server} outside the cluster`;
  const cached = cachedText(visit);
  const by =
    visit.answeredBy === undefined
      ? ', nobody answered'
      : visit.answeredBy === 'cache'
        ? ''
        : `, plugin ${visit.answeredBy} ${visit.answeredBy === 'forward' ? 'asked upstream' : 'answered'}`;
  const time = visit.ended === undefined ? 'not done yet' : `${(visit.ended - visit.started).toFixed(1)} ms`;
  const more = [...upstreamTexts(visit), ...ownQuestions(visit).map(questionText), walkText(visit)]
    .filter((text) => text !== '')
    .map((text) => `; ${text}`);
  return (
    `${place} by ${visit.transport.toUpperCase()} from ${visit.remote.address}: ` +
    `${cached}${by}: ${visit.rcode ?? 'no answer'}, ${time}${more.join('')}`
  );
}

function cachedText({ plugins, answeredBy, notes }: ServerSpan): string {
  if (!plugins.includes('cache')) return 'no cache';
  const note = notes.find((one) => one.kind === 'cache' && one.state !== 'miss');
  if (note?.kind === 'cache') return cacheText(note);
  return answeredBy === 'cache' ? 'cache hit' : 'cache miss';
}

/** Each upstream that was asked, how often, what it said and after what time. */
export const upstreamTexts = ({ notes }: Pick<ServerSpan, 'notes'>): string[] =>
  askedOf(notes.filter((note) => note.kind === 'attempt')).map(askedText);

const questionText = ({ name, type, rcode = 'no answer' }: InnerQuestion): string =>
  `asks for ${name} ${type}: ${rcode}`;

/** Questions that autopath asked along the search list of whoever asked. */
function walked({ plugins, questions, name, type }: ServerSpan): readonly InnerQuestion[] {
  if (!plugins.includes('autopath')) return [];
  const label = name.split('.', 1)[0]!.toLowerCase();
  return questions.filter(
    (question) =>
      question.type === type && question.name !== name && question.name.toLowerCase().startsWith(`${label}.`),
  );
}

/** Other questions that a server asked itself for an answer: for the target of an alias. */
export function ownQuestions(visit: ServerSpan): readonly InnerQuestion[] {
  const steps = walked(visit);
  return visit.questions.filter((question) => question.name !== visit.name && !steps.includes(question));
}

/** Where autopath walked the search list of whoever asked; empty where it did not. */
function walkText(visit: ServerSpan): string {
  const steps = walked(visit);
  if (steps.length === 0) return '';
  const told = steps.map((step) => `${step.name} ${step.rcode ?? 'no answer'}`).join(', ');
  return `autopath walked the pod's search list in its place: ${told}`;
}
