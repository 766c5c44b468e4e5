import { describe, expect, it } from 'vitest';
import { example, said, serve, web } from './support.js';

const ingress = await example('ingress');

const list = (...items: unknown[]): string => JSON.stringify({ items });
const meta = (name: string, namespace = 'default') => ({ metadata: { name, namespace } });
const PAGES = {
  '/apis/networking.k8s.io/v1/ingresses': list(
    {
      ...meta('shop'),
      spec: { rules: [{ host: 'shop.example.org' }, {}, { host: '*.shop.example.org' }] },
      status: {
        loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }, { hostname: 'lb.example.net' }] },
      },
    },
    { ...meta('pending'), spec: { rules: [{ host: 'pending.example.org' }] }, status: {} },
    {
      ...meta('outside'),
      spec: { rules: [{ host: 'shop.example.com' }] },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.9' }] } },
    },
  ),
  '/apis/gateway.networking.k8s.io/v1/gateways': list({
    ...meta('web', 'edge'),
    spec: { listeners: [{ hostname: 'edge.example.org' }, {}] },
    status: { addresses: [{ type: 'IPAddress', value: '192.0.2.2' }] },
  }),
  '/apis/gateway.networking.k8s.io/v1/httproutes': list(
    { ...meta('api'), spec: { hostnames: ['api.example.org'], parentRefs: [{ name: 'web', namespace: 'edge' }] } },
    { ...meta('lost'), spec: { hostnames: ['lost.example.org'], parentRefs: [{ name: 'web' }] } },
  ),
};

describe('ingress', () => {
  it.each([
    ['shop.example.org', 'A', 'NOERROR 192.0.2.1'],
    ['Shop.Example.org', 'AAAA', 'NOERROR 2001:db8::1'],
    ['shop.example.org', 'TXT', 'NOERROR'],
    ['eu.shop.example.org', 'A', 'NOERROR 192.0.2.1'],
    ['a.eu.shop.example.org', 'A', 'REFUSED'],
    ['pending.example.org', 'A', 'REFUSED'],
    ['shop.example.com', 'A', 'REFUSED'],
    ['edge.example.org', 'A', 'NOERROR 192.0.2.2'],
    ['api.example.org', 'A', 'NOERROR 192.0.2.2'],
    ['lost.example.org', 'A', 'REFUSED'],
  ])('%s %s: %s', async (name, type, want) => {
    const site = await web(PAGES);
    const server = await serve(ingress, `ingress example.org {\n api ${site.url}\n}`);
    expect(said(await server.ask({ name, type }))).toBe(want);
    await server.stop();
    await site.close();
  });

  it('does without a kind that the API does not know, and follows changes', async () => {
    const pages: Record<string, string> = {
      '/apis/networking.k8s.io/v1/ingresses': PAGES['/apis/networking.k8s.io/v1/ingresses'],
    };
    const site = await web(pages);
    const server = await serve(ingress, `ingress example.org {\n api ${site.url}\n every 5s\n}`);
    expect([said(await server.ask('shop.example.org')), said(await server.ask('edge.example.org'))]).toEqual([
      'NOERROR 192.0.2.1',
      'REFUSED',
    ]);
    Object.assign(pages, PAGES);
    await server.advance(5000);
    await expect.poll(async () => said(await server.ask('edge.example.org'))).toBe('NOERROR 192.0.2.2');
    await server.stop();
    await site.close();
  });
});
