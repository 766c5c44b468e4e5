import { expect, it } from 'vitest';
import { servedLab } from './client.js';
import type { Asked } from './client.js';

const served = servedLab();

const ACCESS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const spec = { resourceAttributes: { verb: 'create', resource: 'pods' } };

it.each<{ name: string; method?: string; path: string; asked: Asked; status: number; want: object }>([
  {
    name: 'whether one may',
    path: ACCESS,
    asked: { body: { kind: 'SelfSubjectAccessReview', spec } },
    status: 201,
    want: { kind: 'SelfSubjectAccessReview', spec, status: { allowed: true } },
  },
  {
    name: 'a body in protobuf',
    path: ACCESS,
    asked: { body: 'k8s\0', type: 'application/vnd.kubernetes.protobuf' },
    status: 201,
    want: { status: { allowed: true } },
  },
  {
    name: 'what one may',
    path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
    asked: { body: { spec: { namespace: 'default' } } },
    status: 201,
    want: { status: { resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }], incomplete: false } },
  },
  {
    name: 'who one is',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    asked: { body: {} },
    status: 201,
    want: { status: { userInfo: { username: 'admin' } } },
  },
  { name: 'a body that is none', path: ACCESS, asked: { body: '{' }, status: 400, want: { reason: 'BadRequest' } },
  { name: 'without the token', path: ACCESS, asked: { body: {}, token: 'x' }, status: 401, want: { code: 401 } },
  { name: 'another method', method: 'GET', path: ACCESS, asked: {}, status: 404, want: { reason: 'NotFound' } },
])('$name', async ({ method = 'POST', path, asked, status, want }) =>
  expect(await served().ask(method, path, asked)).toMatchObject({ status, body: want }),
);
