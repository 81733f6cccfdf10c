/** How many service colours the style sheet has (`--service-0` and on). */
export const HUES = 12;

/**
 * The colour of a service, the same on every page and every day: it hangs on
 * the name alone. Two services may share one; the name always stands beside.
 */
export function hueOf(service: string): number {
  let hash = 0x811c9dc5;
  for (const char of service) {
    hash ^= char.codePointAt(0) ?? 0;
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % HUES;
}
