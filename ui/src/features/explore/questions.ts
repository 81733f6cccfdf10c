/** Questions that can be asked again: those asked before, and those that were given a name. */
import { describe, formatDraft, parseDraft } from './draft';

export interface Question {
  /** Its name, or what it asks where it was given none. */
  readonly words: string;
  /** The address that asks it, without the time. Different for all of a list. */
  readonly search: string;
}

/** The question that an address asks: one of the builder, or a statement of SQL. */
export function questionOf(address: string): Question {
  const said = new URLSearchParams(address);
  const search =
    said.get('tab') === 'sql'
      ? new URLSearchParams({ tab: 'sql', sql: said.get('sql') ?? '' })
      : new URLSearchParams({ query: formatDraft(parseDraft(said.get('query'))) });
  return { words: asks(address), search: search.toString() };
}

/** What it asks, in words. */
export function asks(search: string): string {
  const said = new URLSearchParams(search);
  const sql = said.get('sql') ?? '';
  if (said.get('tab') === 'sql') return sql.replaceAll(/\s+/g, ' ').slice(0, SQL_WORDS_MAX);
  return describe(parseDraft(said.get('query')));
}

/** The address that asks it, at the time that the page looks at. */
export function searchOf({ search }: Question, now: string): string {
  const [said, next] = [new URLSearchParams(search), new URLSearchParams(now)];
  for (const key of QUESTION_KEYS) {
    const value = said.get(key) ?? '';
    if (value === '') next.delete(key);
    else next.set(key, value);
  }
  return next.toString();
}

/** With it as the first, once. */
export function withFirst(list: readonly Question[], question: Question): readonly Question[] {
  return [question, ...without(list, question.search)];
}

export function without(list: readonly Question[], search: string): readonly Question[] {
  return list.filter((each) => each.search !== search);
}

export function renamed(
  list: readonly Question[],
  search: string,
  words: string,
): readonly Question[] {
  const name = words.trim().slice(0, NAME_MAX) || asks(search);
  return list.map((each) => (each.search === search ? { ...each, words: name } : each));
}

/** Those of the others that are not in the list, as many as there is room for. */
export function news(list: readonly Question[], others: readonly Question[]): readonly Question[] {
  const known = new Set(list.map(({ search }) => search));
  return others.filter(({ search }) => !known.has(search)).slice(0, KEPT_MAX - list.length);
}

/** Of what is no list of questions, those that are one. */
export function parseQuestions(text: string | null): readonly Question[] {
  try {
    const list = JSON.parse(text ?? '[]') as unknown;
    if (!Array.isArray(list)) return [];
    // Nothing but what a question has: it may come from somebody else.
    const questions = list.filter(isQuestion).map(({ words, search }) => {
      const question = questionOf(search);
      return { ...question, words: words.trim().slice(0, NAME_MAX) || question.words };
    });
    const found = new Map(questions.map((each) => [each.search, each]));
    return [...found.values()].slice(0, KEPT_MAX);
  } catch {
    return [];
  }
}

/** Behind the `#` of an address, which no server is told. */
export function formatShared(list: readonly Question[]): string {
  return `#${SHARED}${encodeURIComponent(JSON.stringify(list))}`;
}

export function parseShared(hash: string): readonly Question[] {
  if (!hash.startsWith(`#${SHARED}`)) return [];
  try {
    return parseQuestions(decodeURIComponent(hash.slice(1 + SHARED.length)));
  } catch {
    return [];
  }
}

function isQuestion(value: unknown): value is Question {
  const { words, search } = (value ?? {}) as Record<string, unknown>;
  return typeof words === 'string' && typeof search === 'string';
}

/** Questions with a name that a browser keeps. */
export const KEPT_MAX = 100;
const QUESTION_KEYS = ['tab', 'sql', 'query'];
const SHARED = 'questions=';
const NAME_MAX = 120;
const SQL_WORDS_MAX = 80;
