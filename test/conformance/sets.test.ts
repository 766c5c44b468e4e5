import { checkSets } from './check.js';
import { sets } from './sets.mjs';

checkSets(sets, 'answers.json');
