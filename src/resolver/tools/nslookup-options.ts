import { Class, classFromName, lowerName, typeFromName } from '../../wire/index.js';
import { whyNoNumber, type ToolProcess } from './tool.js';

/** What an nslookup command line says. */
export interface NslookupArguments {
  readonly names: readonly string[];
  readonly type: number | undefined;
  readonly class: number;
  readonly debug: boolean;
  readonly search: boolean;
  readonly recurse: boolean;
  readonly tcp: boolean;
  readonly port: number;
  readonly timeout: number | undefined;
  readonly tries: number | undefined;
  readonly ndots: number | undefined;
}

type NslookupDraft = { -readonly [Key in keyof Omit<NslookupArguments, 'names'>]: NslookupArguments[Key] };
type NslookupOption = (wanted: NslookupDraft, value: string, session: ToolProcess) => void;

const setType: NslookupOption = (wanted, value, session) => {
  const type = typeFromName(value);
  if (type === undefined) session.line(`unknown query type: ${value}`);
  else wanted.type = type;
};

const setClass: NslookupOption = (wanted, value, session) => {
  const found = classFromName(value);
  if (found === undefined) session.line(`unknown query class: ${value}`);
  else wanted.class = found;
};

const set =
  (name: 'debug' | 'search' | 'recurse' | 'tcp', on: boolean): NslookupOption =>
  (wanted) =>
    void (wanted[name] = on);

/** A number from 0 to `most`; `what` is how nslookup calls it. */
const setNumber =
  (name: 'port' | 'timeout' | 'tries' | 'ndots', what: string, most: number): NslookupOption =>
  (wanted, value, session) => {
    const why = whyNoNumber(value, most);
    if (why === undefined) wanted[name] = Number(value);
    else session.line(`invalid ${what} '${value}': ${why}`);
  };

const setPort = setNumber('port', 'port', 65_535);
const setTimeout = setNumber('timeout', 'timeout', Number.MAX_SAFE_INTEGER);
const setTries = setNumber('tries', 'tries', Number.MAX_SAFE_INTEGER);

/** Options by all of their names. */
const OPTIONS: ReadonlyMap<string, NslookupOption> = new Map([
  ['type', setType],
  ['query', setType],
  ['querytype', setType],
  ['ty', setType],
  ['q', setType],
  ['debug', set('debug', true)],
  ['d2', set('debug', true)],
  ['nodebug', set('debug', false)],
  ['nod2', set('debug', false)],
  ['search', set('search', true)],
  ['nosearch', set('search', false)],
  ['recurse', set('recurse', true)],
  ['norecurse', set('recurse', false)],
  ['vc', set('tcp', true)],
  ['novc', set('tcp', false)],
  ['port', setPort],
  ['po', setPort],
  ['timeout', setTimeout],
  ['t', setTimeout],
  ['retry', setTries],
  ['ret', setTries],
  ['ndots', setNumber('ndots', 'ndots', 128)],
  ['class', setClass],
  ['cl', setClass],
]);

/** Reads a command line; what is wrong with it is said, and passed over. */
export function readNslookup(args: readonly string[], session: ToolProcess): NslookupArguments {
  const names: string[] = [];
  const wanted: NslookupDraft = {
    type: undefined,
    class: Class.IN,
    debug: false,
    search: true,
    recurse: true,
    tcp: false,
    port: 53,
    timeout: undefined,
    tries: undefined,
    ndots: undefined,
  };
  for (const arg of args) {
    if (!arg.startsWith('-') || arg === '-') {
      names.push(arg);
      continue;
    }
    const [option, value = ''] = arg.slice(1).split(/=(.*)/s) as [string, string | undefined];
    const read = OPTIONS.get(lowerName(option));
    if (read === undefined) session.line(`*** Invalid option: ${option}`);
    else read(wanted, value, session);
  }
  return { ...wanted, names };
}
