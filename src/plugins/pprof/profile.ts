import type { Profiler } from 'node:inspector';
import { Function, Line, Location, Profile, Sample, StringTable, ValueType } from 'pprof-format';
import type { Milliseconds, Octets } from '../../lib/units.js';

/** A function that stands on a stack: V8 counts lines from 0. */
type Frame = Pick<Profiler.ProfileNode['callFrame'], 'functionName' | 'url' | 'lineNumber'>;

/** What V8's sampling heap profiler says; Node's types leave some of it out. */
export interface SampledHeap {
  readonly head: SampledNode;
  readonly samples: readonly { readonly nodeId: number }[];
}

interface SampledNode {
  readonly id: number;
  readonly callFrame: Frame;
  /** Bytes that the function itself has allocated. */
  readonly selfSize: Octets;
  readonly children: readonly SampledNode[];
}

/** What is measured and in which unit, such as `cpu` in `nanoseconds`. */
type Measure = readonly [type: string, unit: string];

/** Collects stacks with their values in the format of the pprof tools. */
class ProfileBuilder {
  private readonly strings = new StringTable();
  private readonly functions = new Map<string, Function>();
  private readonly locations = new Map<string, Location>();
  private readonly samples: Sample[] = [];

  constructor(private readonly measures: readonly Measure[]) {}

  /** @param stack innermost frame first @param values one for each measure */
  add(stack: readonly Frame[], values: readonly number[]): void {
    if (values.every((value) => value === 0)) return;
    this.samples.push(
      new Sample({ locationId: stack.map((frame) => this.location(frame).id), value: values.map(Math.round) }),
    );
  }

  encode(facts: { time: Milliseconds; duration: Milliseconds; period: number }): Uint8Array {
    const types = this.measures.map(
      ([type, unit]) => new ValueType({ type: this.strings.dedup(type), unit: this.strings.dedup(unit) }),
    );
    return new Profile({
      sampleType: types,
      sample: this.samples,
      location: [...this.locations.values()],
      function: [...this.functions.values()],
      stringTable: this.strings,
      timeNanos: BigInt(Math.round(facts.time)) * 1_000_000n,
      durationNanos: Math.round(facts.duration * 1_000_000),
      periodType: types.at(-1)!,
      period: facts.period,
    }).encode();
  }

  private location(frame: Frame): Location {
    const key = `${frame.functionName}\0${frame.url}\0${frame.lineNumber}`;
    const known = this.locations.get(key);
    if (known !== undefined) return known;
    const line = new Line({ functionId: this.functionOf(key, frame).id, line: frame.lineNumber + 1 });
    const made = new Location({ id: this.locations.size + 1, line: [line] });
    this.locations.set(key, made);
    return made;
  }

  private functionOf(key: string, { functionName, url, lineNumber }: Frame): Function {
    const name = this.strings.dedup(functionName === '' ? '(anonymous)' : functionName);
    const filename = this.strings.dedup(url.replace(/^file:\/\//, ''));
    const made = new Function({
      id: this.functions.size + 1,
      name,
      systemName: name,
      filename,
      startLine: lineNumber + 1,
    });
    this.functions.set(key, made);
    return made;
  }
}

/** Where the CPU's time went, from V8's profile; `time` is when it began, since 1970. */
export function cpuProfile(profile: Profiler.Profile, time: Milliseconds): Uint8Array {
  const builder = new ProfileBuilder([
    ['samples', 'count'],
    ['cpu', 'nanoseconds'],
  ]);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const sums = new Map<number, { count: number; micros: number }>();
  (profile.samples ?? []).forEach((id, i) => {
    const sum = sums.get(id) ?? { count: 0, micros: 0 };
    sums.set(id, sum);
    sum.count++;
    sum.micros += Math.max(0, profile.timeDeltas?.[i] ?? 0);
  });
  for (const [id, { count, micros }] of sums) {
    const stack: Frame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = nodes.get(at)!.callFrame;
      if (frame.functionName !== '(root)') stack.push(frame);
    }
    // Waiting for events takes no time of the CPU.
    if (stack[0]?.functionName !== '(idle)') builder.add(stack, [count, micros * 1000]);
  }
  const duration = (profile.endTime - profile.startTime) / 1000;
  const samples = profile.samples?.length ?? 0;
  return builder.encode({ time, duration, period: samples === 0 ? 0 : Math.round((duration * 1_000_000) / samples) });
}

/**
 * What was allocated while V8 sampled and is in use, and where, from its profile with one sample in `interval` bytes;
 * `time` is when it ended, since 1970.
 */
export function heapProfile(
  profile: SampledHeap,
  time: Milliseconds,
  duration: Milliseconds,
  interval: Octets,
): Uint8Array {
  const builder = new ProfileBuilder([
    ['inuse_objects', 'count'],
    ['inuse_space', 'bytes'],
  ]);
  const counts = new Map<number, number>();
  for (const { nodeId } of profile.samples) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
  const visit = (node: SampledNode, above: readonly Frame[]): void => {
    const stack = node.callFrame.functionName === '(root)' ? above : [node.callFrame, ...above];
    builder.add(stack, [counts.get(node.id) ?? 0, node.selfSize]);
    for (const child of node.children) visit(child, stack);
  };
  visit(profile.head, []);
  return builder.encode({ time, duration, period: interval });
}
