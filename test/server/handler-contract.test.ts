import { handlerContract } from '../support/handler-contract.js';
import { WAYS, canRun } from '../support/ways.js';

for (const way of WAYS.filter(canRun)) handlerContract(way);
