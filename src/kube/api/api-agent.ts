import http from 'node:http';
import https from 'node:https';
import type * as HttpsProxyAgent from 'https-proxy-agent';
import type * as SocksProxyAgent from 'socks-proxy-agent';
import { loadPackage } from '../../lib/package.js';
import type { Milliseconds } from '../../lib/units.js';

/** How long a silent connection stays unprobed; the operating system then gives up on a dead peer within seconds. */
export const KEEP_ALIVE: Milliseconds = 15_000;

/**
 * Keeps connections to an API, through a proxy where there is one: `http://` and `https://` by CONNECT (RFC 9110
 * section 9.3.6), `socks5://` (RFC 1928) with the API's name looked up by the proxy.
 */
export function apiAgent(api: URL, proxy: URL | undefined): http.Agent {
  const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE };
  if (proxy === undefined) return api.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
  if (proxy.protocol !== 'socks5:') {
    const { HttpsProxyAgent: Agent } = loadPackage('https-proxy-agent') as typeof HttpsProxyAgent;
    return new Agent(proxy, options);
  }
  const { SocksProxyAgent: Agent } = loadPackage('socks-proxy-agent') as typeof SocksProxyAgent;
  const byName = new URL(proxy);
  byName.href = proxy.href.replace(/^socks5:/, 'socks5h:');
  return new Agent(byName, options);
}
