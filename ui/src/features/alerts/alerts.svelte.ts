import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Alerts, AlertSettings } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { answered, asking, keptOf, type Remote } from '../../base/remote';

type Asked = Pick<Api, 'alerts' | 'setAlerts'>;

/** What is watched, as the server has it. */
export class AlertsStore {
  #api: Asked;
  #asked = new Latest();
  #remote = $state.raw<Remote<Alerts, ApiError>>({ state: 'idle' });
  #refusal = $state.raw<ApiError | null>(null);

  constructor(api: Asked) {
    this.#api = api;
  }

  get remote(): Remote<Alerts, ApiError> {
    return this.#remote;
  }

  get value(): Alerts | null {
    return keptOf(this.#remote);
  }

  /** Why the last change was not taken. */
  get refusal(): ApiError | null {
    return this.#refusal;
  }

  async load(): Promise<void> {
    this.#remote = asking(this.#remote);
    const answer = await this.#asked.run((signal) => this.#api.alerts(signal));
    if (answer !== superseded) this.#remote = answered<Alerts, ApiError>(this.#remote, answer);
  }

  /** Whether the settings were taken. */
  async set(settings: AlertSettings): Promise<boolean> {
    const answer = await this.#api.setAlerts(settings);
    this.#refusal = answer.ok ? null : answer.error;
    if (answer.ok) this.#remote = { state: 'ready', value: answer.value };
    return answer.ok;
  }

  dispose(): void {
    this.#asked.cancel();
  }
}
