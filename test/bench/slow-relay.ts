// Works on one query of a TCP connection at a time, 300 ms for names that begin with `slow`: `tsx slow-relay.ts PORT
// SERVER-PORT`. Run on the load's core.
import { InOrderRelay } from '../support/in-order-relay.js';

const SLOW = 300;

const [port, server] = process.argv.slice(2).map(Number);
const isSlow = (query: Buffer): boolean => query.toString('latin1', 13, 17) === 'slow';
await InOrderRelay.start(server!, (query) => (isSlow(query) ? SLOW : 0), port);
process.stdout.write('ready\n');
