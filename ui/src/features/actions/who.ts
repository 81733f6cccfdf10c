/** Who one is, for the audit log: said once, remembered by this browser. */
const STORE = 'throughline.who';

export function readWho(): string {
  try {
    return localStorage.getItem(STORE) ?? '';
  } catch {
    return '';
  }
}

export function keepWho(who: string): void {
  try {
    localStorage.setItem(STORE, who);
  } catch {
    // Storage may be forbidden; then it is said again.
  }
}
