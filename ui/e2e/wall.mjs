// What the server would tell of so many functions.

/** @param {number} count @param {number} [second] in which everybody does something else */
export function wallOf(count, second = 0) {
  const functions = Array.from({ length: count }, (_, at) => cardOf(at, second));
  return { at_unix_nanos: String(SECOND_NANOS * BigInt(FIRST + second)), functions, left_out: 0 };
}

const SECOND_NANOS = 1_000_000_000n;
const FIRST = 1_795_305_600;

/** @param {number} at @param {number} now */
function cardOf(at, now) {
  const rate = ([0.4, 3, 12, 40, 160, 400][at % 6] ?? 1) * (1 + 0.25 * Math.sin(now * (at + 1)));
  const strong = at % 7 === 3;
  const slight = at % 7 === 5;
  const count = Math.round(rate * 10);
  const slow = strong ? 4 : slight ? 1.8 : 1;
  const p50 = (20 + at * 3) * slow;
  return {
    function: at === 2 ? 'a-function-with-a-name-that-is-rather-long-for-a-card' : `function-${at}`,
    service: 'shop',
    window: {
      seconds: 10,
      count,
      error_count: strong ? Math.ceil(count * 0.3) : 0,
      cold_start_count: at % 4 === 0 ? 1 : 0,
      timeout_count: strong ? 1 : 0,
      throttle_count: at % 3 === 0 ? null : strong ? 12 : 0,
      rate,
      concurrency: (rate * p50) / 1000,
    },
    seconds: Array.from({ length: 120 }, (_, second) =>
      second < 20 ? null : Math.round(rate * (1 + 0.3 * Math.sin((second + now) / 9 + at))),
    ),
    mean_ms: p50 * 1.2,
    p50_ms: p50,
    p90_ms: p50 * 2,
    p99_ms: p50 * 4,
    p995_ms: p50 * 5,
    cost_usd_per_second: at % 5 === 4 ? null : rate * 0.0000021,
    normal: { count: 100000, error_ratio: 0.002, p50_ms: 20 + at * 3, p99_ms: 90 },
    deviation: strong ? 'strong' : slight ? 'slight' : at % 7 === 6 ? 'unknown' : 'none',
    why: strong
      ? ['30.0 % fail, normal is 0.2 %', 'median 116 ms instead of 29 ms']
      : slight
        ? ['median 63 ms instead of 35 ms']
        : [],
  };
}
