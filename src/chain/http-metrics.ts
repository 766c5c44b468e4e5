import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Metrics } from '../metrics/metrics.js';
import { OPEN_METRICS, toOpenMetrics, wantsOpenMetrics } from '../metrics/open-metrics.js';
import { processText } from '../metrics/process.js';
import { takesGzip, type HttpAnswer, type HttpRequest } from './http.js';

const compress = promisify(gzip);

/** All metrics in the text format of Prometheus, or in OpenMetrics for clients that want it, compressed likewise. */
export async function metricsAnswer(metrics: Metrics, request: Pick<HttpRequest, 'headers'>): Promise<HttpAnswer> {
  const plain = (await metrics.text()) + (await processText());
  const open = wantsOpenMetrics(request.headers.accept);
  const text = open ? toOpenMetrics(plain) : plain;
  const type = open ? `${OPEN_METRICS}; version=1.0.0` : 'text/plain; version=0.0.4';
  const headers = { 'content-type': `${type}; charset=utf-8`, vary: 'accept, accept-encoding' };
  return takesGzip(request)
    ? { headers: { ...headers, 'content-encoding': 'gzip' }, body: await compress(text) }
    : { headers, body: text };
}
