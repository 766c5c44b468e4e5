/** Room for so many things at a time; who comes when all of it is taken waits for its turn. */
export class Places {
  private taken = 0;
  private readonly waiting: (() => void)[] = [];
  private calling = false;

  /** @param most asked each time: a reload may change it */
  constructor(private readonly most: () => number) {}

  /** Calls `begin` when there is a place for it: `leave` has to follow. */
  enter(begin: () => void): void {
    if (this.taken >= this.most()) return void this.waiting.push(begin);
    this.taken++;
    begin();
  }

  leave(): void {
    this.taken--;
    // One that leaves at once makes room in its turn: without a loop here, a long row of them would be a deep stack.
    if (this.calling) return;
    this.calling = true;
    while (this.waiting.length > 0 && this.taken < this.most()) {
      this.taken++;
      this.waiting.shift()!();
    }
    this.calling = false;
  }
}
