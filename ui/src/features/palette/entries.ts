/** Where the palette can lead, and in which order it says so. */
import type { Service } from '../../api/model';
import { fuzzy } from '../../base/fuzzy';

export type Kind = 'view' | 'function' | 'operation' | 'trace' | 'question' | 'do';

export interface Entry {
  /** Different for all of them. */
  readonly id: string;
  readonly kind: Kind;
  readonly label: string;
  /** What stands fainter beside it; it is not searched. */
  readonly about: string;
  readonly choice: Choice;
}

export type Choice =
  /** A page, at the time and the environment that are looked at. */
  | { readonly kind: 'page'; readonly path: string; readonly search: string }
  | { readonly kind: 'do'; readonly what: string };

export interface Shown extends Entry {
  /** Letters of the label that matched. */
  readonly places: readonly number[];
}

/** A service with a page of its own, and each of its operations with a list of traces. */
export function entriesOf(services: readonly Service[]): readonly Entry[] {
  return services.flatMap(({ name, operations }): readonly Entry[] => [
    {
      id: `function ${name}`,
      kind: 'function',
      label: name,
      about: 'function or service',
      choice: page(`/functions/${encodeURIComponent(name)}`),
    },
    ...operations
      // The invocation is named like its function; that one is there already.
      .filter((operation) => operation !== name)
      .map((operation): Entry => ({
        id: `operation ${name} ${operation}`,
        kind: 'operation',
        label: operation,
        about: `traces of ${name}`,
        choice: page('/', new URLSearchParams({ service: name, operation }).toString()),
      })),
  ]);
}

/** What was typed as an id: of a trace, a request, a message, or a value that belongs to one. */
export function traceEntry(query: string): Entry | null {
  const id = query.trim();
  if (!LIKE_AN_ID.test(id)) return null;
  return {
    id: 'trace',
    kind: 'trace',
    label: id,
    about: 'the trace that this id belongs to',
    choice: page(`/traces/${encodeURIComponent(id)}`),
  };
}

/** What was typed as a question about what went wrong. */
export function investigateEntry(query: string): Entry | null {
  const question = query.trim().replace(/^investigate:?\s*/i, '');
  if (question === '' || !LIKE_A_QUESTION.test(query)) return null;
  return {
    id: 'investigate',
    kind: 'question',
    label: `Investigate: ${question}`,
    about: 'where it comes from, and who is affected',
    choice: page('/investigate', new URLSearchParams({ q: question }).toString()),
  };
}

/** The best first; with nothing typed, as they come. */
export function search(
  query: string,
  entries: readonly Entry[],
  limit = SHOWN_MAX,
): readonly Shown[] {
  const typed = [investigateEntry(query), traceEntry(query)].filter((entry) => entry !== null);
  const found = entries.flatMap((entry) => {
    const match = fuzzy(query, entry.label);
    return match === null ? [] : [{ entry, match }];
  });
  if (query.trim() !== '') {
    found.sort((a, b) => b.match.score - a.match.score || RANK[a.entry.kind] - RANK[b.entry.kind]);
  }
  const shown = found
    .slice(0, limit)
    .map(({ entry, match }): Shown => ({ ...entry, places: match.places }));
  return [...typed.map((entry) => ({ ...entry, places: [] })), ...shown];
}

export function page(path: string, search = ''): Choice {
  return { kind: 'page', path, search };
}

const RANK: Readonly<Record<Kind, number>> = {
  view: 0,
  function: 1,
  trace: 2,
  question: 3,
  operation: 4,
  do: 5,
};
/** It says so, or it is more than one word and one of them is for something that goes wrong. */
const LIKE_A_QUESTION =
  /^\s*investigate\b|\s.*\b(slow|fail|error|throttl|time[ds]?[ -]?out|cold|expensive|cost|silent|stuck|backed up|backlog|waiting|late|down|broken|changed|affect|why)|^\s*(why|what|who)\s|\b(slow|fail|error|throttl|time[ds]?[ -]?out|expensive|silent|broken|affect)\w*\s/i;
/** One word with a digit in it, as long as the shortest ids are. */
const LIKE_AN_ID = /^(?=\S*\d)\S{6,200}$/;
const SHOWN_MAX = 50;
