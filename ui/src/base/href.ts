/** Addresses that several features lead to. */
import { toDate, type UnixNanos } from './time';

interface Condition {
  readonly column: string;
  readonly op: string;
  readonly value?: unknown;
}

/** The spans for which all of it holds, as a question of the page Explore. */
export function exploreHref(filters: readonly Condition[], from: UnixNanos, to: UnixNanos): string {
  const said = filters.map(({ column, op, value }) => ({ column, op, value: written(value) }));
  const search = new URLSearchParams({
    query: JSON.stringify({ filters: said }),
    from: toDate(from).toISOString(),
    to: toDate(to).toISOString(),
  });
  return `/explore?${search}`;
}

function written(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  return value === undefined || value === null ? '' : String(value);
}
