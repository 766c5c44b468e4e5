import type { Random } from '../../src/lib/random.js';

/** Ranks from 0, of which number n comes in proportion to 1 / (n + 1) (Zipf's law). */
export class Zipf {
  private readonly sums: Float64Array;

  constructor(
    readonly ranks: number,
    private readonly random: Random,
  ) {
    this.sums = new Float64Array(ranks);
    let sum = 0;
    for (let rank = 0; rank < ranks; rank++) this.sums[rank] = sum += 1 / (rank + 1);
  }

  draw(): number {
    const { sums } = this;
    const wanted = ((this.random.uint32() + 0.5) / 2 ** 32) * sums[this.ranks - 1]!;
    let low = 0;
    let high = this.ranks - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
