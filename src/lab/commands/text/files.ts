import path from 'node:path';
import { CommandError } from '../../session/command.js';
import type { CommandIo, LabCommand } from '../../session/command.js';
import { parseOptions } from '../../session/options.js';
import { print } from './input.js';

const wordsOf = (args: readonly string[]): readonly string[] => args.filter((arg) => !/^-./.test(arg));

const some = (program: string, words: readonly string[], least = 1): void => {
  if (words.length < least) throw new CommandError(`${program}: missing operand`);
};

const ls: LabCommand = {
  name: 'ls',
  usage: '[-l] [-a] [-1] [FILE...]',
  help: 'Lists files of this session and of your folder.',
  run(args, io) {
    const options = parseOptions(
      'ls',
      args,
      ['-l', '-a', '-A', '-1', '-h', '-t', '-r', '-R', '-d'].map((name) => ({ name, short: name })),
    );
    const { store } = io.session;
    let code = 0;
    for (const word of options.words.length > 0 ? options.words : ['.']) {
      const kind = store.kind(word);
      if (kind === undefined) {
        io.error(`ls: cannot access '${word}': No such file or directory\n`);
        code = 2;
        continue;
      }
      const names = kind === 'file' || options.has('-d') ? [word] : store.list(word);
      const seen = names.filter(
        (name) => options.has('-a') || options.has('-A') || !path.basename(name).startsWith('.'),
      );
      print(io, options.has('-l') ? seen.map((name) => long(name, kind === 'file' ? '' : word, io)) : seen);
    }
    return code;
  },
};

function long(name: string, folder: string, { session: { store }, lab }: CommandIo): string {
  const file = folder === '' || folder === '.' ? name : `${folder}/${name}`;
  const isFile = store.kind(file) === 'file';
  const size = isFile ? Buffer.byteLength(store.read(file)) : 4096;
  const [, month, day, , time] =
    /^\w+, (\d+) (\w+) (\d+) (\d\d:\d\d)/.exec(new Date(lab.clock.now()).toUTCString()) ?? [];
  return `${isFile ? '-rw-r--r-- 1' : 'drwxr-xr-x 2'} root root ${String(size).padStart(6)} ${day} ${month} ${time} ${name}`;
}

const copyOrMove = (name: 'cp' | 'mv'): LabCommand => ({
  name,
  usage: 'FILE... TO',
  help: `${name === 'cp' ? 'Copies' : 'Moves'} files of this session.`,
  run(args, io) {
    const words = wordsOf(args);
    some(name, words, 2);
    const { store } = io.session;
    const to = words.at(-1)!;
    for (const from of words.slice(0, -1)) {
      const text = store.read(from);
      store.write(store.kind(to) === 'folder' ? `${to}/${path.basename(from)}` : to, text);
      if (name === 'mv') store.remove(from);
    }
    return 0;
  },
});

const rm: LabCommand = {
  name: 'rm',
  usage: '[-r] [-f] FILE...',
  help: 'Forgets files of this session; your own files stay where they are.',
  run(args, io) {
    const { store } = io.session;
    let code = 0;
    for (const word of wordsOf(args)) {
      const kind = store.kind(word);
      if (kind === undefined && !args.some((arg) => /^-\w*f/.test(arg))) {
        io.error(`rm: cannot remove '${word}': No such file or directory\n`);
        code = 1;
      } else if (kind === 'folder' && !args.some((arg) => /^-\w*[rR]/.test(arg))) {
        io.error(`rm: cannot remove '${word}': Is a directory\n`);
        code = 1;
      } else store.remove(word);
    }
    return code;
  },
};

const mkdir: LabCommand = {
  name: 'mkdir',
  usage: '[-p] FOLDER...',
  help: 'Makes folders in this session.',
  run(args, io) {
    const words = wordsOf(args);
    some('mkdir', words);
    words.forEach((word) => io.session.store.makeFolder(word));
    return 0;
  },
};

const touch: LabCommand = {
  name: 'touch',
  usage: 'FILE...',
  help: 'Makes empty files in this session.',
  run(args, io) {
    for (const word of wordsOf(args)) if (io.session.store.kind(word) === undefined) io.session.store.write(word, '');
    return 0;
  },
};

const cd: LabCommand = {
  name: 'cd',
  usage: '[FOLDER]',
  help: 'Changes the folder in which names of files are meant.',
  run([to = ''], io) {
    const { store } = io.session;
    if (to === '' || to === '~' || to === '-') store.folder = '';
    else {
      if (store.kind(to) !== 'folder') throw new CommandError(`bash: cd: ${to}: No such file or directory`);
      store.folder = store.nameOf(to).replace(/^(\.$|\/root(\/|$))/, '');
    }
    return 0;
  },
};

const pwd: LabCommand = {
  name: 'pwd',
  usage: '',
  help: 'Prints the folder in which names of files are meant.',
  run: (_args, io) => {
    const { folder } = io.session.store;
    return print(io, [folder.startsWith('/') ? folder : path.posix.join('/root', folder)]);
  },
};

const pathPart = (name: 'basename' | 'dirname'): LabCommand => ({
  name,
  usage: name === 'basename' ? 'NAME [SUFFIX]' : 'NAME...',
  help: `Prints the ${name === 'basename' ? 'last part of a name' : 'name without its last part'}.`,
  run(args, io) {
    some(name, args);
    return print(
      io,
      name === 'dirname' ? args.map((arg) => path.posix.dirname(arg)) : [path.posix.basename(args[0]!, args[1])],
    );
  },
});

/** Programs that work on files. */
export const FILE_COMMANDS: readonly LabCommand[] = [
  ls,
  copyOrMove('cp'),
  copyOrMove('mv'),
  rm,
  mkdir,
  touch,
  cd,
  pwd,
  pathPart('basename'),
  pathPart('dirname'),
];
