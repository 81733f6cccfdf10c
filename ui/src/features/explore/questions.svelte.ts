import { parseQuestions, without, withFirst, type Question } from './questions';

/** The questions of this browser; another tab may change them too. */
export class Questions {
  #past = $state.raw(read(PAST) ?? []);
  #kept = $state.raw(read(KEPT) ?? []);

  /** Those asked before, the newest first. */
  get past(): readonly Question[] {
    return this.#past;
  }

  /** Those that were given a name when the server kept none. */
  get kept(): readonly Question[] {
    return this.#kept;
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

  /** The server has these, or nobody wants them. */
  forgetKept(these: readonly Question[]): void {
    const gone = new Set(these.map(({ search }) => search));
    this.#kept = change(KEPT, this.#kept, (kept) => kept.filter(({ search }) => !gone.has(search)));
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
