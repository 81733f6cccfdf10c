/** By which clock times are written: the reader's, or that of UTC. */
export type Zone = 'local' | 'utc';

export const ZONES: readonly Zone[] = ['local', 'utc'];

const KEY = 'throughline.zone';

export function currentZone(): Zone {
  return zone;
}

/** Who shows times draws them anew after it. */
export function setZone(next: Zone): void {
  zone = next;
  try {
    if (next === 'local') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

/** `Europe/Berlin`, `UTC`. */
export function formatZone(zone: Zone): string {
  return zone === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The pieces of `2026-11-21`, `02:35:12` by the chosen clock. */
export function clockOf(date: Date): {
  readonly day: string;
  readonly minute: string;
  readonly second: string;
} {
  const moved = zone === 'utc' ? date : new Date(date.getTime() - offsetMillis(date));
  const text = moved.toISOString();
  return { day: text.slice(0, 10), minute: text.slice(11, 16), second: text.slice(17, 19) };
}

/** `2026-11-21T02:35` as somebody wrote it by the chosen clock; NaN if it is no time. */
export function parseClock(text: string): number {
  return Date.parse(zone === 'utc' ? `${text}Z` : text);
}

/** How far the chosen clock is ahead of UTC now. */
export function utcOffsetMinutes(): number {
  return zone === 'utc' ? 0 : 0 - new Date().getTimezoneOffset();
}

function offsetMillis(date: Date): number {
  return date.getTimezoneOffset() * 60_000;
}

function stored(): Zone {
  try {
    return localStorage.getItem(KEY) === 'utc' ? 'utc' : 'local';
  } catch {
    return 'local';
  }
}

let zone: Zone = stored();
