import type { Api } from '../../api/client';
import { Completion } from '../../api/completion';
import type { ApiError } from '../../api/error';
import type { Alerts, AlertSettings } from '../../api/model';
import { Draft, type Kept } from '../../base/draft.svelte';
import { Latest, superseded } from '../../base/latest';
import type { Round } from '../../base/poll';
import { problemsOf } from '../../base/problems';
import { answered, asking, keptOf, type Remote } from '../../base/remote';
import { ROOTS, unreadable } from './edit';

type Asked = Pick<Api, 'alerts' | 'setAlerts' | 'keys' | 'values'>;

/** What is watched, as the server has it, and what somebody makes of that. */
export class AlertsStore {
  readonly draft = new Draft<AlertSettings>(() => this.#kept);
  /** What conditions can be completed to. */
  readonly completion: Completion;
  #api: Asked;
  #asked = new Latest();
  #remote = $state.raw<Remote<Alerts, ApiError>>({ state: 'idle' });
  #refusal = $state.raw<ApiError | null>(null);
  #kept = $derived.by((): Kept<AlertSettings> | null => {
    const settings = this.value?.settings;
    // The server tells no editions of them: they are told apart by what they are.
    return settings === undefined ? null : { settings, edition: JSON.stringify(settings) };
  });

  constructor(api: Asked) {
    this.#api = api;
    this.completion = new Completion(api);
  }

  get remote(): Remote<Alerts, ApiError> {
    return this.#remote;
  }

  get value(): Alerts | null {
    return keptOf(this.#remote);
  }

  /** Why the last change was not taken, where that is not said of single fields. */
  get refusal(): ApiError | null {
    return this.#refusal;
  }

  async load(): Promise<Round> {
    this.#remote = asking(this.#remote);
    const answer = await this.#asked.run((signal) => this.#api.alerts(signal));
    if (answer === superseded) return 'answered';
    this.#remote = answered<Alerts, ApiError>(this.#remote, answer);
    return answer.ok ? 'answered' : 'failed';
  }

  /** Saves what was made of the settings, unless somebody else has changed them meanwhile. */
  async save(): Promise<void> {
    const { settings } = this.draft;
    if (settings === null) return;
    const unread = unreadable(settings);
    this.draft.refuse(unread);
    this.#refusal = null;
    if (unread.length > 0) return;
    await this.load();
    if (this.draft.conflict !== null) return;
    const answer = await this.#api.setAlerts(settings);
    if (answer.ok) {
      this.#remote = { state: 'ready', value: answer.value };
      this.draft.saved();
      return;
    }
    const { error } = answer;
    this.draft.refuse(problemsOf(error.kind === 'refused' ? error.message : '', ROOTS));
    if (this.draft.problems.length === 0) this.#refusal = error;
  }

  dispose(): void {
    this.#asked.cancel();
  }
}
