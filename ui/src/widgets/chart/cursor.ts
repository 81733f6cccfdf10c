/** A place on a chart that keys move, and how far they have chosen from there. */
export interface Cursor {
  readonly at: number;
  /** Where the choice began; null where there is none. */
  readonly anchor: number | null;
}

/** What a key does: moves the cursor, or chooses what is between its ends. */
export type Pressed = { readonly cursor: Cursor } | { readonly chosen: Places };

/** From the first to the last, both included. */
export interface Places {
  readonly first: number;
  readonly last: number;
}

type Keys = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey'>;

/** What a key does among so many places; null where it does nothing. */
export function pressed(cursor: Cursor, keys: Keys, places: number): Pressed | null {
  if (keys.ctrlKey || keys.altKey || keys.metaKey || places === 0) return null;
  const from = placedIn(cursor, places);
  if (keys.key === 'Enter') return { chosen: placesOf(from) };
  if (keys.key === 'Escape')
    return from.anchor === null ? null : { cursor: { ...from, anchor: null } };
  const to = target(from.at, keys.key, places);
  if (to === null) return null;
  const at = Math.min(places - 1, Math.max(0, to));
  return { cursor: { at, anchor: keys.shiftKey ? (from.anchor ?? from.at) : null } };
}

/** What is chosen, or where the cursor is. */
export function placesOf({ at, anchor }: Cursor): Places {
  const other = anchor ?? at;
  return { first: Math.min(at, other), last: Math.max(at, other) };
}

/** The same where there may be fewer places than there were. */
export function placedIn({ at, anchor }: Cursor, places: number): Cursor {
  const within = (place: number): number => Math.min(place, places - 1);
  return { at: within(at), anchor: anchor === null ? null : within(anchor) };
}

function target(at: number, key: string, places: number): number | null {
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return at - 1;
    case 'ArrowRight':
    case 'ArrowUp':
      return at + 1;
    case 'PageDown':
      return at - PAGE;
    case 'PageUp':
      return at + PAGE;
    case 'Home':
      return 0;
    case 'End':
      return places - 1;
    default:
      return null;
  }
}

const PAGE = 10;
