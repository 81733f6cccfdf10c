/** Addresses that several features lead to. */
import { toTyped, type Condition } from './condition';
import { toDate, type UnixNanos } from './time';

/** The spans for which all of it holds, as a question of the page Explore. */
export function exploreHref(filters: readonly Condition[], from: UnixNanos, to: UnixNanos): string {
  const search = new URLSearchParams({
    query: JSON.stringify({ filters: filters.map(toTyped) }),
    from: toDate(from).toISOString(),
    to: toDate(to).toISOString(),
  });
  return `/explore?${search}`;
}

/** What is asked about the past; what is not said is found out, or read from the words. */
export interface Doubt {
  /** Words that name it, where its id is not known. */
  readonly q?: string;
  /** Its id on the map. */
  readonly node?: string;
  /** What is wrong with it, as investigations call it. */
  readonly symptom?: string;
  readonly from: UnixNanos;
  /** Null for a time that goes on. */
  readonly to: UnixNanos | null;
}

/** The page that says why it was so. */
export function investigateHref({ q = '', node = '', symptom = '', from, to }: Doubt): string {
  const said = Object.entries({ q, node, symptom }).filter(([, text]) => text !== '');
  const search = new URLSearchParams(said);
  search.set('from', toDate(from).toISOString());
  if (to !== null) search.set('to', toDate(to).toISOString());
  return `/investigate?${search}`;
}
