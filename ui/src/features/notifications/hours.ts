/** Clocks, quiet hours and digests as a form offers them. */
import type { Receiver } from '../../api/model';

export type QuietHours = NonNullable<Receiver['quiet_hours']>;
export type Digest = NonNullable<Receiver['digest']>;

export const DAYS = [
  { value: 'mon', label: 'Mon' },
  { value: 'tue', label: 'Tue' },
  { value: 'wed', label: 'Wed' },
  { value: 'thu', label: 'Thu' },
  { value: 'fri', label: 'Fri' },
  { value: 'sat', label: 'Sat' },
  { value: 'sun', label: 'Sun' },
] as const;

export const NIGHT: QuietHours = { from: '22:00', to: '07:00', days: [], except: 'critical' };
export const HOURLY: Digest = { minutes: 60, up_to: 'note' };

export const LEVELS = [
  { value: 'note', label: 'Notes' },
  { value: 'warning', label: 'Warnings' },
  { value: 'critical', label: 'Critical' },
] as const;

/** `UTC+01:00` */
export function offsetWords(minutes: number): string {
  const of = Math.abs(minutes);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `UTC${minutes < 0 ? '−' : '+'}${pad(Math.floor(of / 60))}:${pad(of % 60)}`;
}

/** The offsets that there are on Earth, and the one that is set. */
export function offsets(
  set: number,
): readonly { readonly value: string; readonly label: string }[] {
  const halves = Array.from({ length: (EAST - WEST) / HALF + 1 }, (_, at) => WEST + at * HALF);
  const all = [...new Set([...halves, ...QUARTERS, set])].sort((a, b) => a - b);
  return all.map((minutes) => ({ value: String(minutes), label: offsetWords(minutes) }));
}

const [WEST, EAST, HALF] = [-720, 840, 30];
/** Nepal, Eucla and the Chatham Islands. */
const QUARTERS = [345, 525, 765, 825];
