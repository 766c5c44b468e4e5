import { GoTemplate, GoTemplateError } from '../../../gotemplate/index.js';
import type { GoValue } from '../../../gotemplate/index.js';
import { CommandError } from '../../session/command.js';

/** What a template of Go makes of an object. Throws a CommandError for one that cannot be read or carried out. */
export function goTemplate(text: string, object: unknown): string {
  try {
    return new GoTemplate(text).execute(goValue(object));
  } catch (error) {
    if (error instanceof GoTemplateError)
      throw new CommandError(`error: error parsing template ${text}, ${error.message}`);
    throw error;
  }
}

/** JSON as a template sees it: objects are maps, and all numbers floating-point ones, as Go's decoder makes them. */
function goValue(value: unknown): GoValue {
  if (Array.isArray(value)) return value.map(goValue);
  if (typeof value === 'object' && value !== null)
    return new Map(
      Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) => [key, goValue(member)]),
    );
  return value as GoValue;
}
