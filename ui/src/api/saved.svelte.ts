import { Latest, superseded } from '../base/latest';
import { answered, asking, errorOf, keptOf, type Remote } from '../base/remote';
import type { Api } from './client';
import type { ApiError } from './error';
import type { Saved, SavedQuery } from './model';

export type SavedApi = Pick<Api, 'saved' | 'setSaved'>;

/** Questions that are kept under names on the server, for everybody. */
export class SavedStore {
  #api: SavedApi;
  #asked = new Latest();
  #remote = $state.raw<Remote<Saved, ApiError>>({ state: 'idle' });
  #refusal = $state.raw<ApiError | null>(null);
  #removed = $state.raw<{ readonly query: SavedQuery; readonly at: number } | null>(null);

  constructor(api: SavedApi) {
    this.#api = api;
  }

  get remote(): Remote<Saved, ApiError> {
    return this.#remote;
  }

  /** The newest first. */
  get queries(): readonly SavedQuery[] {
    return keptOf(this.#remote)?.queries ?? [];
  }

  /** Why the last change was not taken. */
  get refusal(): ApiError | null {
    return this.#refusal;
  }

  /** What was removed last, and can be put back. */
  get removed(): SavedQuery | null {
    return this.#removed?.query ?? null;
  }

  get isFull(): boolean {
    return this.queries.length >= SAVED_MAX;
  }

  async load(): Promise<void> {
    this.#remote = asking(this.#remote);
    const answer = await this.#asked.run((signal) => this.#api.saved(signal));
    if (answer !== superseded) this.#remote = answered<Saved, ApiError>(this.#remote, answer);
  }

  /** Before all others, in this order. */
  keep(...others: readonly SavedQuery[]): Promise<boolean> {
    return this.#change((list) => [...others, ...list]);
  }

  rename(name: string, next: string): Promise<boolean> {
    return this.#change((list) =>
      list.map((each) => (each.name === name ? { ...each, name: next } : each)),
    );
  }

  async remove(name: string): Promise<boolean> {
    const at = this.queries.findIndex((each) => each.name === name);
    const query = this.queries[at];
    if (query === undefined) return true;
    const done = await this.#change((list) => list.filter((each) => each.name !== name));
    if (done) this.#removed = { query, at };
    return done;
  }

  async putBack(): Promise<boolean> {
    const removed = this.#removed;
    if (removed === null) return true;
    const done = await this.#change((list) => list.toSpliced(removed.at, 0, removed.query));
    if (done) this.#removed = null;
    return done;
  }

  dispose(): void {
    this.#asked.cancel();
  }

  /** What somebody else has changed meanwhile is read, and changed in the same way. */
  async #change(edit: (list: readonly SavedQuery[]) => readonly SavedQuery[]): Promise<boolean> {
    this.#refusal = null;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (tries > 0 || keptOf(this.#remote) === null) await this.load();
      const before = keptOf(this.#remote);
      if (before === null) break;
      const answer = await this.#api.setSaved(edit(before.queries), before.edition);
      if (answer.ok) {
        this.#remote = { state: 'ready', value: answer.value };
        this.#refusal = null;
        return true;
      }
      this.#refusal = answer.error;
      if (answer.error.kind !== 'refused' || answer.error.code !== CHANGED) return false;
    }
    this.#refusal ??= errorOf(this.#remote);
    return false;
  }
}

/** The name, or the next one like it that is not taken. */
export function freeName(wanted: string, taken: readonly { readonly name: string }[]): string {
  for (let number = 1; ; number += 1) {
    const end = number === 1 ? '' : ` ${number}`;
    const name = `${wanted.trim().slice(0, NAME_MAX - end.length)}${end}`;
    if (!taken.some((each) => each.name === name)) return name;
  }
}

/** As many as the server keeps. */
export const SAVED_MAX = 200;
export const NAME_MAX = 120;
const TRIES_MAX = 4;
/** Somebody else has changed them meanwhile: docs/errors/TL0221.md. */
const CHANGED = 'TL0221';
