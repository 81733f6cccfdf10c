import {
  KEPT_MAX,
  news,
  parseQuestions,
  renamed,
  without,
  withFirst,
  type Question,
} from './questions';

/** The questions of this browser; another tab may change them too. */
export class Questions {
  #past = $state.raw(read(PAST) ?? []);
  #kept = $state.raw(read(KEPT) ?? []);
  #removed = $state.raw<{ readonly question: Question; readonly at: number } | null>(null);

  /** Those asked before, the newest first. */
  get past(): readonly Question[] {
    return this.#past;
  }

  /** Those that were given a name, the newest first. */
  get kept(): readonly Question[] {
    return this.#kept;
  }

  /** What was removed last, and can be put back. */
  get removed(): Question | null {
    return this.#removed?.question ?? null;
  }

  get isFull(): boolean {
    return this.#kept.length >= KEPT_MAX;
  }

  remember(question: Question): void {
    this.#past = change(PAST, this.#past, (past) => withFirst(past, question).slice(0, PAST_MAX));
  }

  forget(search: string): void {
    this.#past = change(PAST, this.#past, (past) => without(past, search));
  }

  forgetAll(): void {
    this.#past = change(PAST, this.#past, () => []);
  }

  keep({ search }: Question, name: string): void {
    this.#kept = change(KEPT, this.#kept, (kept) =>
      kept.length >= KEPT_MAX
        ? kept
        : renamed(withFirst(kept, { words: '', search }), search, name),
    );
  }

  rename(search: string, name: string): void {
    this.#kept = change(KEPT, this.#kept, (kept) => renamed(kept, search, name));
  }

  remove(question: Question): void {
    const at = this.#kept.findIndex(({ search }) => search === question.search);
    this.#kept = change(KEPT, this.#kept, (kept) => without(kept, question.search));
    this.#removed = { question, at };
  }

  putBack(): void {
    const removed = this.#removed;
    if (removed === null) return;
    this.#kept = change(KEPT, this.#kept, (kept) =>
      kept.toSpliced(removed.at, 0, ...news(kept, [removed.question])),
    );
    this.#removed = null;
  }

  /** Those that somebody else kept, after the own ones. */
  take(others: readonly Question[]): void {
    this.#kept = change(KEPT, this.#kept, (kept) => [...kept, ...news(kept, others)]);
  }
}

/** What the browser has now is changed, which another tab may have changed as well. */
function change(
  store: string,
  held: readonly Question[],
  edit: (list: readonly Question[]) => readonly Question[],
): readonly Question[] {
  const list = edit(read(store) ?? held);
  try {
    localStorage.setItem(store, JSON.stringify(list));
  } catch {
    // Storage may be forbidden or full; the list then lasts as long as the page.
  }
  return list;
}

/** Null where storage is forbidden. */
function read(store: string): readonly Question[] | null {
  try {
    return parseQuestions(localStorage.getItem(store));
  } catch {
    return null;
  }
}

const PAST = 'throughline.explore.history';
const KEPT = 'throughline.explore.kept';
const PAST_MAX = 30;
