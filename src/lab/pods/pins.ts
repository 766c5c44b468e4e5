import type { PodPin } from '../topology/topology.js';
import type { ObjectKey } from '../cluster/pod-index.js';

/** What a topology says about its first pods; each is used once. */
export class PodPins {
  private readonly used = new Set<PodPin>();

  constructor(private readonly pins: readonly PodPin[]) {}

  /** What is said about pods of a workload that are not there yet, the first of them first. */
  free(workload: ObjectKey): readonly PodPin[] {
    const of = `${workload.kind.toLowerCase()}/${workload.name}`;
    return this.pins.filter((pin) => pin.of === of && pin.namespace === workload.namespace && !this.used.has(pin));
  }

  /** Takes what is said about the next pod of a workload, on a node where one is given. */
  take(workload: ObjectKey, node: string | undefined): PodPin | undefined {
    return this.use(
      this.free(workload).find((pin) => node === undefined || pin.node === undefined || pin.node === node),
    );
  }

  /** Takes what is said about a pod without an owner. */
  takeOwn({ namespace, name }: ObjectKey): PodPin | undefined {
    return this.use(
      this.pins.find(
        (pin) => pin.of === undefined && pin.namespace === namespace && pin.name === name && !this.used.has(pin),
      ),
    );
  }

  private use(pin: PodPin | undefined): PodPin | undefined {
    if (pin) this.used.add(pin);
    return pin;
  }
}
