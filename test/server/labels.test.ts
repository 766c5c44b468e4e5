import { describe, expect, it } from 'vitest';
import type { Plugin } from '../../src/plugin.js';
import { PluginServer } from '../plugin-api/support.js';

const knowing: Plugin = {
  name: 'knowing',
  api: 1,
  setup: () => ({ handle: (_, next) => next(), labels: { city: ({ name }) => `${name} am See` } }),
};

/** Who asks, as a label and as a question. */
const asking: Plugin = {
  name: 'asking',
  api: 1,
  setup: () => ({
    handle: ({ client }) => ({
      answers: [{ name: 'a', type: 'TXT', ttl: 60, data: `${client.address} ${client.port}` }],
    }),
    labels: { who: ({ name, client }) => `${name} ${client.address} ${client.port} ${client.transport}` },
  }),
};

describe('without a client', () => {
  it('labels of an address are those of the first block that knows them', async () => {
    const { server } = await PluginServer.start('a {\nwhoami\n}\nb {\nmetadata\nasking\n}\n', {}, asking);
    expect(server.clientLabel('192.0.2.7', 'asking/who')).toBe('. 192.0.2.7 0 udp');
    expect(server.clientLabel('192.0.2.7', 'asking/none')).toBeUndefined();
    await server.stop();
  });

  it('a query comes from this host, and no port', async () => {
    const server = await PluginServer.start('. {\nasking\n}\n', {}, asking);
    expect(await server.ask('a.', 'TXT')).toBe('NOERROR | a. 60 IN TXT "127.0.0.1 0"');
    await server.server.stop();
  });
});

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
