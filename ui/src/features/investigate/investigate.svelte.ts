import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Investigation } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { answered, keptOf, type Remote } from '../../base/remote';
import { questionOf, type Slots } from './words';

/** One question, and what was found. */
export class InvestigateStore {
  #api: Pick<Api, 'investigate'>;
  #asked = new Latest();
  #remote = $state.raw<Remote<Investigation, ApiError>>({ state: 'idle' });

  constructor(api: Pick<Api, 'investigate'>) {
    this.#api = api;
  }

  get remote(): Remote<Investigation, ApiError> {
    return this.#remote;
  }

  async ask(slots: Slots): Promise<void> {
    const question = questionOf(slots);
    if (question === null) {
      this.#asked.cancel();
      this.#remote = { state: 'idle' };
      return;
    }
    this.#remote = { state: 'loading', kept: keptOf(this.#remote) };
    const answer = await this.#asked.run((signal) => this.#api.investigate(question, signal));
    if (answer !== superseded)
      this.#remote = answered<Investigation, ApiError>(this.#remote, answer);
  }

  dispose(): void {
    this.#asked.cancel();
  }
}
