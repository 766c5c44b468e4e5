/**
 * What could begin a line of its own or steer a terminal. Lines of a stack are indented, and stay: no line that does
 * not begin with a level can be taken for one of the log's.
 */
// eslint-disable-next-line no-control-regex -- these are what is looked for
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]|\n(?! {4})/;
const ALL_UNSEEN = new RegExp(UNSEEN, 'g');

/** The text with control characters as `\xNN`: what others say, such as an API or a peer, is part of many lines. */
export const visible = (text: string): string =>
  UNSEEN.test(text)
    ? text.replace(ALL_UNSEEN, (character) => {
        const code = character.charCodeAt(0).toString(16).padStart(2, '0');
        return code.length === 2 ? `\\x${code}` : `\\u${code}`;
      })
    : text;
