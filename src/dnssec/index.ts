export { KeyFileError, dsData, fromBase64, keyFiles, readSigningKey, type SigningKey } from './signing-key.js';
export { Rrset, rrsetsOf, type Validity } from './rrset.js';
export { nsecData } from './nsec.js';
