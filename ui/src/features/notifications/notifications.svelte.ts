import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Notifications, NotificationSettings, TestAnswer } from '../../api/model';
import { Draft, type Kept } from '../../base/draft.svelte';
import { Latest, superseded } from '../../base/latest';
import { problemsOf } from '../../base/problems';
import { answered, asking, keptOf, type Remote } from '../../base/remote';
import { ROOTS, unreadable } from './edit';

type Asked = Pick<Api, 'notifications' | 'setNotifications' | 'testNotifications'>;

/** Who is told of what, as the server has it, and what somebody makes of that. */
export class NotificationsStore {
  readonly draft = new Draft<NotificationSettings>(() => this.value);
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

  /** Why the last change was not taken, where that is not said of single fields. */
  get refusal(): ApiError | null {
    return this.#refusal;
  }

  /** What came of the last test of a receiver. */
  test(receiver: string): Remote<readonly TestAnswer[], ApiError> {
    return this.#tests.get(receiver) ?? { state: 'idle' };
  }

  async load(): Promise<void> {
    this.#refusal = null;
    await this.#ask();
  }

  /** Saves what was made of the settings, in place of what it was made from and of nothing else. */
  async save(): Promise<void> {
    const { settings, edition } = this.draft;
    if (settings === null) return;
    const unread = unreadable(settings);
    this.draft.refuse(unread);
    if (unread.length > 0) return;
    if (await this.#put(settings, edition, () => this.draft.saved())) return;
    const message = this.#refusal?.kind === 'refused' ? this.#refusal.message : '';
    this.draft.refuse(problemsOf(message, ROOTS));
    if (this.draft.problems.length > 0 || this.draft.conflict !== null) this.#refusal = null;
  }

  /** Changes what the server has at once, whatever else is being edited; whether it was taken. */
  async apply(change: (settings: NotificationSettings) => NotificationSettings): Promise<boolean> {
    const before: Kept<NotificationSettings> | null = this.value;
    if (before === null) return false;
    return this.#put(change(before.settings), before.edition, () =>
      this.draft.follow(before, change),
    );
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

  async #ask(): Promise<void> {
    this.#remote = asking(this.#remote);
    const answer = await this.#asked.run((signal) => this.#api.notifications(signal));
    if (answer !== superseded)
      this.#remote = answered<Notifications, ApiError>(this.#remote, answer);
  }

  /** What is there instead is read, if it is another edition. */
  async #put(settings: NotificationSettings, edition: string, taken: () => void): Promise<boolean> {
    this.#asked.cancel();
    const answer = await this.#api.setNotifications(settings, edition);
    this.#refusal = answer.ok ? null : answer.error;
    if (answer.ok) {
      this.#remote = { state: 'ready', value: answer.value };
      taken();
    } else if (answer.error.kind === 'refused' && answer.error.code === CHANGED) {
      await this.#ask();
    }
    return answer.ok;
  }
}

/** Somebody else has changed the settings meanwhile: docs/errors/TL0221.md. */
export const CHANGED = 'TL0221';
