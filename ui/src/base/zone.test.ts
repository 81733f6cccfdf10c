import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatAbsolute, formatClock } from './format';
import { localMinute } from './range';
import { unixNanosFromMillis } from './time';
import { clockOf, currentZone, formatZone, parseClock, setZone } from './zone';

// Two hours and a half ahead of UTC.
const AHEAD = -150;
const at = unixNanosFromMillis(Date.parse('2026-11-21T22:35:12.045Z'));

beforeEach(() => {
  vi.spyOn(Date.prototype, 'getTimezoneOffset').mockReturnValue(AHEAD);
});

afterEach(() => {
  setZone('local');
  vi.restoreAllMocks();
});

describe('the clock', () => {
  it("is the reader's unless UTC is chosen", () => {
    expect(currentZone()).toBe('local');
    expect(formatAbsolute(at)).toBe('2026-11-22 01:05:12.045');
    setZone('utc');
    expect(formatAbsolute(at)).toBe('2026-11-21 22:35:12.045');
    expect(formatClock(at)).toBe('22:35:12.045');
    expect(localMinute(at)).toBe('2026-11-21 22:35:12');
    expect(formatZone('utc')).toBe('UTC');
  });

  it('reads what it wrote', () => {
    setZone('utc');
    const { day, minute, second } = clockOf(new Date('2026-11-21T22:35:12Z'));
    expect(parseClock(`${day}T${minute}:${second}`)).toBe(Date.parse('2026-11-21T22:35:12Z'));
    expect(parseClock('soon')).toBeNaN();
  });
});
