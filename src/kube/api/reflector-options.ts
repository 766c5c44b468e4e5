import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import type { Intake } from '../intake/intake.js';
import type { KubeKind } from '../objects/objects.js';
import type { Pace } from '../pace.js';
import type { ProtobufObjectReader } from '../protobuf/objects.js';
import type { KubeLog } from '../source.js';
import type { ApiClient } from './client.js';
import type { ApiTiming } from './timing.js';

export interface ReflectorOptions {
  readonly kind: KubeKind;
  readonly client: ApiClient;
  readonly intake: Intake;
  /** Of objects in protobuf; undefined to ask for JSON. */
  readonly reader: ProtobufObjectReader | undefined;
  /** Selectors for the API, without paging and version. */
  readonly query: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: ApiTiming;
  /** Shared with the reflectors of other kinds. */
  readonly pace: Pace;
  readonly log: KubeLog;
}
