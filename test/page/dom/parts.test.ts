// @vitest-environment happy-dom
import { freshPage } from './fresh.js';
import { lookupParts } from './parts/lookup.js';
import { stageParts } from './parts/stage.js';
import { toldParts } from './parts/told.js';

// All in one file: to set up a browser takes longer than most of them do.
freshPage();
lookupParts();
toldParts();
stageParts();
