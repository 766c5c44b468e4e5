export { GoTemplateError } from './error.js';
export { counted, integer, text } from './functions.js';
export { GoTemplate } from './template.js';
export { GoStruct, type GoValue } from './values.js';
