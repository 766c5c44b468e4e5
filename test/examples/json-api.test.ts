import type http from 'node:http';
import { afterAll, describe, expect, it } from 'vitest';
import { Folder } from '../plugin-api/support.js';
import { example, said, serve, web } from './support.js';

const folder = new Folder();
afterAll(() => folder.remove());
const jsonApi = await example('json-api');

describe('json_api', () => {
  it('answers with records, asks again with the mark, and keeps them on disk', async () => {
    let records: unknown = {
      records: [
        { name: 'A.example.', type: 'a', ttl: 5, data: '192.0.2.1' },
        { name: 'a.example', type: 'MX', data: { preference: 10, exchange: 'mail.example' } },
        { name: 'alias.example', type: 'CNAME', data: 'a.example' },
      ],
    };
    const seen: http.IncomingHttpHeaders[] = [];
    const site = await web({
      '/': (request, response) => {
        seen.push(request.headers);
        if (request.headers['if-none-match'] === '"1"' && records !== undefined)
          return void response.writeHead(304).end();
        response.writeHead(records === undefined ? 503 : 200, { etag: '"1"' }).end(JSON.stringify(records));
      },
    });
    const inside = `json_api ${site.url} {\n every 10s\n keep ${folder.path}/kept.json\n token TOKEN\n}`;
    const server = await serve(jsonApi, inside, { TOKEN: 'secret' });
    expect(
      await Promise.all(
        ['a.EXAMPLE A', 'a.example MX', 'a.example TXT', 'alias.example A', 'b.example A'].map(async (question) => {
          const [name = '', type = ''] = question.split(' ');
          return said(await server.ask({ name, type }));
        }),
      ),
    ).toEqual([
      'NOERROR 192.0.2.1',
      'NOERROR {"preference":10,"exchange":"mail.example"}',
      'NOERROR',
      'NOERROR a.example',
      'REFUSED',
    ]);
    await server.advance(10_000);
    await expect.poll(() => seen.length).toBe(2);
    expect(seen.map((headers) => [headers.authorization, headers['if-none-match']])).toEqual([
      ['Bearer secret', undefined],
      ['Bearer secret', '"1"'],
    ]);
    await server.stop();
    records = undefined;
    const again = await serve(jsonApi, inside, { TOKEN: 'secret' });
    expect(said(await again.ask('a.example'))).toBe('NOERROR 192.0.2.1');
    await again.stop();
    await site.close();
  });

  it.each([
    ['no list', '{}', 'expected a list of records, or an object with `records`'],
    [
      'a record without data',
      '[{"name":"a","type":"A"}]',
      'records[0]: expected name, type and data, got {"name":"a","type":"A"}',
    ],
    ['no JSON', '<html>', 'Unexpected token'],
  ])('says what is wrong with %s', async (_, text, want) => {
    const site = await web({ '/': text });
    const server = await serve(jsonApi, `json_api ${site.url}`);
    await server.ask('a.example');
    expect(server.lines.join('\n')).toContain(want);
    await server.stop();
    await site.close();
  });

  it('misses its token', () =>
    expect(serve(jsonApi, 'json_api http://127.0.0.1:1 {\n token NOSUCH\n}')).rejects.toThrow(
      'Corefile:3: json_api: token: there is no variable NOSUCH',
    ));
});
