import { ExpressionError } from './parse.js';

/** The type of a value; a list's members are of one type, that of an empty list is unknown. */
export type Type = 'bool' | 'int' | 'float' | 'string' | 'nil' | ListType;

export interface ListType {
  readonly members: Type | undefined;
}

export type ExprValue = boolean | number | string | null | readonly ExprValue[];

export const isList = (type: Type): type is ListType => typeof type === 'object';
export const isNumber = (type: Type): boolean => type === 'int' || type === 'float';

export const showType = (type: Type): string =>
  isList(type) ? `list of ${type.members === undefined ? 'nothing' : showType(type.members)}` : type;

/** Whether values of the two types can be equal at all. */
export function comparable(a: Type, b: Type): boolean {
  if (a === 'nil' || b === 'nil') return true;
  if (isList(a) && isList(b))
    return a.members === undefined || b.members === undefined || comparable(a.members, b.members);
  return a === b || (isNumber(a) && isNumber(b));
}

/** The one type for values of both; fails where there is none. `what` names the two. */
export function common(a: Type, b: Type, what: string): Type {
  if (a === 'nil') return b;
  if (b === 'nil') return a;
  if (isList(a) && isList(b)) {
    if (a.members === undefined) return b;
    return b.members === undefined ? a : { members: common(a.members, b.members, what) };
  }
  if (a === b) return a;
  if (isNumber(a) && isNumber(b)) return 'float';
  throw new ExpressionError(`${what} are of different types: ${showType(a)} and ${showType(b)}`);
}

export function equal(a: ExprValue, b: ExprValue): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((value, i) => equal(value as ExprValue, b[i] as ExprValue));
}
