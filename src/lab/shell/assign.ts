import type { Assignment } from 'unbash';
import type { Expander } from './expand.js';
import type { Scope } from './scope.js';

/** Commands whose arrays are a function's own. */
const OWN = ['local', 'declare', 'typeset'];

/** `export A=$X`: one word, whatever X has. @param command what it is a word of */
export async function assignmentWord(
  node: Assignment,
  command: string | undefined,
  expand: Expander,
  scope: Scope,
): Promise<string> {
  if (node.value.type === 'ArrayValue') {
    if (OWN.includes(command ?? '')) scope.local(node.name);
    await assign(node, expand, scope);
    return node.name;
  }
  return `${node.name}${node.append === true ? '+' : ''}=${await expand.text(node.value)}`;
}

/** `NAME=VALUE`, `NAME+=VALUE`, `NAME[INDEX]=VALUE` and `NAME=(...)`. */
export async function assign(node: Assignment, expand: Expander, scope: Scope): Promise<void> {
  if (node.value.type === 'ArrayValue') {
    const fields = await expand.fields(node.value.elements);
    return scope.set(node.name, node.append === true ? [...scope.list(node.name), ...fields] : fields);
  }
  const value = await expand.text(node.value);
  if (node.index) {
    const list = [...scope.list(node.name)];
    list[Number(await expand.text(node.index))] = value;
    return scope.set(
      node.name,
      Array.from(list, (one) => one ?? ''),
    );
  }
  scope.set(node.name, node.append === true ? (scope.get(node.name) ?? '') + value : value);
}
