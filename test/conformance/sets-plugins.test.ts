import { checkSets } from './check.js';
import { sets } from './sets-plugins.mjs';

checkSets(sets, 'answers-plugins.json');
