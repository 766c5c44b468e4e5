export * from './changes.js';
export * from './differences.js';
export * from './find.js';
export * from './loading.js';
export * from './master-file.js';
export * from './name-path.js';
export * from './tree.js';
export * from './zone.js';
