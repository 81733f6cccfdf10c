import { Latest, superseded } from '../base/latest';
import { answered, type Remote } from '../base/remote';
import type { Api } from './client';
import type { ApiError } from './error';
import type { Contrast, ContrastQuestion } from './model';

/** Why some rows are different; each new question takes the place of the one before. */
export class Comparison {
  #api: Pick<Api, 'contrast'>;
  #asked = new Latest();
  #remote = $state.raw<Remote<Contrast, ApiError>>({ state: 'idle' });

  constructor(api: Pick<Api, 'contrast'>) {
    this.#api = api;
  }

  get remote(): Remote<Contrast, ApiError> {
    return this.#remote;
  }

  async ask(question: ContrastQuestion): Promise<void> {
    this.#remote = { state: 'loading', kept: null };
    const found = await this.#asked.run((signal) => this.#api.contrast(question, signal));
    if (found !== superseded) this.#remote = answered(this.#remote, found);
  }

  /** What cannot be asked. */
  refuse(message: string): void {
    this.#asked.cancel();
    const error: ApiError = { kind: 'refused', status: 400, code: 'TL0201', message };
    this.#remote = { state: 'failed', error, kept: null };
  }

  forget(): void {
    this.#asked.cancel();
    this.#remote = { state: 'idle' };
  }
}
