import {
  CONTROL_SIZE,
  LIMIT,
  MIN_SETS,
  POOL,
  SEED,
  SET_SIZE,
  SLAB,
  UNIT,
  poolStart,
  setsFor,
} from '../fastpath/table-layout.js';
import type { TableMemory } from '../fastpath/table-memory.js';
import type { Octets } from '../lib/units.js';
import type { Bpf } from './bpf.js';
import { INNER_MAP, MMAPABLE, MapType } from './bpf-numbers.js';
import type { MapShape } from './bpf-shapes.js';

/** Slabs of one map: the program counts with it. */
const SEGMENT_SLABS = 16;
const SEGMENT: Octets = SEGMENT_SLABS * SLAB;

const segmentShape: MapShape = {
  type: MapType.ARRAY,
  keySize: 4,
  valueSize: SLAB,
  entries: SEGMENT_SLABS,
  flags: MMAPABLE,
  name: 'nodens_slabs',
};
const indexShape = (sets: number): MapShape => ({
  type: MapType.ARRAY,
  keySize: 4,
  valueSize: SET_SIZE,
  entries: sets,
  flags: MMAPABLE | INNER_MAP,
  name: 'nodens_index',
});

const word = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);

type TableMaps = Readonly<Record<'control' | 'indexes' | 'segments', number>>;

/** Makes the maps that the program asks for, of which the first lies at an address; none of them where one fails. */
function makeMaps(bpf: Bpf, address: bigint, segments: number): TableMaps {
  const opened: number[] = [];
  const make = (shape: MapShape): number => {
    const map = bpf.createMap(shape);
    opened.push(map);
    return map;
  };
  const outer = { type: MapType.ARRAY_OF_MAPS, keySize: 4, valueSize: 4 };
  try {
    const [segment, index] = [make(segmentShape), make(indexShape(MIN_SETS))];
    const maps = {
      control: make({ ...segmentShape, valueSize: CONTROL_SIZE, entries: 1, name: 'nodens_control' }),
      indexes: make({ ...outer, entries: 1, inner: index, name: 'nodens_indexes' }),
      segments: make({ ...outer, entries: segments, inner: segment, name: 'nodens_segments' }),
    };
    bpf.mapAt(maps.control, address, CONTROL_SIZE);
    for (const map of [segment, index]) bpf.close(map);
    return maps;
  } catch (error) {
    for (const map of opened) bpf.close(map);
    throw error;
  }
}

/**
 * An answer table in maps of the kernel, which programs there read too. To this process they lie side by side in
 * address space that is reserved from the start; maps are made, and take memory, as the table grows.
 */
export class KernelMemory implements TableMemory {
  readonly buffer: ArrayBuffer;
  readonly shared: { readonly address: bigint; readonly size: Octets };
  readonly largestIndex: number;
  readonly pool: Octets;
  readonly poolLimit: Octets;
  /** Descriptors of the maps that the program asks for by these names. */
  readonly maps: TableMaps;
  private readonly indexes = new Map<number, number>();
  private segments = 0;

  /** Throws a BpfError where the kernel does not let it. */
  constructor(
    private readonly bpf: Bpf,
    limit: Octets,
    seed: readonly [number, number],
    clientLimit = 0,
  ) {
    this.poolLimit = SEGMENT * Math.ceil(limit / SEGMENT);
    this.largestIndex = setsFor(this.poolLimit);
    this.pool = poolStart(this.largestIndex);
    const size = this.pool + this.poolLimit;
    const address = bpf.reserve(size);
    this.shared = { address, size };
    this.maps = makeMaps(bpf, address, this.poolLimit / SEGMENT);
    this.buffer = bpf.view(address, size);
    const words = new Int32Array(this.buffer);
    words.set(seed, SEED);
    words[POOL] = this.pool / UNIT;
    words[LIMIT] = clientLimit;
  }

  growPool(bytes: Octets): boolean {
    while (this.segments * SEGMENT < bytes) {
      if (this.segments * SEGMENT >= this.poolLimit) return false;
      const map = this.made(segmentShape, this.pool + this.segments * SEGMENT, SEGMENT);
      if (map === undefined) return false;
      this.bpf.update(this.maps.segments, word(this.segments++), word(map));
      this.bpf.close(map);
    }
    return true;
  }

  makeIndex(sets: number): boolean {
    if (sets > this.largestIndex) return false;
    const map = this.made(indexShape(sets), CONTROL_SIZE + sets * SET_SIZE, sets * SET_SIZE);
    if (map === undefined) return false;
    this.indexes.set(sets, map);
    if (this.indexes.size === 1) this.useIndex(sets);
    return true;
  }

  useIndex(sets: number): void {
    const map = this.indexes.get(sets)!;
    this.bpf.update(this.maps.indexes, word(0), word(map));
    this.bpf.close(map);
  }

  /** A map that lies at an offset of the table; undefined where the kernel has no memory for it. */
  private made(shape: MapShape, offset: Octets, size: Octets): number | undefined {
    let map: number | undefined;
    try {
      map = this.bpf.createMap(shape);
      this.bpf.mapAt(map, this.shared.address + BigInt(offset), size);
      return map;
    } catch {
      if (map !== undefined) this.bpf.close(map);
      return undefined;
    }
  }
}
