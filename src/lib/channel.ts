/**
 * A typed event channel. Listeners run at once, in the order of subscription; with none, `emit` costs one comparison.
 */
export class Channel<Event> {
  private listeners: readonly ((event: Event) => void)[] = [];

  /** Whether anybody listens: lets a sender skip building an expensive event. */
  get active(): boolean {
    return this.listeners.length > 0;
  }

  emit(event: Event): void {
    for (const listener of this.listeners) listener(event);
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: Event) => void): () => void {
    this.listeners = [...this.listeners, listener];
    return () => {
      this.listeners = this.listeners.filter((other) => other !== listener);
    };
  }
}
