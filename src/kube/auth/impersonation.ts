import { arrayAt, asObject, objectAt, textAt } from '../objects/raw.js';
import type { RawObject } from '../objects/raw.js';
import type { ApiHeaders } from './connection.js';

/**
 * The headers with which a user of a kubeconfig asks in another's name: `as`, `as-uid`, `as-groups`, `as-user-extra`
 * (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation). Calls `fail` for groups
 * and the like of nobody, and for values that cannot stand in a header.
 */
export function impersonationOf(user: RawObject, fail: (what: string) => never): ApiHeaders {
  const name = textAt(user, 'as');
  const headers: Record<string, string | readonly string[]> = {};
  const add = (header: string, values: readonly string[]): void => {
    if (values.some((value) => /[^\t\x20-\x7e\x80-\xff]/.test(value))) fail(`${header} cannot be sent as a header`);
    if (values.length > 0) headers[header] = values.length === 1 ? values[0]! : values;
  };
  if (name !== '') add('Impersonate-User', [name]);
  const uid = textAt(user, 'as-uid');
  if (uid !== '') add('Impersonate-Uid', [uid]);
  add('Impersonate-Group', textsOf(arrayAt(user, 'as-groups')));
  const extra = objectAt(user, 'as-user-extra');
  for (const key of Object.keys(extra))
    add(`Impersonate-Extra-${headerKey(key)}`, textsOf(arrayAt(asObject(extra), key)));
  if (name === '' && Object.keys(headers).length > 0)
    fail('as-uid, as-groups and as-user-extra are for a user that is named by as');
  return headers;
}

const textsOf = (values: readonly unknown[]): string[] => values.filter((value) => typeof value === 'string');

/** Whatever may not stand in a header's name (RFC 9110 section 5.6.2), and the percent sign, in percent encoding. */
const headerKey = (key: string): string =>
  key.replace(/[^!#$&'*+.^_`|~0-9A-Za-z-]/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
