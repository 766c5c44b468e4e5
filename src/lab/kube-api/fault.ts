import { NodensError } from '../../lib/errors.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { Resource } from '../cluster/resources.js';
import { withGroup } from '../commands/target/kinds.js';

/** Reasons that the API gives, with their HTTP status (apimachinery, meta/v1 StatusReason). */
const CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  InternalError: 500,
} as const;

export type FaultReason = keyof typeof CODES;

/** A request that is refused as the Kubernetes API refuses it: the message is what kubectl prints. */
export class ApiFault extends NodensError {
  override readonly name = 'ApiFault';

  constructor(
    readonly reason: FaultReason,
    message: string,
    private readonly details: RawObject = {},
  ) {
    super('NODENS_LAB_API', message);
  }

  get status(): number {
    return CODES[this.reason];
  }

  /** The object that the API answers with. */
  get object(): RawObject {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      details: this.details,
      code: this.status,
    };
  }
}

const detailsOf = ({ group, plural }: Resource, name: string): RawObject => ({ name, group, kind: plural });

export const notFound = (resource: Resource, name: string): ApiFault =>
  new ApiFault('NotFound', `${withGroup(resource)} "${name}" not found`, detailsOf(resource, name));

export const alreadyExists = (resource: Resource, name: string): ApiFault =>
  new ApiFault('AlreadyExists', `${withGroup(resource)} "${name}" already exists`, detailsOf(resource, name));

export const conflict = (resource: Resource, name: string, why: string): ApiFault =>
  new ApiFault(
    'Conflict',
    `Operation cannot be fulfilled on ${withGroup(resource)} "${name}": ${why}`,
    detailsOf(resource, name),
  );

/** @param why field and what is wrong with it: `spec.x: got "a", allowed: ...` */
export function invalid(resource: Resource, name: string, why: string): ApiFault {
  const [, field = resource.kind, message = why] = /^([\w.[\]]+): (.*)$/s.exec(why) ?? [];
  return new ApiFault(
    'Invalid',
    `${resource.kind}${resource.group === '' ? '' : `.${resource.group}`} "${name}" is invalid: ${why}`,
    { ...detailsOf(resource, name), causes: [{ reason: 'FieldValueInvalid', message, field }] },
  );
}

/** What answers a request that was carried out and has no object to give back. */
export const success = (resource: Resource, name: string, uid: string): RawObject => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: { ...detailsOf(resource, name), uid },
});
