import { LabelSelector } from '../../../kube/objects/label-selector.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import { CommandError } from '../../session/command.js';
import type { Lab } from '../../lab.js';
import { kindNamed } from '../target/kinds.js';
import { NODE_INFO } from './objects.js';
import { objectsMeant, requireAll } from './selection.js';

/** `/api/v1/namespaces/default/pods/curl-pod`, `/apis/apps/v1/deployments`: group and version, namespace, kind, name. */
const OBJECTS = /^\/(api\/v1|apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?$/;
const HEALTH: readonly string[] = ['/healthz', '/livez', '/readyz'];

/**
 * What the API server answers at a path (`kubectl get --raw`): its health, its version, and objects. Throws a
 * CommandError for any other path.
 */
export function rawText(path: string, lab: Lab): string {
  if (HEALTH.includes(path)) return 'ok';
  if (path === '/version') {
    const gitVersion = NODE_INFO.kubeletVersion;
    const [, major, minor] = /^v(\d+)\.(\d+)/.exec(gitVersion)!;
    return JSON.stringify({ major, minor, gitVersion }, undefined, 2);
  }
  const [, place = '', namespace, kind = '', name] = OBJECTS.exec(path) ?? [];
  const resource = kind === '' ? undefined : kindNamed(kind);
  const version = place.replace(/^apis?\//, '');
  if (!resource || resource.apiVersion !== version)
    throw new CommandError(
      `Error from server (NotFound): the server could not find the requested resource: got ${path}, ` +
        `allowed: ${HEALTH.join(', ')}, /version, /api/v1/KIND, /api/v1/namespaces/NAMESPACE/KIND/NAME, /apis/GROUP/VERSION/...`,
    );
  const names = name === undefined ? [] : [name];
  const found = objectsMeant(resource, { namespace, names, selector: LabelSelector.parse('') }, lab);
  requireAll(resource, names, found);
  const list: RawObject = {
    kind: `${resource.kind}List`,
    apiVersion: version,
    metadata: { resourceVersion: '' },
    items: found,
  };
  return JSON.stringify(name === undefined ? list : found[0]);
}
