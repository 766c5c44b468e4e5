/** Styles that a module is imported for: esbuild puts them into a file beside the page's. */
declare module '*.css';
