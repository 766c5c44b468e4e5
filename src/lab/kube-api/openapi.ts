import type { RawObject } from '../../kube/objects/raw.js';
import { ALL_RESOURCES } from '../cluster/resources.js';
import type { Resource } from '../cluster/resources.js';

/** A document in one of the forms that clients read. */
export interface SchemaText {
  readonly type: string;
  readonly body: Buffer;
}

const INFO = { title: 'Kubernetes', version: 'v1.33.2' };

const json = (body: RawObject): SchemaText => ({ type: 'application/json', body: Buffer.from(JSON.stringify(body)) });

const groupVersionKind = ({ group, apiVersion, kind }: Resource): RawObject => ({
  group,
  version: apiVersion.split('/').at(-1),
  kind,
});

/** The path below which a group's kinds are: `api/v1`, `apis/apps/v1`. */
const rootOf = ({ group, apiVersion }: Resource): string => `${group === '' ? 'api' : 'apis'}/${apiVersion}`;

const schemaName = ({ group, apiVersion, kind }: Resource): string =>
  `io.k8s.api.${group === '' ? 'core' : group.split('.')[0]!}.${apiVersion.split('/').at(-1)!}.${kind}`;

/** What all kinds have; their own members are not listed, and anything may stand there. */
const schemaOf = (resource: Resource): RawObject => ({
  type: 'object',
  description: `${resource.kind} as the lab holds it: members that the lab does not know are kept as they are.`,
  properties: {
    apiVersion: { type: 'string', description: `Always ${resource.apiVersion}.` },
    kind: { type: 'string', description: `Always ${resource.kind}.` },
    metadata: {
      type: 'object',
      description: 'Name, namespace, labels and annotations.',
      'x-kubernetes-preserve-unknown-fields': true,
    },
  },
  'x-kubernetes-group-version-kind': [groupVersionKind(resource)],
  'x-kubernetes-preserve-unknown-fields': true,
});

/** What a patch takes: clients leave the check of fields to a server that says so here. */
const parameters = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({
  name,
  in: 'query',
  schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true },
}));

function pathOf(resource: Resource): readonly [string, RawObject] {
  const { namespaced, plural } = resource;
  const operation = (action: string): RawObject => ({
    parameters,
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': groupVersionKind(resource),
  });
  return [
    `/${rootOf(resource)}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`,
    { get: operation('get'), ...(resource.made !== true && { patch: operation('patch'), put: operation('put') }) },
  ];
}

const roots = [...new Set(ALL_RESOURCES.map(rootOf))];

/**
 * OpenAPI documents: version 3 as JSON, one for each group, and version 2. undefined for other paths.
 *
 * kubectl reads version 2 as protobuf alone, from gnostic's Document message; without definitions it takes the kinds'
 * shapes from what it was built with, and checks nothing by itself.
 */
export function openapi(pathname: string, accept: string): SchemaText | undefined {
  if (pathname === '/openapi/v3')
    return json({
      paths: Object.fromEntries(roots.map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}` }])),
    });
  if (pathname.startsWith('/openapi/v3/')) {
    const meant = ALL_RESOURCES.filter((resource) => `/openapi/v3/${rootOf(resource)}` === pathname);
    if (meant.length === 0) return undefined;
    return json({
      openapi: '3.0.0',
      info: INFO,
      paths: Object.fromEntries(meant.map(pathOf)),
      components: { schemas: Object.fromEntries(meant.map((resource) => [schemaName(resource), schemaOf(resource)])) },
    });
  }
  if (pathname !== '/openapi/v2') return undefined;
  if (!accept.includes('protobuf'))
    return json({
      swagger: '2.0',
      info: INFO,
      paths: {},
      definitions: Object.fromEntries(ALL_RESOURCES.map((resource) => [schemaName(resource), schemaOf(resource)])),
    });
  return { type: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf', body: protobufDocument() };
}

/** `Document { swagger = 1; info = 2 { title = 1; version = 2 } }` */
function protobufDocument(): Buffer {
  const field = (number: number, value: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value]);
  const info = Buffer.concat([field(1, Buffer.from(INFO.title)), field(2, Buffer.from(INFO.version))]);
  return Buffer.concat([field(1, Buffer.from('2.0')), field(2, info)]);
}
