import { expect, it } from 'vitest';
import { calledAs } from '../../src/cli/called-as.js';

it.each([
  { name: 'from the package', program: '/x/nodens/bin/nodens', cwd: '/x/nodens', want: 'bin/nodens' },
  { name: 'from its own folder', program: '/x/nodens', cwd: '/x', want: './nodens' },
  { name: 'from elsewhere', program: '/x/nodens/bin/nodens', cwd: '/x/other', want: '/x/nodens/bin/nodens' },
  { name: 'where the shell finds it', program: '/usr/local/bin/nodens', cwd: '/usr/local', want: 'nodens' },
  { name: 'a folder with blanks', program: "/x/it's mine/bin/nodens", cwd: '/x', want: `'it'"'"'s mine/bin/nodens'` },
  { name: 'a module', program: '/x/dist/bin/main.cjs', cwd: '/x', want: 'node dist/bin/main.cjs' },
])('$name', ({ program, cwd, want }) => {
  expect(calledAs(program, cwd, '/usr/bin:/usr/local/bin')).toBe(want);
});
