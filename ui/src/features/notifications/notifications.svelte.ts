import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Notifications, NotificationSettings, TestAnswer } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { answered, asking, keptOf, type Remote } from '../../base/remote';

type Asked = Pick<Api, 'notifications' | 'setNotifications' | 'testNotifications'>;

/** Who is told of what, as the server has it. */
export class NotificationsStore {
  #api: Asked;
  #asked = new Latest();
  #remote = $state.raw<Remote<Notifications, ApiError>>({ state: 'idle' });
  #refusal = $state.raw<ApiError | null>(null);
  #tests = $state.raw<ReadonlyMap<string, Remote<readonly TestAnswer[], ApiError>>>(new Map());

  constructor(api: Asked) {
    this.#api = api;
  }

  get remote(): Remote<Notifications, ApiError> {
    return this.#remote;
  }

  get value(): Notifications | null {
    return keptOf(this.#remote);
  }

  /** Why the last change was not taken. */
  get refusal(): ApiError | null {
    return this.#refusal;
  }

  /** What came of the last test of a receiver. */
  test(receiver: string): Remote<readonly TestAnswer[], ApiError> {
    return this.#tests.get(receiver) ?? { state: 'idle' };
  }

  async load(): Promise<void> {
    this.#refusal = null;
    this.#remote = asking(this.#remote);
    const answer = await this.#asked.run((signal) => this.#api.notifications(signal));
    if (answer !== superseded)
      this.#remote = answered<Notifications, ApiError>(this.#remote, answer);
  }

  /** Whether the settings were taken in place of that edition of them. */
  async set(settings: NotificationSettings, edition: string): Promise<boolean> {
    this.#asked.cancel();
    const answer = await this.#api.setNotifications(settings, edition);
    this.#refusal = answer.ok ? null : answer.error;
    if (answer.ok) this.#remote = { state: 'ready', value: answer.value };
    return answer.ok;
  }

  async try(receiver: string): Promise<void> {
    this.#tests = new Map(this.#tests).set(receiver, { state: 'loading', kept: null });
    const answer = await this.#api.testNotifications(receiver);
    const told = answered<readonly TestAnswer[], ApiError>({ state: 'idle' }, answer);
    this.#tests = new Map(this.#tests).set(receiver, told);
  }

  dispose(): void {
    this.#asked.cancel();
  }
}
