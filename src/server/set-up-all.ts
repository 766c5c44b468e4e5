import type { Block, Handler, PluginDefinition } from '../chain/index.js';
import { CorefileError, type Directive, type FaultList } from '../corefile/index.js';

type Occurrences = readonly [Directive, ...Directive[]];
type HandlersMade = ReturnType<PluginDefinition['setup']>;

/**
 * Sets up a directive. Where it cannot be used, what is wrong is gathered: the line at fault is taken out and the rest
 * looked at again, so that each line says what is wrong with it, and not only the first. What then seems wrong only
 * because of the missing line is left out. Returns the handlers, none for a directive that is at fault.
 */
export function setUpAll(
  plugin: PluginDefinition,
  occurrences: Occurrences,
  block: Block,
  faults: FaultList,
): readonly Handler[] {
  /** Names of the options that were taken out. */
  const removed: string[] = [];
  let whole = true;
  let left: Occurrences | undefined = occurrences;
  while (left !== undefined) {
    try {
      const made = plugin.setup(left, block);
      return whole ? listOf(made) : [];
    } catch (error) {
      if (!(error instanceof CorefileError)) throw error;
      const line = lineOf(left, error);
      const ofItsOwn = line?.option === undefined ? removed.length === 0 : !mayComeOf(removed, error);
      if (ofItsOwn) faults.add(error);
      left = line && without(left, line);
      if (line?.option !== undefined) removed.push(line.option);
      whole = false;
    }
  }
  return [];
}

/** A line at fault: one directive of several, or an option of one. */
interface LineAtFault {
  readonly directive: Directive;
  /** The option's name; undefined where the directive itself is meant. */
  readonly option: string | undefined;
  readonly at: CorefileError;
}

/** The line that a fault is about; undefined for a directive's own where it is the only one. */
function lineOf(directives: Occurrences, at: CorefileError): LineAtFault | undefined {
  for (const directive of directives) {
    const option = directive.options?.find((one) => holds(one, at));
    if (option !== undefined) return { directive, option: option.name, at };
  }
  const directive = directives.find(({ file, line }) => file === at.file && line === at.line);
  return directive && directives.length > 1 ? { directive, option: undefined, at } : undefined;
}

/** An option, or one of the lines in its own block. */
type OptionPlace = Pick<Directive, 'file' | 'line'> & { readonly options: readonly OptionPlace[] | undefined };
const holds = ({ file, line, options }: OptionPlace, at: CorefileError): boolean =>
  (file === at.file && line === at.line) || options?.some((nested) => holds(nested, at)) === true;

function without(directives: Occurrences, { directive, option, at }: LineAtFault): Occurrences | undefined {
  const changed = directives.flatMap((one) => {
    if (one !== directive) return [one];
    return option === undefined ? [] : [one.with((kept) => !holds(kept, at))];
  });
  const [first, ...others] = changed;
  return first && [first, ...others];
}

/** Whether a fault names what was taken out, and so perhaps only misses it. */
const mayComeOf = (removed: readonly string[], { text }: CorefileError): boolean =>
  removed.some((name) => text.split(/[^\w]+/).includes(name));

const isList = (made: HandlersMade): made is readonly Handler[] => Array.isArray(made);
const listOf = (made: HandlersMade): readonly Handler[] => (made === undefined ? [] : isList(made) ? made : [made]);
