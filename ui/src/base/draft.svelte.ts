import { changesOf, isSame, merged, type Change } from './changes';
import { isIn, type Problem } from './problems';

/** Settings as the server has them. */
export interface Kept<T> {
  readonly settings: T;
  /** Tells them from those before and after them. */
  readonly edition: string;
}

/** What somebody makes of settings before they are saved: in a form, or as text. */
export class Draft<T extends object> {
  #kept: () => Kept<T> | null;
  /** What was made of them, and what they were when that began. */
  #mine = $state.raw<{ readonly settings: T; readonly from: Kept<T> } | null>(null);
  /** What was typed, while that is what is looked at. */
  #text = $state<string | null>(null);
  #problems = $state.raw<readonly Problem[]>([]);
  #isSaved = $state(false);

  constructor(kept: () => Kept<T> | null) {
    this.#kept = kept;
  }

  /** What is edited; null before the server has said what there is. */
  get settings(): T | null {
    return this.#mine?.settings ?? this.#kept()?.settings ?? null;
  }

  /** The edition that is replaced when it is saved. */
  get edition(): string {
    return this.#mine?.from.edition ?? this.#kept()?.edition ?? '';
  }

  get isChanged(): boolean {
    if (this.wrong !== null) return true;
    return this.#mine !== null && !isSame(this.#mine.settings, this.#mine.from.settings);
  }

  /** Whether what is here was saved, and nothing was changed since. */
  get isSaved(): boolean {
    return this.#isSaved && !this.isChanged;
  }

  /** What is wrong with it, as far as that is known. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  get text(): string {
    return this.#text ?? JSON.stringify(this.settings ?? {}, null, 2);
  }

  /** Why the text is none that could be saved. */
  get wrong(): string | null {
    const read = this.#text === null ? null : parse<T>(this.#text);
    return read !== null && 'wrong' in read ? read.wrong : null;
  }

  /** What somebody else has changed since this was begun; null if nobody has. */
  get conflict(): readonly Change[] | null {
    const [mine, kept] = [this.#mine, this.#kept()];
    if (mine === null || kept === null || kept.edition === mine.from.edition) return null;
    return changesOf(mine.from.settings, kept.settings);
  }

  /** What was wrong in that place is to be seen again; in all, if things in it have moved. */
  change(settings: T, place?: string): void {
    const from = this.#mine?.from ?? this.#kept();
    if (from === null) return;
    this.#mine = { settings, from };
    this.#text = null;
    this.#isSaved = false;
    this.#problems =
      place === undefined ? [] : this.#problems.filter((problem) => !isIn(problem.place, place));
  }

  /** The same change to what is edited and to what it was begun from: it has been saved by itself. */
  follow(before: Kept<T>, change: (settings: T) => T): void {
    const [mine, kept] = [this.#mine, this.#kept()];
    if (mine === null || kept === null || mine.from.edition !== before.edition) return;
    this.#mine = { settings: change(mine.settings), from: kept };
    this.#text = null;
    this.#problems = [];
  }

  write(text: string): void {
    const read = parse<T>(text);
    if (!('wrong' in read)) this.change(read.value);
    this.#text = text;
    this.#problems = [];
    this.#isSaved = false;
  }

  refuse(problems: readonly Problem[]): void {
    this.#problems = problems;
  }

  /** What the server has is what is edited. */
  discard(): void {
    this.#mine = null;
    this.#text = null;
    this.#problems = [];
    this.#isSaved = false;
  }

  saved(): void {
    this.discard();
    this.#isSaved = true;
  }

  /** Puts what was made here upon what somebody else has made of the same. */
  merge(): void {
    const [mine, kept] = [this.#mine, this.#kept()];
    if (mine === null || kept === null) return;
    const settings = merged(mine.from.settings, mine.settings, kept.settings);
    this.#mine = { settings, from: kept };
    this.#text = null;
    this.#problems = [];
  }
}

function parse<T>(text: string): { readonly value: T } | { readonly wrong: string } {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { value: value as T } : { wrong: 'it is no object in braces' };
  } catch (cause) {
    return { wrong: cause instanceof Error ? cause.message : String(cause) };
  }
}
