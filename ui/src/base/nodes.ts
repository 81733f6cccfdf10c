/** Nodes by their names: the server knows them by ids, of kind and name. */

export interface NodeName {
  readonly id: string;
  readonly name: string;
  /** Function, table, queue. */
  readonly kind: string;
}

/** `function:order` is the function order. */
export function nodeOf(id: string): NodeName {
  const at = id.indexOf(':');
  return at <= 0
    ? { id, name: id, kind: '' }
    : { id, name: id.slice(at + 1), kind: id.slice(0, at) };
}

/** What a node leads to: its page, or its place on the map. */
export function nodeHref(id: string): string {
  const { name, kind } = nodeOf(id);
  return kind === 'function' || kind === 'service'
    ? `/functions/${encodeURIComponent(name)}`
    : `/map?select=${encodeURIComponent(id)}`;
}

/** A sentence of the server, cut where it names one of these nodes. */
export function partsOf(sentence: string, ids: readonly string[]): readonly (string | NodeName)[] {
  if (ids.length === 0) return [sentence];
  // The longest first: one name may begin another.
  const known = [...ids].sort((a, b) => b.length - a.length).map(escaped);
  const cuts = sentence.split(new RegExp(`(?<![\\w-])(${known.join('|')})(?![\\w-])`));
  return cuts.map((part, at) => (at % 2 === 1 ? nodeOf(part) : part)).filter((part) => part !== '');
}

function escaped(id: string): string {
  return id.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
