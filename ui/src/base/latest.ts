/**
 * The newest request wins: starting one aborts the one before, and a late
 * answer of an older one is never seen.
 */
export class Latest {
  #current: AbortController | null = null;

  /** The task's answer, or `superseded` when a newer task began meanwhile. */
  async run<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T | typeof superseded> {
    this.#current?.abort();
    const mine = new AbortController();
    this.#current = mine;
    const answer = await task(mine.signal);
    return this.#current === mine ? answer : superseded;
  }

  cancel(): void {
    this.#current?.abort();
    this.#current = null;
  }
}

export const superseded = Symbol('superseded');
