import { describe, expect, it } from 'vitest';
import { resourceByWord } from '../../../src/lab/cluster/resources.js';
import { ApiFault, alreadyExists, conflict, invalid, notFound, success } from '../../../src/lab/kube-api/fault.js';
import type { FaultReason } from '../../../src/lab/kube-api/fault.js';

const [PODS, DEPLOYMENTS] = [resourceByWord('pods')!, resourceByWord('deployments')!];

describe('a request that is refused', () => {
  // The status of each reason (Kubernetes API reference, meta/v1 StatusReason; RFC 9110 section 15.5).
  it.each<{ reason: FaultReason; code: number }>([
    { reason: 'BadRequest', code: 400 },
    { reason: 'Unauthorized', code: 401 },
    { reason: 'Forbidden', code: 403 },
    { reason: 'NotFound', code: 404 },
    { reason: 'MethodNotAllowed', code: 405 },
    { reason: 'NotAcceptable', code: 406 },
    { reason: 'AlreadyExists', code: 409 },
    { reason: 'Conflict', code: 409 },
    { reason: 'Expired', code: 410 },
    { reason: 'RequestEntityTooLarge', code: 413 },
    { reason: 'UnsupportedMediaType', code: 415 },
    { reason: 'Invalid', code: 422 },
    { reason: 'InternalError', code: 500 },
  ])('$reason is $code', ({ reason, code }) => {
    const fault = new ApiFault(reason, 'no');
    expect([fault.status, fault.object]).toEqual([
      code,
      { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'no', reason, details: {}, code },
    ]);
  });

  it.each([
    { fault: notFound(PODS, 'a'), says: 'pods "a" not found' },
    { fault: notFound(DEPLOYMENTS, 'a'), says: 'deployments.apps "a" not found' },
    { fault: alreadyExists(DEPLOYMENTS, 'a'), says: 'deployments.apps "a" already exists' },
    { fault: conflict(PODS, 'a', 'so'), says: 'Operation cannot be fulfilled on pods "a": so' },
    { fault: invalid(PODS, 'a', 'so'), says: 'Pod "a" is invalid: so' },
    { fault: invalid(DEPLOYMENTS, 'a', 'so'), says: 'Deployment.apps "a" is invalid: so' },
  ])('says: $says', ({ fault, says }) => expect(fault.message).toBe(says));

  it.each([
    { why: 'spec.x: got "a"', causes: [{ reason: 'FieldValueInvalid', message: 'got "a"', field: 'spec.x' }] },
    { why: 'it is wrong', causes: [{ reason: 'FieldValueInvalid', message: 'it is wrong', field: 'Deployment' }] },
  ])('names the field: $why', ({ why, causes }) =>
    expect(invalid(DEPLOYMENTS, 'a', why).object['details']).toEqual({
      name: 'a',
      group: 'apps',
      kind: 'deployments',
      causes,
    }),
  );
});

it('what was carried out has its object by name and uid', () =>
  expect(success(PODS, 'a', 'u1')).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'a', group: '', kind: 'pods', uid: 'u1' },
  }));
