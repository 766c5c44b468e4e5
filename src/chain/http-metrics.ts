import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Metrics } from '../metrics/metrics.js';
import { processText } from '../metrics/process.js';
import { takesGzip, type HttpAnswer, type HttpRequest } from './http.js';

const compress = promisify(gzip);

/** All metrics in the text format of Prometheus, compressed for clients that take it. */
export async function metricsAnswer(metrics: Metrics, request: Pick<HttpRequest, 'headers'>): Promise<HttpAnswer> {
  const text = (await metrics.text()) + (await processText());
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', vary: 'accept-encoding' };
  return takesGzip(request)
    ? { headers: { ...headers, 'content-encoding': 'gzip' }, body: await compress(text) }
    : { headers, body: text };
}
