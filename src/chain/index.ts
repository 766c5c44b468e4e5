export * from './handler.js';
export * from './http-address.js';
export * from './link.js';
export * from './look-up.js';
export * from './plugin.js';
export * from './query.js';
export * from './reply.js';
export * from './zones.js';
