import { compileFormat, type Query, type QueryFormat, type Reply } from '../../chain/index.js';
import type { LogFields } from '../../lib/log.js';
import type { Milliseconds } from '../../lib/units.js';

const TEXTS = ['{type}', '{name}', '{class}', '{proto}', '{remote}', '{local}', '{rcode}', '{>rflags}'];
const NUMBERS = ['{size}', '{port}', '{>id}', '{>opcode}', '{>bufsize}', '{rsize}'];
const PLACEHOLDER = /\{[^{}]*\}/g;
const EMPTY = '-';

/** Makes the fields of a line. */
export type FieldMaker = (query: Query, reply: Reply | undefined, elapsed: Milliseconds) => LogFields;

interface NamedField {
  readonly name: string;
  readonly text: QueryFormat;
  readonly value: (text: string) => string | number | boolean;
}

/**
 * The placeholders of a format as fields, each under its name without braces and `>`: numbers as such, `do` true or
 * false, `duration` in seconds, addresses without brackets, labels of metadata by their names. What a query has not is
 * left out.
 */
export function compileFields(format: string): FieldMaker {
  const fields = [...new Set(format.match(PLACEHOLDER) ?? [])].flatMap(fieldOf);
  return (query, reply, elapsed) => {
    const made: Record<string, string | number | boolean> = {};
    for (const { name, text, value } of fields) {
      const written = text(query, reply, elapsed);
      if (written !== EMPTY) made[name] = value(written);
    }
    return made;
  };
}

function fieldOf(placeholder: string): NamedField[] {
  const field = (value: NamedField['value']): NamedField[] => [
    { name: placeholder.replace(/^\{[>/]?|\}$/g, ''), text: compileFormat(placeholder), value },
  ];
  if (NUMBERS.includes(placeholder)) return field(Number);
  if (TEXTS.includes(placeholder)) return field((text) => text.replace(/^\[(.*)\]$/, '$1'));
  if (placeholder === '{>do}') return field((text) => text === 'true');
  if (placeholder === '{duration}') return field((text) => Number(text.slice(0, -1)));
  return placeholder.startsWith('{/') ? field((text) => text) : [];
}
