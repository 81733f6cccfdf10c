/**
 * The key of a server that is reachable from other machines. It lives as long
 * as the tab: long enough to work, short enough for a borrowed computer.
 */
const STORE = 'throughline.key';

export function readKey(): string | null {
  try {
    return sessionStorage.getItem(STORE);
  } catch {
    return held;
  }
}

export function keepKey(key: string): void {
  held = key;
  try {
    sessionStorage.setItem(STORE, key);
  } catch {
    // Storage may be forbidden; then the key is asked for again after a reload.
  }
}

let held: string | null = null;
