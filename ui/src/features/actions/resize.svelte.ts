import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { ActionList, Standing } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { answered, keptOf, type Remote } from '../../base/remote';
import { readWho } from './who';

/** Another memory size for one function: proposing it, and what came of those before. */
export class ResizeStore {
  /** Who one is. */
  who = $state(readWho());

  #api: Pick<Api, 'actions' | 'keep' | 'propose' | 'undo'>;
  #name: string;
  #asked = new Latest();
  #remote = $state.raw<Remote<ActionList, ApiError>>({ state: 'idle' });
  #refusal = $state.raw<ApiError | null>(null);

  constructor(api: Pick<Api, 'actions' | 'keep' | 'propose' | 'undo'>, name: string) {
    this.#api = api;
    this.#name = name;
  }

  get remote(): Remote<ActionList, ApiError> {
    return this.#remote;
  }

  get refusal(): ApiError | null {
    return this.#refusal;
  }

  /** Why nothing can be proposed now; empty if it can. */
  get hindrance(): string {
    const known = keptOf(this.#remote);
    if (known === null) return 'What may be done is not known yet';
    if (known.place === 'off') return 'The server was started with --actions off';
    return this.who.trim() === '' ? 'Say who you are first' : '';
  }

  /** What somebody confirmed of this function's memory, the newest first. */
  get done(): readonly Standing[] {
    const actions = keptOf(this.#remote)?.actions ?? [];
    const mine = actions.filter(
      ({ action, state }) =>
        action.do === 'memory' && action.function === this.#name && state !== 'proposed',
    );
    return mine.slice(0, DONE_MAX);
  }

  async load(): Promise<void> {
    this.#remote = { state: 'loading', kept: keptOf(this.#remote) };
    const answer = await this.#asked.run((signal) => this.#api.actions(signal));
    if (answer !== superseded) this.#remote = answered<ActionList, ApiError>(this.#remote, answer);
  }

  /** The path at which it can be confirmed. */
  async propose(memoryMb: number): Promise<string | null> {
    const action = { do: 'memory', function: this.#name, memory_mb: memoryMb } as const;
    const answer = await this.#api.propose(action, null, this.who);
    this.#refusal = answer.ok ? null : answer.error;
    return answer.ok ? answer.value.path : null;
  }

  async undo(id: string): Promise<void> {
    await this.#change(this.#api.undo(id, this.who));
  }

  /** So that it is not put back by itself. */
  async keep(id: string): Promise<void> {
    await this.#change(this.#api.keep(id, this.who));
  }

  dispose(): void {
    this.#asked.cancel();
  }

  async #change(changing: ReturnType<Api['undo']>): Promise<void> {
    const answer = await changing;
    this.#refusal = answer.ok ? null : answer.error;
    await this.load();
  }
}

/** Older ones are in the audit log. */
const DONE_MAX = 3;
