/** Questions that can be asked again: those asked before, and those that were given a name. */
import type { SavedQuery } from '../../api/model';
import { freeName, NAME_MAX, SAVED_MAX } from '../../api/saved.svelte';
import { describe, formatDraft, parseDraft, timeless, toDraft } from './draft';

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
  const text = said.get('tab') === 'sql' ? (said.get('sql') ?? '') : said.get('q');
  if (text !== null) return text.trim().replaceAll(/\s+/g, ' ').slice(0, TEXT_WORDS_MAX);
  return describe(parseDraft(said.get('query')));
}

/** The question that is kept on the server; one to the graph, too. */
export function questionOfSaved({ name, query, sql, graph }: SavedQuery): Question {
  const said = new URLSearchParams();
  if (graph !== undefined) said.set('q', graph);
  else if (sql !== undefined) {
    said.set('tab', 'sql');
    said.set('sql', sql);
  } else said.set('query', formatDraft(toDraft(query ?? {})));
  return { words: name, search: said.toString() };
}

/** As the server keeps it. */
export function savedOf({ search }: Question, name: string): SavedQuery {
  const said = new URLSearchParams(search);
  if (said.get('tab') === 'sql') return { name, sql: said.get('sql') ?? '' };
  return { name, query: timeless(parseDraft(said.get('query'))) };
}

/** The one of the list that asks the same. */
export function keptAs(list: readonly SavedQuery[], question: Question): SavedQuery | null {
  const search = searchAsKept(question);
  return list.find((each) => questionOfSaved(each).search === search) ?? null;
}

/** Those of the others that the server does not keep yet, as many as there is room for, each with a name of its own. */
export function fresh(
  list: readonly SavedQuery[],
  others: readonly Question[],
): readonly SavedQuery[] {
  const found: SavedQuery[] = [];
  for (const other of others) {
    const known = [...list, ...found];
    if (known.length >= SAVED_MAX || keptAs(known, other) !== null) continue;
    found.push(savedOf(other, freeName(other.words, known)));
  }
  return found;
}

/** Those of the others that the server keeps, under whatever name. */
export function thoseKept(
  list: readonly SavedQuery[],
  others: readonly Question[],
): readonly Question[] {
  const kept = new Set(list.map((each) => questionOfSaved(each).search));
  return others.filter((other) => kept.has(searchAsKept(other)));
}

/** The page on which it is asked. */
export function pathOf({ search }: Question): '/explore' | '/graph' {
  return new URLSearchParams(search).has('q') ? '/graph' : '/explore';
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
    return [...found.values()].slice(0, SAVED_MAX);
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

/** As it comes back from the server. */
function searchAsKept(question: Question): string {
  return questionOfSaved(savedOf(question, '')).search;
}

function isQuestion(value: unknown): value is Question {
  const { words, search } = (value ?? {}) as Record<string, unknown>;
  return typeof words === 'string' && typeof search === 'string';
}

const QUESTION_KEYS = ['tab', 'sql', 'query', 'q'];
const SHARED = 'questions=';
const TEXT_WORDS_MAX = 80;
