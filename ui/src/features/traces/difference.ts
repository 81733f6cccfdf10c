import { formatDuration } from '../../base/format';
import type { DurationNanos } from '../../base/time';

/** `+12.3 ms`, `−4.05 ms`, `0 ms`. */
export function formatDifference(more: DurationNanos): string {
  if (more === 0n) return '0\u202fms';
  return more > 0n ? `+${formatDuration(more)}` : formatDuration(more);
}
