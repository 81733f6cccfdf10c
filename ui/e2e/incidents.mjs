/** What the mocked server knows of incidents: what they are, where they come from, and who is told of them. */
const RANKS = ['note', 'warning', 'critical'];
const INCIDENTS_BEGIN = 1_795_132_800n;
/** @param {number} minute */
const incidentTime = (minute) => String((INCIDENTS_BEGIN + BigInt(minute) * 60n) * 1_000_000_000n);

/** @param {number} id */
function incidentSummary(id) {
  const open = id === 7 || id > 58;
  const of = ['critical', 'warning', 'note'];
  return {
    id,
    state: open ? 'open' : 'closed',
    severity: id === 7 ? 'critical' : of[id % 3],
    title:
      id % 2 === 1
        ? 'function:order is slower: p50 52 ms → 433 ms'
        : 'function:stock-of-a-very-long-name → table:reservations-of-the-restaurant PutItem is new, 3 times',
    since_unix_nanos: incidentTime(id * 60),
    opened_unix_nanos: incidentTime(id * 60 + 2),
    closed_unix_nanos: open ? null : incidentTime(id * 60 + 16),
    merged_into: null,
    nodes:
      id % 2 === 1
        ? ['function:inventory', 'function:order', 'function:pay', 'table:user']
        : ['function:stock-of-a-very-long-name', 'table:reservations-of-the-restaurant'],
    finding_count: 3,
  };
}

/** One that is over. @param {number} id @param {string} severity @param {string} node @param {readonly [number, number]} ago minutes before now at which it began and had ended */
export function overIncident(id, severity, node, [since, until]) {
  const at = (/** @type {number} */ minutes) => `${Date.now() - minutes * 60_000}000000`;
  return {
    ...incidentSummary(id),
    state: 'closed',
    severity,
    title: `${node} fails more: 0.1 % → 12 %`,
    since_unix_nanos: at(since),
    opened_unix_nanos: at(since - 2),
    closed_unix_nanos: at(until),
    nodes: [node],
  };
}

/** One that goes on. @param {number} id @param {string} severity @param {string} node */
export function openIncident(id, severity, node) {
  return { ...overIncident(id, severity, node, [10, 0]), state: 'open', closed_unix_nanos: null };
}

/** The newest first. @param {URLSearchParams} search @param {number} count @param {readonly ReturnType<typeof overIncident | typeof openIncident>[]} more */
export function incidentPage(search, count, more) {
  const before = Number(search.get('cursor') ?? Infinity);
  const ids = Array.from({ length: count }, (_, at) => count - at);
  const subject = search.get('subject');
  const least = RANKS.indexOf(search.get('severity') ?? 'note');
  const [from, to] = [BigInt(search.get('from') ?? 0), search.get('to')];
  const found = [...more, ...ids.map(incidentSummary)].filter(
    (each) =>
      each.id < before &&
      (search.get('state') !== 'open' || each.state === 'open') &&
      (subject === null || each.nodes.includes(subject)) &&
      RANKS.indexOf(each.severity ?? '') >= least &&
      (each.closed_unix_nanos === null || BigInt(each.closed_unix_nanos) >= from) &&
      (to === null || BigInt(each.since_unix_nanos) < BigInt(to)),
  );
  const incidents = found.slice(0, 50);
  const next = found.length > 50 ? String(incidents.at(-1)?.id) : null;
  return { incidents, total: found.length, truncated: false, next_cursor: next };
}

/** Who is told. @param {any} settings @param {string} edition */
export function notifications(settings, edition) {
  const smtp = { host: 'mail.example.com', tls: 'starttls', username: 't', password: '********' };
  const mail = { type: 'email', to: ['ada@example.com'], from: 't@example.com', smtp };
  const slack = { type: 'slack', url: '********' };
  const noise = { node: 'function:mail', kind: 'silence', messages: 6, told: 3, acted: 0 };
  return {
    settings: settings ?? {
      public_url: null,
      environment: 'production',
      receivers: [
        { name: 'team', channel: slack, utc_offset_minutes: 60, quiet_hours: null, digest: null },
        { name: 'ops', channel: mail, quiet_hours: { from: '22:00', to: '07:00', days: [] } },
      ],
      routes: [{ name: 'payments', receivers: ['team', 'ops'], severity: 'warning' }],
      mutes: [{ nodes: 'function:nightly-*', kinds: 'silence', reason: 'runs once a day' }],
      unsubscribed: [],
      weekly_report: [],
    },
    edition,
    mask: '********',
    base: 'http://127.0.0.1:4300',
    report: { messages: 6, told: 3, acted: 0, groups: [{ ...noise, is_noise: true }] },
    status: {
      sent: 6,
      retried: 1,
      refused: 0,
      given_up: 0,
      no_room: 0,
      not_told: {},
      waiting: 0,
      held: 2,
    },
  };
}

const pair = (/** @type {number} */ before, /** @type {number} */ after) => ({ before, after });

/** Whom something calls or is called by. @param {string} node @param {boolean} worse */
const near = (node, worse) => ({
  node,
  path: ['function:order', node],
  worse: worse ? ['slow'] : [],
  calls_per_minute: pair(12, 12),
  failed: pair(0, worse ? 0.333 : 0),
  mean_ms: pair(44.5, worse ? 424.5 : 44.6),
  throttle_count: worse ? 92 : 0,
  edge_calls_per_minute: pair(12, 12),
  edge_failed: pair(0, 0),
});

export function incident() {
  const id = (/** @type {number} */ number) => number.toString(16).padStart(16, '0');
  const finding = (/** @type {string} */ node, /** @type {boolean} */ spans) => ({
    kind: 'latency',
    title: `${node} is slower: p50 52 ms → 433 ms`,
    subject: { node, operation: null, to: null },
    unit: 'ms',
    before: { value: 52, low: 49, high: 55, of: 1180 },
    before_when: 'the same hour of the day before',
    after: { value: 433, low: 420, high: 441, of: 160 },
    severity: 'critical',
    confidence: 0.9999,
    since_unix_nanos: incidentTime(420),
    seen_unix_nanos: incidentTime(428),
    goes_on: true,
    change: spans
      ? { node, what: 'version 42', before: 'version 41', at_unix_nanos: incidentTime(415) }
      : null,
    detail: { quantile: 0.5 },
    filters: spans ? [{ column: 'faas.name', op: '=', value: 'order' }] : null,
    examples: spans
      ? [1, 2, 3].map((at) => ({
          trace_id: `${id(0)}${id(at)}`,
          span_id: id(at),
          start_unix_nanos: incidentTime(421),
          duration_ms: 430 + at,
        }))
      : [],
  });
  return {
    ...incidentSummary(7),
    environments: ['production', 'staging'],
    owners: ['payments'],
    findings: [
      finding('function:order', true),
      finding('function:pay', true),
      { ...finding('table:user', false), goes_on: false, severity: 'warning' },
    ],
    callers: ['service:gateway'],
    callees: ['queue:mails', 'host:bank.example'],
    cause: {
      node: 'function:order',
      symptom: 'slow',
      before: 54.5,
      after: 434.1,
      causes: [
        {
          node: 'table:user',
          symptom: 'slow',
          share: 0.94,
          before: 24.5,
          after: 404.2,
          calls: 160,
          path: ['function:order', 'function:pay', 'table:user'],
        },
      ],
      beside: [],
      ruled_out: ['queue:mails'],
      unexplained: 0.06,
      load: 1,
    },
    affected: {
      upstream: [near('function:pay', true), near('function:order', true)],
      downstream: [],
    },
  };
}

/** What an Alertmanager has told. */
export function outerIncident() {
  const title = 'Alertmanager: HighLatency at function:pay: pay answers slowly';
  const labels = { alertname: 'HighLatency', function_name: 'pay', severity: 'page' };
  const href = 'http://prometheus.example:9090/graph?g0.expr=histogram_quantile(0.99,%20rate)';
  const [first] = incident().findings;
  const finding = {
    ...first,
    kind: 'alertmanager',
    title,
    subject: { node: 'function:pay', operation: null, to: null },
    unit: 'count',
    before: null,
    before_when: null,
    after: { value: 1, low: 1, high: 1, of: 1 },
    change: null,
    detail: {
      source: 'Alertmanager',
      name: 'HighLatency',
      says: 'pay answers slowly',
      labels,
      href,
    },
    filters: null,
    examples: [],
  };
  const { callers, callees, cause, affected } = incident();
  const about = { title, nodes: ['function:pay'], finding_count: 1 };
  return {
    ...incidentSummary(59),
    ...about,
    environments: [],
    owners: [],
    findings: [finding],
    callers,
    callees,
    cause,
    affected,
  };
}

/** What was found, or that nothing was; as the question has it. @param {any} question */
export function investigation(question) {
  const found = !/nothing/.test(question.question);
  const id = (/** @type {number} */ number) => number.toString(16).padStart(16, '0');
  const [from, to] = [question.from ?? incidentTime(390), question.to ?? incidentTime(450)];
  const cause = (
    /** @type {string} */ node,
    /** @type {number} */ share,
    /** @type {string[]} */ path,
  ) => ({
    node,
    symptom: 'slow',
    share,
    unit: 'ms',
    before: 24.5,
    after: 404.2,
    calls: 160,
    path,
  });
  const row = (
    /** @type {string} */ kind,
    /** @type {string} */ title,
    /** @type {any} */ more,
  ) => ({
    kind,
    title,
    node: 'table:user-table',
    unit: 'ms',
    before: 24.5,
    after: 404.2,
    at_unix_nanos: null,
    search: null,
    sql: null,
    examples: [],
    ...more,
  });
  const slow = cause('function:order', 1, []);
  return {
    asked: {
      question: question.question,
      wanted: 'cause',
      symptom: question.symptom ?? 'slow',
      symptom_words: question.symptom ? '' : 'slow',
      node: question.node ?? 'function:order',
      node_words: question.node ? '' : 'order',
      from_unix_nanos: from,
      to_unix_nanos: to,
      time_words: question.from ? '' : 'last night around 10PM',
      is_cut: false,
      candidates: [
        { node: 'function:order', score: 1, words: 'order' },
        { node: 'table:orders', score: 0.95, words: 'order' },
      ],
    },
    state: found ? 'found' : 'nothing_found',
    title: found
      ? 'function:order is slow: 65 ms → 445 ms, 52 % of it from table:user-table'
      : 'nothing found: function:order, mean time 64 ms → 65 ms',
    node: 'function:order',
    symptom: question.symptom ?? 'slow',
    reference: {
      name: 'hours_before',
      from_unix_nanos: incidentTime(150),
      to_unix_nanos: incidentTime(390),
    },
    figures: [
      { what: 'mean time', unit: 'ms', before: 64.5, after: found ? 444.5 : 65 },
      { what: 'failed', unit: 'share', before: 0, after: 0 },
      { what: 'calls', unit: 'per_minute', before: 12, after: 12 },
    ],
    confirmed: found ? slow : null,
    onset_unix_nanos: found ? incidentTime(427) : null,
    began_before: false,
    until_unix_nanos: found ? to : null,
    causes: found
      ? [
          cause('table:user-table', 0.52, ['function:order', 'function:pay', 'table:user-table']),
          cause('function:pay', 0.42, ['function:order', 'function:pay']),
        ]
      : [],
    beside: [],
    evidence: found
      ? [
          row('numbers', 'table:user-table is slow: 24 ms → 404 ms, of 276 calls', {
            search: {
              dataset: 'spans',
              filters: [{ column: 'db.collection.name', op: 'ends-with', value: 'user-table' }],
              q: '',
              from,
              to,
            },
            examples: [
              {
                trace_id: `${id(0)}${id(1)}`,
                span_id: id(1),
                start_unix_nanos: incidentTime(428),
                duration_ms: 431,
              },
            ],
          }),
          row('change', 'function:pay changed: version 42, 2 min before it began', {
            node: 'function:pay',
            unit: null,
            before: null,
            after: null,
            at_unix_nanos: incidentTime(425),
          }),
          row('log', 'pay writes what it did not before: gave up on card …', {
            unit: 'count',
            before: 0,
            after: 276,
            search: {
              dataset: 'logs',
              filters: [{ column: 'service', op: '=', value: 'pay' }],
              q: '"gave up on card"',
              from,
              to,
            },
          }),
        ]
      : [],
    ruled_out: found ? [{ node: null, title: 'load: 1.0 times the usual calls' }] : [],
    unexplained: found ? 0.06 : null,
    load: found ? 1 : null,
    noticed: [{ node: found ? 'function:order' : 'function:mail', symptom: 'error' }],
    upstream: [near('service:gateway', true)],
    downstream: [
      near('function:pay', true),
      near('function:a-function-of-a-very-long-name', false),
    ],
    truncated: false,
    left_out: [],
    elapsed_ms: 412,
  };
}
