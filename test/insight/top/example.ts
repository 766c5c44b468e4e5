import { ManualClock } from '../../../src/lib/clock.js';
import { Metrics, TIME_BOUNDS } from '../../../src/metrics/metrics.js';
import { TopRecorder } from '../../../src/top/recorder.js';
import { topReport, type TopReport, type TopWish } from '../../../src/top/report.js';
import { query } from '../../support/dns.js';

const DOMAINS = ['shop.svc.cluster.local.', 'svc.cluster.local.', 'cluster.local.', 'corp.example.'];
const PODS: Readonly<Record<string, string>> = { '10.244.1.7': 'shop/cart-0', '10.244.2.9': 'shop/mail-1' };

/** What a server tells after a second in which a pod asked for names outside by its search path, and another did not. */
export function exampleReport(wish: Partial<TopWish> = {}): TopReport {
  const clock = new ManualClock();
  const metrics = new Metrics();
  const top = new TopRecorder(clock, [1, 2], metrics);
  const ask = (remote: string, name: string, type: string, rcode: number, time: number): void =>
    top.answered(query(name, type, { remote }), rcode, time);
  for (let i = 0; i < 100; i++) {
    const name = `api${i % 2}.payments.example.`;
    for (const type of ['A', 'AAAA']) {
      for (const domain of DOMAINS) ask('10.244.1.7', `${name}${domain}`, type, 3, 0.0002);
      ask('10.244.1.7', name, type, 0, 0.02);
    }
    ask('10.244.2.9', 'mail.shop.svc.cluster.local.', 'A', 0, 0.0001);
  }
  const to = { proxy_name: 'forward', to: '192.0.2.53:53', rcode: 'NOERROR' };
  metrics.histogram('proxy', 'request_duration_seconds', '', TIME_BOUNDS, Object.keys(to)).with(to).observe(0.02, 200);
  metrics.counter('forward', 'unanswered_total', '', ['to']).with({ to: to.to }).inc(3);
  clock.advance(1000);
  top.stop();
  const podOf = (address: string): string | undefined => PODS[address];
  return topReport(top, top.upstreamLoads, podOf, { rows: 20, sort: 'rate', filter: '', ...wish });
}
