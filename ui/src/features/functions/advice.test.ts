import { describe, expect, it } from 'vitest';
import type { SizeAdvice, SizePoint } from '../../api/model';
import { basis, curveOf, headline, HEIGHT, rowsOf, WIDTH } from './advice';

/** 200 ms of work and 100 ms of waiting. */
function point(mb: number): SizePoint {
  const ms = 100 + 200 / Math.min(mb / 1769, 1);
  const usd = 2e-7 + (ms / 1e3) * (mb / 1024) * 1.66667e-5;
  const interval = (value: number) => ({ value, low: value * 0.9, high: value * 1.1 });
  return {
    memory_mb: mb,
    duration_ms: interval(ms),
    slow_ms: ms * 2,
    usd: interval(usd),
    fits: mb < 192 ? 'too_little_memory' : 'yes',
  };
}

const advice: SizeAdvice = {
  invocation_count: 1840,
  cpu_ms: 200,
  wait_ms: 100,
  processors: 1,
  memory_used_mb: 96,
  price_region: 'eu-west-1',
  now: point(512),
  curve: Array.from({ length: 159 }, (_, at) => point(128 + 64 * at)),
  named: { cheapest_mb: 192, balanced_mb: 1024, fastest_mb: 1792 },
  recommendation: {
    point: point(1024),
    duration_ratio: { value: 0.56, low: 0.5, high: 0.6 },
    cost_ratio: { value: 1.01, low: 1, high: 1.02 },
    sentence: 'can run 1.8x faster for 1 % more with 1,024 MB',
  },
  also: [],
  seen: [],
};

describe('the advice of a function', () => {
  it('is drawn as a part of now, up to what is worth looking at', () => {
    const curve = curveOf(advice);
    const [now, best] = curve.marks;
    expect(now).toMatchObject({ kind: 'now', time: HEIGHT / 2, cost: HEIGHT / 2 });
    expect(best?.at).toBeGreaterThan(now?.at ?? 0);
    expect(best?.time).toBeGreaterThan(HEIGHT / 2);
    const places = curve.time.slice(1).split('L');
    expect(places[0]).toBe('0 0');
    expect(places.at(-1)?.split(' ')[0]).toBe(String(WIDTH));
    expect(places).toHaveLength(47);
    expect(curve.sizes.map(({ label }) => label).at(-1)).toBe('2\u202fGB');
    expect(curve.tooSmall).toBeGreaterThan(0);
    expect(curve.tooSmall).toBeLessThan(now?.at ?? 0);
  });

  it('has a line for each size that has a name', () => {
    expect(rowsOf(advice).map(({ size, about }) => `${size}: ${about}`)).toEqual([
      '192\u202fMB: cheapest',
      '512\u202fMB: now',
      '1,024\u202fMB: recommended, balanced',
      '1,792\u202fMB: fastest',
    ]);
    expect(rowsOf(advice)[2]?.isBest).toBe(true);
    const alone = { ...advice, named: null, recommendation: null };
    expect(rowsOf(alone).map(({ about }) => about)).toEqual(['now']);
    expect(curveOf(alone).marks).toHaveLength(1);
  });

  it('says what it is worked out from', () => {
    expect(basis(advice)).toContain('1,840 invocations of the last week');
    expect(basis({ ...advice, memory_used_mb: null })).not.toContain('used');
    const told = { sentence: 'nobody has measured its processor time' };
    expect(headline(told as Parameters<typeof headline>[0])).toBe(
      'Nobody has measured its processor time.',
    );
  });
});
