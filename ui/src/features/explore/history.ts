/** Questions that were asked before, the newest first, in this browser. */
export interface Past {
  readonly words: string;
  /** The address that asks it again, without the time. */
  readonly search: string;
}

const STORE = 'throughline.explore.history';
const PAST_MAX = 30;

export function readHistory(): readonly Past[] {
  try {
    const list = JSON.parse(localStorage.getItem(STORE) ?? '[]') as unknown;
    return Array.isArray(list) ? list.filter(isPast) : [];
  } catch {
    return [];
  }
}

export function remember(past: Past, before: readonly Past[]): readonly Past[] {
  const list = [past, ...before.filter((each) => each.search !== past.search)].slice(0, PAST_MAX);
  try {
    localStorage.setItem(STORE, JSON.stringify(list));
  } catch {
    // Storage may be forbidden or full; the list then lasts as long as the page.
  }
  return list;
}

function isPast(value: unknown): value is Past {
  const { words, search } = (value ?? {}) as Record<string, unknown>;
  return typeof words === 'string' && typeof search === 'string';
}
