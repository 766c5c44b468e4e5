/** Of what is more than can be looked at one by one, one stands for so many. */
const MANY = 8;

/** Leaves most of a flood out, and lets the rest stand for it: what comes in numbers is never left out. */
export class Thinning {
  private left: number;
  private turn = 0;

  /** @param exact how many a second are looked at one by one */
  constructor(private readonly exact: number) {
    this.left = exact;
  }

  /** How often what came `count` times is to be counted: once, MANY times for others, or not at all. */
  times(count: number): number {
    if (this.left > 0 || count >= MANY) {
      this.left--;
      return 1;
    }
    this.turn = (this.turn + 1) % MANY;
    return this.turn === 0 ? MANY : 0;
  }

  /** A second has passed. */
  tick(): void {
    this.left = this.exact;
  }
}
