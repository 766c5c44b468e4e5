export * from './authority.js';
export * from './served-zone.js';
export * from './zone-file.js';
