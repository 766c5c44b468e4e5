// Asks over HTTPS on kept connections, as dnsperf's mode `doh` cannot where Node answers (2.10 waits 100 ms between queries):
// `node doh-load.mjs PORT SECONDS FILE` prints how many answers came.
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';

const [CONNECTIONS, AT_A_TIME] = [4, 25];
const [port, seconds, file] = process.argv.slice(2);
const encode = (line) => {
  const labels = line.split(' ')[0].split('.').filter(Boolean);
  const name = labels.flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 0, 1, 0, 1]).toString('base64url');
};
const paths = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => `/dns-query?dns=${encode(line)}`);

let [next, answered, over] = [0, 0, false];
const sessions = Array.from({ length: CONNECTIONS }, () => {
  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on('error', (error) => {
    if (!over) throw error;
  });
  return session;
});
function ask(session) {
  if (over) return;
  const stream = session.request({ ':path': paths[next++ % paths.length], accept: 'application/dns-message' });
  stream.on('data', () => answered++);
  stream.on('error', () => undefined);
  stream.on('close', () => ask(session));
  stream.end();
}
for (const session of sessions) for (let i = 0; i < AT_A_TIME; i++) ask(session);
setTimeout(
  () => {
    over = true;
    console.log(answered);
    process.exit();
  },
  Number(seconds) * 1000,
);
