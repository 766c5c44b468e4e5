/** The output of diff(1) in its normal form. */
export function normalDiff(before: readonly string[], after: readonly string[]): string[] {
  const common = longestCommon(before, after);
  const lines: string[] = [];
  let a = 0;
  let b = 0;
  for (const [i, j] of [...common, [before.length, after.length] as const]) {
    if (i > a || j > b) lines.push(...hunk(before.slice(a, i), after.slice(b, j), a, b));
    a = i + 1;
    b = j + 1;
  }
  return lines;
}

function hunk(removed: readonly string[], added: readonly string[], a: number, b: number): string[] {
  const range = (start: number, count: number): string =>
    count <= 1 ? String(start + count) : `${start + 1},${start + count}`;
  const letter = removed.length === 0 ? 'a' : added.length === 0 ? 'd' : 'c';
  const middle = letter === 'c' ? ['---'] : [];
  return [
    `${range(a, removed.length)}${letter}${range(b, added.length)}`,
    ...removed.map((line) => `< ${line}`),
    ...middle,
    ...added.map((line) => `> ${line}`),
  ];
}

/** Places of a longest common subsequence. */
function longestCommon(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i]![j] = a[i] === b[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
  }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) i++;
    else j++;
  }
  return pairs;
}
