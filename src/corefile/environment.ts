/** Variable names and their values, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Values may name further variables; one word may need at most this many replacements, or it is taken for a circle. */
const MAX_REPLACEMENTS = 1000;
/** No word grows beyond this many characters. */
const MAX_LENGTH = 1 << 20;

/**
 * Replaces `{%NAME%}` and `{$NAME}` by the variable's value, '' when it is not set. `{$NAME:default}` stands for
 * `default` when it is
 * not set. The value stays one word, whatever it holds. Values are searched again.
 *
 * @param fail called with a text when a value leads back to itself; throws
 */
export function expandEnvironment(text: string, env: Environment, fail: (text: string) => never): string {
  if (!text.includes('{')) return text;
  let count = 0;
  const replaceAll = (input: string, open: string, close: string): string => {
    let out = input;
    for (let start = out.indexOf(open); start >= 0; start = out.indexOf(open)) {
      const nameStart = start + open.length;
      const end = out.indexOf(close, nameStart);
      // An empty name ends the search: what follows is kept as written.
      if (end <= nameStart) break;
      const name = out.slice(nameStart, end);
      if (++count > MAX_REPLACEMENTS || out.length > MAX_LENGTH)
        fail(`the value of environment variable '${name}' leads back to itself or is too long`);
      out = out.slice(0, start) + lookUp(name, open, env) + out.slice(end + close.length);
    }
    return out;
  };
  return replaceAll(replaceAll(text, '{%', '%}'), '{$', '}');
}

function lookUp(name: string, open: string, env: Environment): string {
  const value = own(env, name);
  if (value !== undefined) return value;
  const colon = open === '{$' ? name.indexOf(':') : -1;
  return colon < 0 ? '' : (own(env, name.slice(0, colon)) ?? name.slice(colon + 1));
}

// Only what was put in: `{$constructor}` must not reach an object's prototype.
const own = (env: Environment, name: string): string | undefined => (Object.hasOwn(env, name) ? env[name] : undefined);
