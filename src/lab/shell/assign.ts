import type { Assignment } from 'unbash';
import { ShellArray } from './array.js';
import type { Expander } from './expand.js';
import type { Scope } from './scope.js';

/** Commands whose arrays are a function's own. */
const OWN = ['local', 'declare', 'typeset'];

/** `export A=$X`: one word, whatever X has. @param words what stands before it */
export async function assignmentWord(
  node: Assignment,
  words: readonly string[],
  expand: Expander,
  scope: Scope,
): Promise<string> {
  if (node.value.type === 'ArrayValue') {
    if (OWN.includes(words[0] ?? '')) scope.local(node.name);
    if (words.some((word) => /^-[a-z]*A/.test(word))) scope.set(node.name, ShellArray.empty(true));
    await assign(node, expand, scope);
    return node.name;
  }
  return `${node.name}${node.append === true ? '+' : ''}=${await expand.text(node.value)}`;
}

/** `NAME=VALUE`, `NAME+=VALUE`, `NAME[INDEX]=VALUE` and `NAME=(...)`. */
export async function assign(node: Assignment, expand: Expander, scope: Scope): Promise<void> {
  const { name, append = false } = node;
  if (node.value.type === 'ArrayValue') {
    const { keyed } = scope.array(name);
    let array = append ? scope.array(name) : ShellArray.empty(keyed);
    for (const element of node.value.elements) {
      const [, key, value] = element.text.startsWith('[')
        ? (/^\[([^\]]+)\]=([^]*)$/.exec(await expand.text(element)) ?? [])
        : [];
      if (key !== undefined) array = array.with(key, value!);
      else for (const field of await expand.fields([element])) array = array.with(String(array.next), field);
    }
    return scope.set(name, array);
  }
  const value = await expand.text(node.value);
  if (!node.index) return scope.set(name, append ? (scope.get(name) ?? '') + value : value);
  const key = await expand.key(name, await expand.text(node.index));
  const array = scope.array(name);
  scope.set(name, array.with(key, append ? (array.get(key) ?? '') + value : value));
}
