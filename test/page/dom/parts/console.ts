import { h } from 'preact';
import { describe, expect, it, vi } from 'vitest';
import {
  asked,
  button,
  click,
  doing,
  enter,
  find,
  json,
  lab,
  lines,
  mount,
  press,
  submit,
  textOf,
  until,
} from '../browser.js';

export function consoleParts(): void {
  describe('the console', () => {
    /** One that nothing was said in yet. */
    const fresh = async () => {
      vi.resetModules();
      const { Console, runLine } = await import('../../../../src/page/console.js');
      const root = mount(h(Console, {}));
      const field = find<HTMLInputElement>(root, '#line');
      const run = async (line: string, waits = false): Promise<void> => {
        await enter(field, line);
        expect(await submit(find(root, 'form'))).toBe(false);
        if (!waits) await until(() => root.querySelector('[type=submit]') !== null);
      };
      return { root, field, run, runLine, output: () => find(root, '.output').textContent };
    };
    const EMPTY = 'Commands run in the lab, as in "nodens lab shell".';

    it('runs a line, and shows what it says as it comes', async () => {
      lab.answers = () => lines('{"text":"one\\n"}\n{"te', 'xt":"two\\n"}\n{"code":0}\n');
      const { root, field, run, output } = await fresh();
      expect([output(), find(root, '.output').tabIndex, field.spellcheck]).toEqual([EMPTY, 0, false]);
      await run('kubectl get pods');
      expect(asked).toEqual([['POST', '/api/exec', { line: 'kubectl get pods' }]]);
      expect([output(), field.value]).toEqual(['$ kubectl get pods\none\ntwo\n', '']);
    });

    it('runs an example at a click', async () => {
      lab.answers = () => lines('{"code":0}\n');
      const { root } = await fresh();
      await click(button(root, 'help'));
      expect(asked[0]![2]).toEqual({ line: 'help' });
    });

    it.each([
      { name: 'the exit code', answers: () => lines('{"code":3}\n'), code: 3, said: '$ x\n' },
      { name: 'what the lab refuses', answers: () => json({ error: 'no' }, 400), code: 1, said: '$ x\nno\n' },
      {
        name: 'a lab that goes away in the middle',
        answers: () => lines('{"text":"a\\n"}\n'),
        code: 1,
        said: '$ x\na\nthe lab has ended\n',
      },
      {
        name: 'a lab that is not there',
        answers: () => Promise.reject(new TypeError('Failed to fetch')),
        code: 1,
        said: '$ x\nThe lab does not answer.\n',
      },
    ])('tells $name', async ({ answers, code, said }) => {
      lab.answers = answers;
      const { runLine, output } = await fresh();
      let ended: number | undefined;
      await doing(async () => (ended = await runLine('x')));
      expect([ended, output()]).toEqual([code, said]);
    });

    it('runs one command at a time, and stops it', async () => {
      lab.answers = (_asked, signal) =>
        new Promise((_resolve, reject) => {
          signal!.addEventListener('abort', () => reject(Object.assign(new Error('aborted'), { name: 'AbortError' })));
        });
      const { root, run, output, field } = await fresh();
      await run('first', true);
      await run('second', true);
      expect([asked.length, field.value, button(root, 'help').disabled]).toEqual([1, 'second', true]);
      await click(button(root, 'Stop'));
      expect([output(), button(root, 'help').disabled]).toEqual(['$ first\n^C\n', false]);
      lab.answers = () => lines('{"code":0}\n');
      await run('second');
      expect(asked).toHaveLength(2);
    });

    it('does nothing for an empty line', async () => {
      const { run, output } = await fresh();
      await run('  ');
      expect([asked, output()]).toEqual([[], EMPTY]);
    });

    it('has earlier lines behind the arrow keys', async () => {
      lab.answers = () => lines('{"code":0}\n');
      const { run, field } = await fresh();
      for (const line of ['one', 'two', 'three']) await run(line);
      const seen: unknown[] = [];
      for (const key of [
        'ArrowDown',
        'ArrowUp',
        'ArrowUp',
        'ArrowUp',
        'ArrowUp',
        'ArrowDown',
        'x',
        'ArrowDown',
        'ArrowDown',
      ])
        seen.push([key, await press(field, key), field.value]);
      expect(seen).toEqual([
        ['ArrowDown', false, ''],
        ['ArrowUp', false, 'three'],
        ['ArrowUp', false, 'two'],
        ['ArrowUp', false, 'one'],
        ['ArrowUp', false, 'one'],
        ['ArrowDown', false, 'two'],
        ['x', true, 'two'],
        ['ArrowDown', false, 'three'],
        ['ArrowDown', false, ''],
      ]);
    });

    it('keeps the last 60,000 characters, and its end is seen', async () => {
      vi.spyOn(HTMLElement.prototype, 'scrollHeight', 'get').mockReturnValue(777);
      lab.answers = () => lines(`{"text":"${'x'.repeat(59_999)}\\n"}\n{"code":0}\n`);
      const { root, run, output } = await fresh();
      await run('y');
      expect([output().length, output().slice(0, 2), output().at(-1)]).toEqual([60_000, 'xx', '\n']);
      expect(find(root, '.output').scrollTop).toBe(777);
    });

    it('says what to type', async () => {
      const { root } = await fresh();
      expect([textOf(find(root, 'label')), textOf(button(root, 'Run'))]).toEqual(['Command', 'Run']);
    });
  });
}
