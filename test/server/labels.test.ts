import { describe, expect, it } from 'vitest';
import type { Plugin } from '../../src/plugin.js';
import { PluginServer } from '../plugin-api/support.js';

const knowing: Plugin = {
  name: 'knowing',
  api: 1,
  setup: () => ({ handle: (_, next) => next(), labels: { city: ({ name }) => `${name} am See` } }),
};

describe('labels of a plugin', () => {
  it.each([
    { directives: 'metadata\n', want: 'NOERROR | a. 60 IN TXT "a am See, "' },
    { directives: '', want: 'NOERROR | a. 60 IN TXT ", "' },
  ])('are read by template, with "$directives"', async ({ directives, want }) => {
    const corefile = `. {\n${directives}knowing\ntemplate IN TXT . {\nanswer "{{ .Name }} 60 IN TXT \\"{{ .Meta \`knowing/city\` }}, {{ .Meta \`knowing/none\` }}\\""\n}\n}\n`;
    const server = await PluginServer.start(corefile, {}, knowing);
    expect(await server.ask('a.', 'TXT')).toBe(want);
    await server.server.stop();
  });

  it.each([
    { directives: 'metadata\n', want: ['a am See'] },
    { directives: '', want: [] },
  ])('are read by rewrite, with "$directives"', async ({ directives, want }) => {
    const seen: string[] = [];
    const corefile = `. {\n${directives}knowing\nrewrite edns0 local set 0xffee {knowing/city}\nseeing\n}\n`;
    const seeing: Plugin = {
      name: 'seeing',
      api: 1,
      at: { after: 'rewrite' },
      setup: () => (query) => {
        seen.push(...query.ednsOptions.map(({ data }) => Buffer.from(data).toString()));
        return { rcode: 'NXDOMAIN' };
      },
    };
    const server = await PluginServer.start(corefile, {}, knowing, seeing);
    await server.ask('a.', 'TXT');
    expect(seen).toEqual(want);
    await server.server.stop();
  });
});
