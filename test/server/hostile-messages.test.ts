import { hostileMessages } from '../support/hostile-messages.js';
import { WAYS, canRun } from '../support/ways.js';

for (const way of WAYS.filter(canRun)) hostileMessages(way);
