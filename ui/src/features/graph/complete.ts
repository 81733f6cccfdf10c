/** What may stand where somebody is typing a query to the graph. */
import type { GraphLanguage } from '../../api/model';

export interface Option {
  readonly text: string;
  /** What it means, or what it is. */
  readonly about: string;
}

/** The characters that an option takes the place of, and the options. */
export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly options: readonly Option[];
}

export interface Known {
  readonly language: GraphLanguage;
  /** Names of nodes, and what each is. */
  readonly names: readonly Option[];
}

/** Null where there is nothing to offer. */
export function complete(text: string, at: number, known: Known): Completion | null {
  const before = text.slice(0, at);
  const quote = openQuote(before);
  if (quote !== null) return namesAfter(before, quote, at, known);
  const typed = /[\p{L}_][\p{L}\d_]*$/u.exec(before)?.[0] ?? '';
  const lead = before.slice(0, at - typed.length).trimEnd();
  const options = optionsAt(lead, typed, before, known);
  // What is whole already needs nothing.
  const found = options.filter(({ text: option }) => fits(option, typed) && option !== typed);
  return found.length === 0
    ? null
    : { from: at - typed.length, to: at, options: found.slice(0, OPTIONS_MAX) };
}

function optionsAt(
  lead: string,
  typed: string,
  before: string,
  { language }: Known,
): readonly Option[] {
  const bracket = openBracket(lead);
  if (/[:|&]$/.test(lead) && bracket === '(') return language.labels.map(optionOf);
  if (/[:|]$/.test(lead) && bracket === '[') return language.types.map(optionOf);
  const of = /(\p{L}[\p{L}\d_]*)\.$/u.exec(lead)?.[1];
  if (of !== undefined) return propertiesOf(of, typed, before, language);
  if (bracket === '{') return /[{,]$/.test(lead) ? language.properties.map(optionOf) : [];
  if (typed === '') return [];
  const words = KEYWORDS.map((word): Option => ({ text: word, about: '' }));
  return [...words, ...language.functions.map(({ name, means }) => option(`${name}(`, means))];
}

/** Of a name, as far as the query says whether it is a node. Numbers of before are offered when they are begun. */
function propertiesOf(
  of: string,
  typed: string,
  before: string,
  language: GraphLanguage,
): readonly Option[] {
  const isEdge = new RegExp(`\\[\\s*${of}\\b`).test(before);
  const isNode = new RegExp(`\\(\\s*${of}\\b`).test(before) && !isEdge;
  const other = isEdge ? 'nodes' : isNode ? 'relationships' : '';
  const mine = language.properties.filter((property) => property.of !== other);
  const prefix = ['Δ', 'before_', 'delta_'].find((each) => typed.startsWith(each.slice(0, 2)));
  if (prefix === undefined) return mine.map(optionOf);
  const numbers = mine.filter(({ unit }) => unit !== null && unit !== 'time');
  const about = prefix === 'before_' ? 'in the window compared with' : 'now less before';
  return numbers.map(({ name }) => option(`${prefix}${name}`, about));
}

function namesAfter(
  before: string,
  quote: number,
  at: number,
  { names }: Known,
): Completion | null {
  // A time is in quotes, too.
  if (/(DURING|TO|\.\.)\s*$/i.test(before.slice(0, quote))) return timesAt(before, quote, at);
  const typed = before.slice(quote + 1);
  const small = typed.toLowerCase();
  const found = names.filter(({ text }) => text.toLowerCase().includes(small) && text !== typed);
  return found.length === 0
    ? null
    : { from: quote + 1, to: at, options: found.slice(0, OPTIONS_MAX) };
}

function timesAt(before: string, quote: number, at: number): Completion | null {
  const typed = before.slice(quote + 1);
  const isCompared = /TO\s*$/i.test(before.slice(0, quote));
  const times = isCompared ? COMPARED : DURING;
  const found = times.filter((time) => fits(time, typed) && time !== typed);
  return found.length === 0
    ? null
    : { from: quote + 1, to: at, options: found.map((time) => option(time, '')) };
}

/** Where the text begins that has not ended yet. */
function openQuote(before: string): number | null {
  let open: number | null = null;
  for (let at = 0; at < before.length; at += 1) {
    const character = before[at]!;
    if (open === null) {
      if (character === "'" || character === '"') open = at;
    } else if (character === '\\') at += 1;
    else if (character === before[open]) open = null;
  }
  return open;
}

/** The bracket that is around the end of the text. */
function openBracket(before: string): string {
  let closed = 0;
  for (let at = before.length - 1; at >= 0; at -= 1) {
    const character = before[at]!;
    if (')]}'.includes(character)) closed += 1;
    else if ('([{'.includes(character)) {
      if (closed === 0) return character;
      closed -= 1;
    }
  }
  return '';
}

function fits(option: string, typed: string): boolean {
  return option.toLowerCase().startsWith(typed.toLowerCase());
}

function optionOf({ name, means }: { readonly name: string; readonly means: string }): Option {
  return option(name, means);
}

function option(text: string, about: string): Option {
  return { text, about };
}

/** The text with an option in its place, and where one types on. */
export function accept(
  text: string,
  { from, to }: Completion,
  option: string,
): { readonly text: string; readonly at: number } {
  return { text: text.slice(0, from) + option + text.slice(to), at: from + option.length };
}

const KEYWORDS = [
  'MATCH',
  'WHERE',
  'RETURN',
  'DISTINCT',
  'ORDER BY',
  'DESC',
  'SKIP',
  'LIMIT',
  'DURING',
  'COMPARED TO',
  'AND',
  'OR',
  'NOT',
  'IN',
  'STARTS WITH',
  'ENDS WITH',
  'CONTAINS',
  'IS NULL',
  'IS NOT NULL',
  'AS',
  'shortestPath(',
];
const DURING = ['last 1h', 'last 24h', 'today', 'yesterday', 'last night'];
const COMPARED = ['yesterday', 'the hour before', 'same time last week', 'last night'];
const OPTIONS_MAX = 12;
