/** Texts by their code units, whatever the language: for `sort`. -1, 0 or 1. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
