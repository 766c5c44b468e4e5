export { TsigError, TsigFault, tsigFaultName } from './errors.js';
export { TsigKeyError, namedKey, readTsigKeys, tsigKey, type TsigKey, type TsigKeys } from './keys.js';
export { findTsig, withoutTsig } from './record.js';
export { SignedRequest } from './request.js';
export { TsigTransaction } from './transaction.js';
