// Advice about the memory of one function: 200 ms of work and 100 ms of waiting, with 442 MB.

/** @param {number} mb */
function point(mb) {
  const ms = 100 + 200 / Math.min(mb / 1769, 1);
  const usd = 2e-7 + (ms / 1e3) * (mb / 1024) * 1.66667e-5;
  const interval = (/** @type {number} */ value) => ({
    value,
    low: value * 0.94,
    high: value * 1.06,
  });
  return {
    memory_mb: mb,
    duration_ms: interval(ms),
    slow_ms: ms * 1.8,
    usd: interval(usd),
    fits: mb < 192 ? 'too_little_memory' : 'yes',
  };
}

/** @param {string} name */
export function adviceOf(name) {
  const curve = Array.from({ length: 159 }, (_, at) => 128 + 64 * at).concat(442);
  const best = point(1728);
  const now = point(442);
  const ratio = (/** @type {number} */ value) => ({ value, low: value * 0.96, high: value * 1.04 });
  const sentence = 'can run 2.9x faster for 31 % more with 1,728 MB';
  return {
    function: name,
    from_unix_nanos: '1795132800000000000',
    to_unix_nanos: '1795737600000000000',
    sentence,
    advice: {
      invocation_count: 1840,
      cpu_ms: 200,
      wait_ms: 100,
      processors: 1,
      memory_used_mb: 120,
      price_region: 'eu-west-1',
      now,
      curve: curve.sort((a, b) => a - b).map(point),
      named: { cheapest_mb: 192, balanced_mb: 1024, fastest_mb: 1728 },
      recommendation: {
        point: best,
        duration_ratio: ratio(best.duration_ms.value / now.duration_ms.value),
        cost_ratio: ratio(best.usd.value / now.usd.value),
        sentence,
      },
      also: [
        {
          kind: 'arm64',
          sentence:
            'on arm64 the same time costs 20 % less; how long it takes there was not measured',
        },
      ],
      seen: [],
    },
    why_not: null,
    change: {
      at_unix_nanos: '1795650000000000000',
      before: point(256),
      predicted: point(442),
      verdict: 'as_predicted',
      sentence:
        '442 MB instead of 256 MB came as predicted: 902 ms, 848 to 956 ms were predicted, 1.48 s was before',
    },
  };
}
