import type { HitNoter } from '../chain/index.js';
import type { NotedAnswer } from './hit-notes.js';

/** Who is told when an answer is given that was put at its place as number `sequence`. */
interface Noters {
  readonly sequence: number;
  readonly told: readonly HitNoter[];
}

const nameOf = (slot: number, sequence: number): string => `${slot}/${sequence}`;

/**
 * Who is told of answers of the table each time that they are given. A thread may note an answer that has just left:
 * those who are told of it are known for a while longer.
 */
export class NotedAnswers {
  private readonly current = new Map<number, Noters>();
  /** Of answers that have left since it aged last, and before. */
  private left = new Map<string, Noters>();
  private leftBefore = new Map<string, Noters>();
  private lost = 0;

  add(slot: number, sequence: number, told: readonly HitNoter[]): void {
    this.current.set(slot, { sequence, told });
  }

  leave(slot: number): void {
    const noters = this.current.get(slot);
    if (noters === undefined) return;
    this.current.delete(slot);
    this.left.set(nameOf(slot, noters.sequence), noters);
  }

  tell(note: NotedAnswer): void {
    const noters = this.find(note.slot, note.sequence);
    if (noters === undefined) this.lost++;
    else for (const told of noters.told) told(note);
  }

  /** Forgets those that had left when this was called last. Returns how many notes nobody was told of since then. */
  age(): number {
    const { lost } = this;
    this.lost = 0;
    this.leftBefore = this.left;
    this.left = new Map();
    return lost;
  }

  private find(slot: number, sequence: number): Noters | undefined {
    const noters = this.current.get(slot);
    if (noters?.sequence === sequence) return noters;
    const name = nameOf(slot, sequence);
    return this.left.get(name) ?? this.leftBefore.get(name);
  }
}
