import { createTwoFilesPatch } from 'diff';

/** The form of `diff -u`. */
export const unified = (before: string, after: string, old: string, next: string): string =>
  createTwoFilesPatch(before, after, old, next, undefined, undefined, {
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  });
