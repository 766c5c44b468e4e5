export { Server, createServer, type Injected, type ServerOptions } from './server/server.js';
export { CorefileError } from './corefile/index.js';
export type { Message, Question, Rr } from './wire/index.js';
