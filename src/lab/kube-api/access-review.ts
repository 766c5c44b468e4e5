import type { IncomingMessage } from 'node:http';
import { asObject } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import { bodyOf, typeOf } from './body.js';

const ALL = ['*'];
const RULES = {
  resourceRules: [{ verbs: ALL, apiGroups: ALL, resources: ALL }],
  nonResourceRules: [{ verbs: ALL, nonResourceURLs: ALL }],
  incomplete: false,
};
const USER = { userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] } };

/** What is answered to questions about oneself: the token's owner may do everything. */
const REVIEWS: Readonly<Record<string, RawObject>> = {
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews': {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    status: { allowed: true, reason: "the owner of the lab's token may do everything" },
  },
  '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews': {
    kind: 'SelfSubjectRulesReview',
    apiVersion: 'authorization.k8s.io/v1',
    status: RULES,
  },
  '/apis/authentication.k8s.io/v1/selfsubjectreviews': {
    kind: 'SelfSubjectReview',
    apiVersion: 'authentication.k8s.io/v1',
    status: USER,
  },
};

/**
 * The answer to a review of what the client may do, or who it is; undefined for other paths. What is asked for changes
 * nothing, so that bodies in any encoding are taken. Throws an ApiFault for one that cannot be read.
 */
export async function accessReview(pathname: string, request: IncomingMessage): Promise<RawObject | undefined> {
  if (request.method !== 'POST' || !Object.hasOwn(REVIEWS, pathname)) return undefined;
  const encoded = typeOf(request).includes('protobuf');
  const { spec = {} } = encoded ? {} : asObject(await bodyOf(request));
  return { ...REVIEWS[pathname]!, metadata: {}, spec };
}
