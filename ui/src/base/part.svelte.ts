import { Latest, superseded } from './latest';
import { answered, errorOf, keptOf, type Remote } from './remote';
import type { Result } from './result';

/** A piece of a page that is asked for by itself, so that the others do not wait for it. */
export class Part<T, E> {
  #asked = new Latest();
  #remote = $state.raw<Remote<T, E>>({ state: 'idle' });

  get value(): T | null {
    return keptOf(this.#remote);
  }

  get error(): E | null {
    return errorOf(this.#remote);
  }

  get remote(): Remote<T, E> {
    return this.#remote;
  }

  /** Whether what is shown answers an older question than the one that is asked now. */
  get isStale(): boolean {
    return this.#remote.state === 'loading' && this.#remote.kept !== null;
  }

  /** Asks; the newest question wins. `isNew` says that the answer before is of something else. */
  async load(
    isNew: boolean,
    task: (signal: AbortSignal) => Promise<Result<T, E>>,
  ): Promise<Result<T, E> | null> {
    if (isNew || this.#remote.state === 'idle') {
      this.#remote = { state: 'loading', kept: keptOf(this.#remote) };
    }
    const answer = await this.#asked.run(task);
    if (answer === superseded) return null;
    this.#remote = answered(this.#remote, answer);
    return answer;
  }

  dispose(): void {
    this.#asked.cancel();
  }
}
