import { readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { webConfig } from '../../../src/plugins/prometheus/web-config.js';
import type { HttpRoute } from '../../../src/chain/index.js';
import { realClock } from '../../../src/lib/clock.js';
import { HostNetwork } from '../../../src/net/host-network.js';
import { prometheus } from '../../../src/plugins/prometheus/setup.js';
import { HttpListeners } from '../../../src/server/http.js';
import { setup } from '../../support/block.js';

const TLS = join(import.meta.dirname, '../../kube/tls');
const pem = (name: string): string => readFileSync(join(TLS, `${name}.pem`), 'utf8');
const FILES: Record<string, string> = {
  '/etc/server.pem': pem('server'),
  '/etc/server-key.pem': pem('server-key'),
  '/etc/ca.pem': pem('ca'),
  '/etc/broken.pem': 'nothing',
};

/** The configuration read from `/etc/web.yaml`, which holds `text`. */
function read(text: string, files: Record<string, string> = FILES): ReturnType<typeof webConfig> {
  const all: Record<string, string> = { ...files, '/etc/web.yaml': text };
  return webConfig('/etc/web.yaml', {
    readFile: (path) => {
      if (all[path] === undefined) throw new Error(`no such file: ${path}`);
      return all[path];
    },
    fileInfo: (path) => (all[path] === undefined ? undefined : { mtime: 0, size: all[path].length }),
  });
}
const PAIR = 'cert_file: server.pem, key_file: server-key.pem';
const WEB = { ...FILES, '/etc/web.yaml': `tls_server_config: {${PAIR}}` };

describe('a web configuration', () => {
  it.each([
    { text: `tls_server_config: {${PAIR}}`, want: 'none' },
    { text: `tls_server_config: {${PAIR}, client_auth_type: RequireAnyClientCert, min_version: TLS13}`, want: 'any' },
    {
      text: `tls_server_config: {${PAIR}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: /etc/ca.pem}`,
      want: 'verify',
    },
  ])('says $text', ({ text, want }) => {
    const { clientCertificate, context } = read(text);
    expect(clientCertificate).toBe(want);
    expect(context()).toBe(context());
  });

  it.each([
    { text: 'a: [', error: /^\/etc\/web\.yaml: / },
    { text: '', error: '/etc/web.yaml: got no tls_server_config with cert_file and key_file' },
    { text: 'basic_auth_users: {a: b}', error: "/etc/web.yaml: got 'basic_auth_users', allowed: tls_server_config" },
    { text: 'tls_server_config: {cert_file: a}', error: '/etc/web.yaml: tls_server_config: got no key_file' },
    {
      text: 'tls_server_config: {certfile: a}',
      error: "tls_server_config: got 'certfile', allowed: cert_file, key_file, client_ca_file, client_auth_type",
    },
    { text: 'tls_server_config: {cert_file: 5}', error: 'tls_server_config: cert_file: got no text' },
    {
      text: `tls_server_config: {${PAIR}, min_version: TLS10}`,
      error: "tls_server_config: min_version: got 'TLS10', allowed: TLS12, TLS13",
    },
    {
      text: `tls_server_config: {${PAIR}, client_auth_type: VerifyClientCertIfGiven}`,
      error: 'tls_server_config: got client_auth_type VerifyClientCertIfGiven without client_ca_file',
    },
    {
      text: 'tls_server_config: {cert_file: broken.pem, key_file: server-key.pem}',
      error: '/etc/web.yaml: certificate /etc/broken.pem with key /etc/server-key.pem cannot be used: ',
    },
    {
      text: 'tls_server_config: {cert_file: gone.pem, key_file: server-key.pem}',
      error: 'cannot be used: no such file: /etc/gone.pem',
    },
  ])('is refused: $text', ({ text, error }) => expect(() => read(text)).toThrow(error));

  it('keeps what was good while files change, and takes what is good again', () => {
    const files = { ...FILES };
    const changing = webConfigOver(files);
    const before = changing.context();
    files['/etc/server.pem'] = 'half';
    expect(changing.context()).toBe(before);
    files['/etc/server.pem'] = `${pem('server')}\n`;
    expect(changing.context()).not.toBe(before);
  });
});

function webConfigOver(files: Record<string, string>): ReturnType<typeof webConfig> {
  const text = `tls_server_config: {${PAIR}}`;
  return webConfig('/etc/web.yaml', {
    readFile: (path) => (path === '/etc/web.yaml' ? text : files[path]!),
    fileInfo: (path) => ({ mtime: 0, size: (files[path] ?? text).length }),
  });
}

describe('an HTTP address with TLS', () => {
  const ends: (() => void)[] = [];
  afterEach(() => ends.splice(0).forEach((end) => end()));

  async function serve(tls: HttpRoute['tls']): Promise<number> {
    const listeners = new HttpListeners(new HostNetwork(), realClock);
    ends.push(() => listeners.closeAll());
    let port = 0;
    const prepared = await listeners.prepare([
      {
        address: '127.0.0.1',
        port: 0,
        path: '/metrics',
        owner: 'test',
        ...(tls && { tls }),
        answer: () => ({ body: 'fine' }),
        listening: (opened) => void (port = opened),
      },
    ]);
    prepared.commit();
    return port;
  }

  const get = (port: number, options: https.RequestOptions): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      https
        .get({ host: '127.0.0.1', port, path: '/metrics', agent: false, ...options }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
        .on('error', reject);
    });

  it('is read with https, and not without', async () => {
    const port = await serve(read(`tls_server_config: {${PAIR}}`));
    expect(await get(port, { ca: pem('ca') })).toBe(200);
    await expect(get(port, {})).rejects.toThrow('certificate');
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow();
  });

  it('asks clients for a certificate that is good', async () => {
    const verify = 'client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem';
    const port = await serve(read(`tls_server_config: {${PAIR}, ${verify}}`));
    const ca = pem('ca');
    expect(await get(port, { ca, cert: pem('client'), key: pem('client-key') })).toBe(200);
    await expect(get(port, { ca })).rejects.toThrow();
  });
});

describe('prometheus', () => {
  it.each([
    { text: 'tls /etc/web.yaml\ntls b', error: 'Corefile:4: prometheus: tls: got it a second time, allowed: once' },
    { text: 'tls', error: 'Corefile:3: prometheus: tls: got no argument, allowed: 1 argument; usage: tls FILE' },
    { text: 'tls /none.yaml', error: 'Corefile:3: prometheus: tls: /none.yaml: ' },
    {
      text: 'runtime_metrics x',
      error: "Corefile:3: prometheus: runtime_metrics: got 1 argument ('x'), allowed: no argument",
    },
    { text: 'metrics', error: "Corefile:3: prometheus: unknown option 'metrics'; allowed: runtime_metrics, tls" },
  ])('refuses $text', ({ text, error }) =>
    expect(() => setup(prometheus, `prometheus {\n${text}\n}`, { files: WEB })).toThrow(error),
  );

  it('serves over TLS where a file says so', () => {
    const { block } = setup(prometheus, 'prometheus {\n tls /etc/web.yaml\n runtime_metrics\n}', { files: WEB });
    expect(block.routes[0]!.tls?.clientCertificate).toBe('none');
  });
});
