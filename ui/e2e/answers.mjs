// Answers of the endpoints that the map, the logs and the charts ask, made up
// for a small shop whose notify has failed for some minutes.
export const COST = { rows: 12, bytes: 2048, segments: 1, rollups: 1, elapsed_ms: 0.4 };
const MINUTE = 60_000_000_000n;

/** From, to, calls a second, share of failures, milliseconds, whether nobody waits. */
/** @type {[string, string, number, number, number, boolean][]} */
const FLOWS = [
  ['function:get-index', 'cache:menu-cache', 4, 0, 4, false],
  ['function:get-index', 'function:get-restaurants', 4, 0, 41, false],
  ['function:get-restaurants', 'table:restaurants', 4, 0, 38, false],
  ['function:place-order', 'host:api.payments.example', 1, 0.01, 140, false],
  ['function:place-order', 'bus:order-events', 1, 0, 12, true],
  ['function:place-order', 'function:notify-restaurant', 1, 0, 30, true],
  ['function:notify-restaurant', 'queue:user-notify', 1, 0, 11, true],
  ['function:notify-restaurant', 'function:notify', 1, 0.01, 110, true],
  ['function:notify', 'table:customers', 1, 0.01, 7, false],
  ['function:notify', 'host:mail.example.net', 1, 0, 90, false],
];

/**
 * @param {URLSearchParams} search @param {string} extra a node that is new, or ''
 * @param {readonly string[]} [callers] the functions of the environment that is asked about
 */
export function edgeMap(search, extra, callers) {
  const { from, to, seconds } = stretchOf(search);
  const failing = seconds <= 180;
  /** @type {typeof FLOWS} */
  const flows = extra === '' ? FLOWS : [...FLOWS, ['function:place-order', extra, 1, 0, 9, false]];
  const isThere = (/** @type {string} */ caller) =>
    callers === undefined || callers.some((name) => caller === `function:${name}`);
  const there = flows.filter(([caller]) => isThere(caller));
  const edges = there.map(([caller, callee, rate, errors, millis, asynchronous]) => {
    const isThrottled = failing && callee === 'table:customers';
    // By fives, so that three of five is a whole number.
    const count = isThrottled ? Math.round((rate * seconds) / 5) * 5 : Math.round(rate * seconds);
    const share = isThrottled ? 0.6 : errors;
    return edge(caller, callee, count, Math.round(count * share), millis, asynchronous, seconds);
  });
  return { ...mapOf(edges), from_unix_nanos: String(from), to_unix_nanos: String(to) };
}

/** As large as the map is meant for: 500 nodes, 2,000 edges. @param {URLSearchParams} search */
export function largeMap(search) {
  const { from, to, seconds } = stretchOf(search);
  const edges = Array.from({ length: 2000 }, (_, at) => {
    // A tree of all of them first, then lines across it, each another.
    const nth = at - 499;
    const across = 19 + (nth % 461);
    const caller = nth < 0 ? Math.floor(at / 3) : across;
    const gap = 1 + 5 * Math.floor(nth / 461) + ((nth * 13) % 5);
    const callee = nth < 0 ? at + 1 : across + gap;
    const name = (/** @type {number} */ n) => `function:f${n}x`;
    return edge(
      name(caller),
      name(callee),
      Math.round(63 * seconds),
      at % 97,
      20,
      at % 5 === 0,
      seconds,
    );
  });
  return { ...mapOf(edges), from_unix_nanos: String(from), to_unix_nanos: String(to) };
}

/** @param {URLSearchParams} search */
export function operations(search) {
  const { seconds } = stretchOf(search);
  const names = [...new Set(FLOWS.flat())].filter((name) => String(name).startsWith('function:'));
  return {
    operations: names.map((id) => {
      const name = String(id).slice('function:'.length);
      const failed = name === 'notify' && seconds <= 180 ? 0.6 : 0.01;
      const count = Math.round(seconds);
      return {
        service: name,
        name,
        kind: 'server',
        count,
        error_count: Math.round(count * failed),
        cold_start_count: 1,
        sum_ms: 50 * count,
        p50_ms: 48,
        p99_ms: 210,
      };
    }),
    total: names.length,
    truncated: false,
    cost: COST,
  };
}

/** @param {any} spec */
export function answerQuery(spec) {
  const step = spec.granularity ?? 60;
  const end = spec.end_time ?? Date.now() / 1000;
  const start = spec.start_time ?? end - (spec.time_range ?? 7200);
  /** @type {(string | number)[][]} */
  const rows = [];
  for (let time = Math.floor(start / step) * step; time < end; time += step) {
    const at = new Date(time * 1000).toISOString().replace('.000Z', 'Z');
    const late = (time - start) / (end - start) > 0.8;
    rows.push([at, 'unset', 300], [at, 'error', late ? 60 : 1]);
  }
  const columns = [
    { name: spec.breakdowns?.[0] ?? 'status', type: 'text' },
    { name: 'COUNT', type: 'int' },
  ];
  const results = [
    ['unset', 18000],
    ['error', 700],
  ];
  return {
    results: { columns, rows: results, truncated: false, cost: COST },
    series: {
      columns: [{ name: 'time', type: 'time' }, ...columns],
      rows,
      truncated: false,
      cost: COST,
    },
    heatmaps: [],
  };
}

/** @param {URLSearchParams} search */
export function stretchOf(search) {
  const [from, to] = [BigInt(search.get('from') ?? 0), BigInt(search.get('to') ?? 0)];
  const start = from - (from % MINUTE);
  return { from: start, to, seconds: Math.max(1, Number((to - start) / 1_000_000_000n)) };
}

/**
 * @param {string} from @param {string} to @param {number} count @param {number} errors
 * @param {number} millis @param {boolean} asynchronous @param {number} seconds
 */
export function edge(from, to, count, errors, millis, asynchronous, seconds) {
  return {
    from,
    to,
    operation: to.split(':')[1] ?? '',
    asynchronous,
    count,
    error_count: errors,
    throttle_count: 0,
    rate: count / seconds,
    sum_ms: count * millis,
    p50_ms: millis,
    p99_ms: millis * 2.2,
  };
}

/** @param {ReturnType<typeof edge>[]} edges */
export function mapOf(edges) {
  const ids = [...new Set(edges.flatMap((each) => [each.from, each.to]))].sort();
  const nodes = ids.map((id) => {
    const [kind = '', name = ''] = id.split(':');
    return { id, kind, name, service: kind === 'function' ? name : null };
  });
  return { nodes, edges, total: edges.length, truncated: false, other_count: 0, cost: COST };
}

/** @param {bigint} time @param {number} number */
export function logLine(time, number) {
  const failed = number % 10 === 0;
  return {
    time_unix_nanos: String(time),
    severity_number: failed ? 17 : 9,
    severity_text: failed ? 'ERROR' : 'INFO',
    body: failed
      ? `mail ${number} was refused: mailbox is full`
      : `sending mail ${number} for order ord-${number}`,
    trace_id: '6740a1f09c3b5d2e8f7a4b1c0d9e8f7a',
    span_id: null,
    service: failed ? 'notify' : 'checkout',
    scope: { name: '', version: '' },
    attributes: { 'order.total': number },
    event_name: '',
  };
}

/** @param {URLSearchParams} search */
export function logPage(search) {
  const now = BigInt(Date.now()) * 1_000_000n;
  const word = (search.get('q') ?? '').replace(/[^a-z]/g, '');
  const min = Number(search.get('min_severity') ?? 0);
  const all = Array.from({ length: 450 }, (_, at) =>
    logLine(now - BigInt(at) * 1_000_000_000n, at),
  );
  const found = all.filter(
    (log) => log.severity_number >= min && log.body.replace(/[^a-z]/g, '').includes(word),
  );
  const from = Number(search.get('cursor') ?? 0);
  const limit = Number(search.get('limit') ?? 100);
  return {
    logs: found.slice(from, from + limit),
    total: found.length - from,
    truncated: false,
    next_cursor: from + limit < found.length ? String(from + limit) : null,
    cost: COST,
  };
}

/** Counts for the histogram of the logs. @param {string} sql */
export function answerSql(sql) {
  const step = Number(/interval '(\d+) seconds'/.exec(sql)?.[1] ?? 30) * 1000;
  const [from = 0, to = 0] = [...sql.matchAll(/timestamp '([^']+)'/g)].map(([, at]) =>
    Date.parse(at ?? ''),
  );
  const columns = [
    { name: 'at', type: 'time' },
    { name: 'level', type: 'text' },
    { name: 'n', type: 'int' },
  ];
  /** @type {(string | number)[][]} */
  const rows = [];
  for (let time = Math.floor(from / step) * step; time < to; time += step) {
    const at = new Date(time).toISOString();
    rows.push([at, 'error', (time / step) % 3], [at, 'info', 20 + ((time / step) % 7)]);
  }
  return { columns, rows, truncated: false, cost: COST };
}

/** Rows of a heat map over the time of a query. @param {any} spec */
export function heatmapOf(spec) {
  /** @type {(string | number)[][]} */
  const rows = [];
  for (let time = spec.start_time; time < spec.end_time; time += spec.granularity) {
    const at = new Date(time * 1000).toISOString();
    for (let bucket = 8; bucket < 32; bucket += 1)
      rows.push([at, 2 ** (bucket / 4), Math.round(40 * Math.exp(-((bucket - 18) ** 2) / 20)) + 1]);
  }
  const columns = [
    { name: 'time', type: 'time' },
    { name: 'up_to', type: 'double' },
    { name: 'rows', type: 'int' },
  ];
  return { columns, rows, truncated: false, cost: COST };
}

/** @param {any} question */
export function searchPage(question) {
  const spans = Array.from({ length: Math.min(12, question.limit) }, (_, at) => ({
    trace_id: '6740a1f09c3b5d2e8f7a4b1c0d9e8f7a',
    span_id: `00000000000000${String(at).padStart(2, '0')}`,
    parent_span_id: null,
    name: `found ${at}`,
    kind: 'server',
    start_unix_nanos: question.from,
    duration_nanos: '12000000',
    status: 'unset',
    status_message: '',
    service: 'checkout',
    resource: {},
    scope: { name: '', version: '' },
    attributes: { 'http.route': '/pay' },
    events: [],
    links: [],
  }));
  return { spans, total: 12, truncated: false, next_cursor: null, cost: COST };
}

export function completeness() {
  const one = {
    environments: 3,
    environments_open: 1,
    open: [],
    accepted: '12400',
    received: '12400',
    complete: '100.00',
    missing: [],
    missing_total: 0,
    dropped: {},
  };
  const gap = {
    environment: '2026/11/22/[$LATEST]abc',
    first: 7,
    last: 7,
    items: '24',
    why: 'printed',
    last_seen_unix_nanos: String(BigInt(Date.now()) * 1_000_000n),
  };
  const torn = { received: '12360', complete: '99.67', missing: [gap], missing_total: 1 };
  return {
    functions: [
      { ...one, function: 'checkout' },
      { ...one, ...torn, function: 'notify', dropped: { buffer_full: '16' } },
    ],
    total: 2,
    truncated: false,
    next_cursor: null,
    cost: COST,
  };
}

/** By what a selection differs from the rest. @param {boolean} differs */
export function contrast(differs) {
  const part = (/** @type {number} */ hits, /** @type {number} */ of) => ({
    hits,
    of,
    share: hits / of,
  });
  const is = (/** @type {string} */ column, /** @type {unknown} */ value) => ({
    column,
    op: '=',
    value,
  });
  const difference = (
    /** @type {object[]} */ filters,
    /** @type {number} */ one,
    /** @type {number} */ other,
  ) => ({
    filters,
    selection: part(one, 408),
    rest: part(other, 1992),
    effect: 0.7,
    false_discovery: 0.0001,
    alike: /** @type {object[][]} */ ([]),
  });
  const differences = [
    difference([is('card', 'visa'), is('faas.version', '42')], 400, 0),
    {
      ...difference([is('service', 'payment')], 390, 700),
      alike: [[is('faas.name', 'payment')], [is('cloud.region', 'eu-west-1')]],
    },
    difference(
      [
        { column: 'http.response.body.size', op: '>=', value: 2_500_000 },
        { column: 'http.response.body.size', op: '<=', value: 9_000_000 },
      ],
      204,
      100,
    ),
    difference([{ column: 'user.id', op: 'does-not-exist' }], 120, 80),
  ];
  return {
    differences: differs ? differences : [],
    total: differs ? 4 : 0,
    selection: { count: 408, sampled: 408 },
    rest: { count: 1992, sampled: 1992 },
    compared: 214,
    left_out: 0,
    truncated: false,
    cost: { rows: 2400, bytes: 96_000, segments: 3, rollups: 0, elapsed_ms: 41.5 },
  };
}
