import type { Answer, Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Standing } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { answered, keptOf, type Remote } from '../../base/remote';

/** What is not told, or found, because somebody said so by an action. */
export interface Quiet {
  readonly actions: readonly Standing[];
  /** Whether there are more than were asked for. */
  readonly isCut: boolean;
}

/** Actions that are in force and keep people from being told. */
export class QuietStore {
  #api: Pick<Api, 'inForce'>;
  #asked = new Latest();
  #remote = $state.raw<Remote<Quiet, ApiError>>({ state: 'idle' });

  constructor(api: Pick<Api, 'inForce'>) {
    this.#api = api;
  }

  get remote(): Remote<Quiet, ApiError> {
    return this.#remote;
  }

  async load(): Promise<void> {
    this.#remote = { state: 'loading', kept: keptOf(this.#remote) };
    const answer = await this.#asked.run((signal) => this.#all(signal));
    if (answer !== superseded) this.#remote = answered<Quiet, ApiError>(this.#remote, answer);
  }

  dispose(): void {
    this.#asked.cancel();
  }

  async #all(signal: AbortSignal): Answer<Quiet> {
    const actions: Standing[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const answer: Awaited<ReturnType<Api['inForce']>> = await this.#api.inForce(cursor, signal);
      if (!answer.ok) return answer;
      actions.push(...answer.value.actions.filter(({ action }) => isQuiet(action.do)));
      cursor = answer.value.next_cursor;
      if (cursor === null) break;
    }
    return { ok: true, value: { actions, isCut: cursor !== null } };
  }
}

function isQuiet(what: Standing['action']['do']): boolean {
  return what === 'ignore' || what === 'mute';
}

/** Of two hundred actions each. */
const PAGES_MAX = 5;
