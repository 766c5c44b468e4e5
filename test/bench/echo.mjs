// What Node's TLS and HTTP/2 take by themselves: `node echo.mjs tls|http2 PORT CERT KEY` sends each query back as an answer.
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import tls from 'node:tls';

const [kind, port, cert, key] = process.argv.slice(2);
const pair = { cert: readFileSync(cert), key: readFileSync(key) };

function overTls(socket) {
  let rest = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let end = 0;
    while (end + 2 <= rest.length && end + 2 + rest.readUInt16BE(end) <= rest.length) {
      rest[end + 4] |= 0x80;
      end += 2 + rest.readUInt16BE(end);
    }
    if (end > 0) socket.write(rest.subarray(0, end));
    rest = rest.subarray(end);
  });
}

function overHttp2(stream, headers) {
  const message = Buffer.from(headers[':path'].slice('/dns-query?dns='.length), 'base64url');
  message[2] |= 0x80;
  stream.respond({ ':status': 200, 'content-type': 'application/dns-message', 'content-length': message.length });
  stream.end(message);
}

if (kind === 'tls') tls.createServer(pair, overTls).listen(Number(port), '127.0.0.1');
else http2.createSecureServer(pair).on('stream', overHttp2).listen(Number(port), '127.0.0.1');
