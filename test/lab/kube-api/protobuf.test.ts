import { describe, expect, it } from 'vitest';
import { readWritten } from '../../../src/kube/protobuf/written.js';
import { servedLab } from './client.js';
import type { Answer } from './client.js';

const APPS = '/apis/apps/v1/namespaces/default';
const CORE = '/api/v1/namespaces/default';

/** What `kubectl create` 1.32.4 sent, in base64. */
const SENT = {
  deployment:
    'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EsYBCiEKBG1hZGUSABoAIgAqADIAOABCAFoLCgNhcHASBG1hZGUSkgEIAhINCgsKA2FwcBIEbWFkZRp3Ch0KABIAGgAiACoAMgA4AEIAWgsKA2FwcBIEbWFkZRJWEjgKBndob2FtaRIOdHJhZWZpay93aG9hbWkqADIKCgAQABhQIgAqAEIAagByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA==',
  namespace: 'azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEbWFkZRIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==',
  configmap: 'azhzAAoPCgJ2MRIJQ29uZmlnTWFwEh4KFAoEbWFkZRIAGgAiACoAMgA4AEIAEgYKAWESATEaACIA',
  serviceaccount: 'azhzAAoUCgJ2MRIOU2VydmljZUFjY291bnQSFgoUCgRtYWRlEgAaACIAKgAyADgAQgAaACIA',
  service:
    'azhzAAoNCgJ2MRIHU2VydmljZRJsCiEKBG1hZGUSABoAIgAqADIAOABCAFoLCgNhcHASBG1hZGUSQwobCgc4MC04MDgwEgNUQ1AYUCIHCAAQkD8aACgAEgsKA2FwcBIEbWFkZRoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==',
  clusterrolebinding:
    'azhzAAoyChxyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvL3YxEhJDbHVzdGVyUm9sZUJpbmRpbmcSaQoUCgRtYWRlEgAaACIAKgAyADgAQgASIQoOU2VydmljZUFjY291bnQSABoEbWFkZSIHZGVmYXVsdBouChlyYmFjLmF1dGhvcml6YXRpb24uazhzLmlvEgtDbHVzdGVyUm9sZRoEbWFkZRoAIgA=',
  job: 'azhzAAoPCghiYXRjaC92MRIDSm9iEngKFAoEbWFkZRIAGgAiACoAMgA4AEIAElYyVAoQCgASABoAIgAqADIAOABCABJAEh0KBG1hZGUSAXgqAEIAagByAIABAIgBAJABAKIBABoFTmV2ZXIyAEIASgBSAFgAYABoAIIBAIoBAJoBAMIBABoIIAAoADAAOgAaACIA',
};

/** What the first of them says. */
const DEPLOYMENT = {
  metadata: { name: 'made', labels: { app: 'made' } },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'made' } },
    template: {
      metadata: { labels: { app: 'made' } },
      spec: { containers: [{ name: 'whoami', image: 'traefik/whoami', ports: [{ containerPort: 80 }] }] },
    },
  },
};

const served = servedLab();
const sent = (path: string, body: string): Promise<Answer> =>
  served().ask('POST', path, { body: Buffer.from(body, 'base64'), type: 'application/vnd.kubernetes.protobuf' });

describe('a body in protobuf', () => {
  it.each([
    {
      name: 'a Deployment',
      path: `${APPS}/deployments`,
      body: SENT.deployment,
      want: DEPLOYMENT,
    },
    { name: 'a Namespace', path: '/api/v1/namespaces', body: SENT.namespace, want: { metadata: { name: 'made' } } },
    { name: 'a ConfigMap', path: `${CORE}/configmaps`, body: SENT.configmap, want: { data: { a: '1' } } },
    {
      name: 'a ServiceAccount',
      path: `${CORE}/serviceaccounts`,
      body: SENT.serviceaccount,
      want: { metadata: { name: 'made' } },
    },
    {
      name: 'a Service',
      path: `${CORE}/services`,
      body: SENT.service,
      want: {
        spec: {
          type: 'ClusterIP',
          selector: { app: 'made' },
          ports: [{ name: '80-8080', port: 80, protocol: 'TCP', targetPort: 8080 }],
        },
      },
    },
    {
      name: 'a ClusterRoleBinding',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      body: SENT.clusterrolebinding,
      want: {
        subjects: [{ kind: 'ServiceAccount', name: 'made', namespace: 'default' }],
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'made' },
      },
    },
  ])('holds $name', async ({ path, body, want }) => {
    const answer = await sent(path, body);
    expect(answer).toMatchObject({ status: 201, body: want });
    expect((await served().get(`${path}/made`)).metadata.name).toBe('made');
  });

  it('says exactly what was said, without the zeros of what was not', () => {
    expect(readWritten(Buffer.from(SENT.deployment, 'base64'))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      fields: DEPLOYMENT,
    });
  });

  it('of a kind that is not known is refused, with those that are', async () => {
    const answer = await sent(`${CORE}/configmaps`, SENT.job);
    expect(answer.body).toMatchObject({
      code: 415,
      message: expect.stringMatching(
        / with the kind "Job", allowed in it: ClusterRole, .*, ServiceAccount; others in app/,
      ),
    });
  });

  it('that is cut short is refused', async () => {
    const bytes = Buffer.from(SENT.configmap, 'base64');
    const answer = await sent(`${CORE}/configmaps`, bytes.subarray(0, -8).toString('base64'));
    expect(answer.body).toMatchObject({
      code: 400,
      message: expect.stringContaining('the body cannot be read: protobuf'),
    });
  });
});
