// @vitest-environment happy-dom
import { vi } from 'vitest';
import { freshPage } from './fresh.js';
import { boxParts } from './parts/boxes.js';
import { chartParts } from './parts/charts.js';
import { consoleParts } from './parts/console.js';
import { detailsParts } from './parts/details.js';
import { flowParts } from './parts/flows.js';
import { lookupParts } from './parts/lookup.js';
import { pictureParts } from './parts/picture.js';
import { stageParts } from './parts/stage.js';
import { svgParts } from './parts/svg.js';
import { switchParts } from './parts/switches.js';
import { toldParts } from './parts/told.js';
import { wholeParts } from './parts/whole.js';

// There is no canvas to draw on.
vi.mock('uplot', () => import('./plots.js'));

// All in one file: to set up a browser takes longer than most of them do.
freshPage();
lookupParts();
toldParts();
stageParts();
consoleParts();
detailsParts();
switchParts();
flowParts();
chartParts();
boxParts();
pictureParts();
svgParts();
wholeParts();
