import { OTHERS } from './help.js';
import type { Command } from './command.js';
import { refuse, say } from './say.js';
import { FLAGS } from './flags.js';
import type { Tool } from './tool.js';
import { TOOLS } from './tools.js';

const COMMANDS = [...TOOLS, ...OTHERS].map(({ name }) => name).sort();
/** Words that may follow a command, beside flags and files. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  completion: ['bash', 'zsh'],
  help: COMMANDS,
};

const flagsOf = ({ flags }: Pick<Tool, 'flags'>): string => flags.map(({ name }) => `-${name}`).join(' ');

const CASES = [
  ...TOOLS.map((tool) => ({ name: tool.name, words: flagsOf(tool) })),
  ...Object.entries(WORDS).map(([name, words]) => ({ name, words: words.join(' ') })),
];

const bash =
  (): string => `# nodens completion bash: put it into /etc/bash_completion.d, or: source <(nodens completion bash)
_nodens() {
    local word=\${COMP_WORDS[COMP_CWORD]} words=
    if [ "$COMP_CWORD" = 1 ]; then
        words='${COMMANDS.join(' ')} ${flagsOf({ flags: FLAGS })}'
    else
        case \${COMP_WORDS[1]} in
${CASES.map(({ name, words }) => `            ${name}) words='${words}' ;;`).join('\n')}
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"; [[ $COMP_CWORD == 1 || $word == -* ]] || compgen -f -- "$word")
}
complete -o filenames -F _nodens nodens
`;

const zsh = (): string => `#compdef nodens
# nodens completion zsh: put it into a folder of $fpath as _nodens, or: source <(nodens completion zsh)
_nodens() {
    local -a choice
    if (( CURRENT == 2 )); then
        choice=(${COMMANDS.join(' ')} ${flagsOf({ flags: FLAGS })})
    else
        case $words[2] in
${CASES.map(({ name, words }) => `            ${name}) choice=(${words}) ;;`).join('\n')}
        esac
    fi
    compadd -a choice
    [[ $PREFIX == -* ]] || _files
}
if [ "$funcstack[1]" = _nodens ]; then _nodens; else compdef _nodens nodens; fi
`;

const SHELLS: Readonly<Record<string, () => string>> = { bash, zsh };

/** `nodens completion bash|zsh`: prints a script for the shell. */
export const completion: Command = ([shell = '']) => {
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell]!() : undefined;
  return Promise.resolve(
    script === undefined ? refuse(`usage: nodens completion ${Object.keys(SHELLS).join('|')}\n`) : say(script),
  );
};
