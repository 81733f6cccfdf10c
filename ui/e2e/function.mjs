// Answers about one function: inventory, which runs out of stock now and then.
import { COST, edge, mapOf, stretchOf } from './answers.mjs';

/** Null for statements that are not about a function. @param {string} sql @param {string[]} known @param {any} trace */
export function functionSql(sql, known, trace) {
  const name = /(?:"faas\.name"|service) = '([^']*)'/.exec(sql)?.[1] ?? '';
  const isKnown = known.includes(name);
  if (sql.includes("then 'invocation'")) return table(isKnown ? calls(sql) : []);
  if (sql.includes("event_name = 'platform.report'")) return table(reports(sql));
  if (sql.includes('as failure, status_message')) return table(isKnown ? failures(trace) : []);
  if (sql.includes('"code.file.path"')) return table(places(trace));
  if (sql.includes('max(time) as last, count(*) as n'))
    return table([
      ['42', isoOf(Date.now() - 900_000), isoOf(Date.now() - 2_000), 5200, 380, 41, 210],
      ['41', isoOf(Date.now() - 3_600_000), isoOf(Date.now() - 900_000), 9100, 12, 38, 160],
    ]);
  if (sql.includes('as version, min(time) as first from'))
    return table([
      ['42', isoOf(Date.now() - 900_000)],
      ['41', isoOf(Date.now() - 4 * 86_400_000)],
    ]);
  return null;
}

/** @param {URLSearchParams} search */
export function functionEdges(search) {
  const { from, to, seconds } = stretchOf(search);
  const self = `function:${search.get('function')}`;
  const edges = [
    edge('function:checkout', self, 4 * seconds, Math.round(seconds / 9), 44, false, seconds),
    edge('queue:restock', self, Math.round(seconds / 4), 0, 60, true, seconds),
    edge(self, 'table:stock', 8 * seconds, seconds, 6, false, seconds),
    edge(self, 'host:api.warehouse.example', seconds, 4, 140, false, seconds),
    edge(self, 'function:notify', Math.round(seconds / 9), 0, 30, true, seconds),
  ];
  return { ...mapOf(edges), from_unix_nanos: String(from), to_unix_nanos: String(to) };
}

/** The newest span of a function; null for other searches. @param {any} question */
export function newestSpan(question) {
  const [mine, what] = question.filters ?? [];
  if (mine?.column !== 'faas.name' || question.limit !== 1) return null;
  const isCall = what?.column === 'throughline.phase';
  const attributes = isCall
    ? { 'cloud.resource_id': `arn:aws:lambda:eu-west-1:123456789012:function:${mine.value}` }
    : {};
  const span = {
    trace_id: '6740a1f09c3b5d2e8f7a4b1c0d9e8f7a',
    span_id: '0405c02bd79cab88',
    parent_span_id: null,
    name: mine.value,
    kind: 'server',
    start_unix_nanos: question.from,
    duration_nanos: '12000000',
    status: 'unset',
    status_message: '',
    service: mine.value,
    resource: {
      attributes: {
        'faas.name': mine.value,
        'faas.version': '42',
        'faas.max_memory': 268435456,
        'cloud.region': 'eu-west-1',
        'cloud.account.id': '123456789012',
        'process.runtime.name': 'python',
        'process.runtime.version': '3.13.v7',
        'host.arch': 'arm64',
        'aws.log.group.names': [`/aws/lambda/${mine.value}`],
        ...(isCall
          ? {}
          : { 'telemetry.sdk.name': 'throughline', 'telemetry.sdk.language': 'python' }),
      },
    },
    scope: isCall ? { name: 'throughline.platform', version: '0.1.0' } : { name: 'x', version: '' },
    attributes,
    events: [],
    links: [],
  };
  return { spans: [span], total: 1, truncated: false, next_cursor: null, cost: COST };
}

/** @param {string} sql @returns {(string | number | null)[][]} */
function calls(sql) {
  const times = timesIn(sql);
  const late = times.length * 0.75;
  const rows = times.map((time, at) => {
    const wave = 1 + 0.25 * Math.sin(at / 5);
    const slow = at > late ? 1.6 : 1;
    const n = Math.round(240 * wave);
    return [
      isoOf(time),
      'invocation',
      n,
      at > late ? Math.round(n * 0.12) : at % 9 === 0 ? 1 : 0,
      at % 7 === 0 ? 3 : 0,
      0,
      41 * slow * wave,
      90 * slow * wave,
      210 * slow,
    ];
  });
  const sum = (/** @type {number} */ column) =>
    rows.reduce((all, row) => all + Number(row[column]), 0);
  return [...rows, [null, 'invocation', sum(2), sum(3), sum(4), 2, 43, 96, 230]];
}

/** @param {string} sql @returns {(string | number | null)[][]} */
function reports(sql) {
  const rows = timesIn(sql).map((time, at) => [
    isoOf(time),
    Math.min(248, 150 + at * 1.6),
    120 + at,
    256,
    0.00042,
    240,
    12000,
    at % 7 === 0 ? 702 : null,
  ]);
  return [...rows, [null, 246, 150, 256, 0.00042 * rows.length, 240 * rows.length, 720000, 702]];
}

/** @param {any} trace @returns {(string | number | null)[][]} */
function failures(trace) {
  const now = Date.now();
  const { trace_id } = trace;
  const message = 'teapot-blue: 2 wanted, 0 left';
  return [
    ['warehouse.OutOfStock', message, 211, isoOf(now - 4_000), trace_id, '0405c02bd79cab88'],
    ['warehouse.OutOfStock', 'teapot-blue: 5 wanted, 1 left', 98, isoOf(now - 9_000), 'aa', 'bb'],
    [
      'Sandbox.Timedout',
      'the function did not finish in time',
      2,
      isoOf(now - 600_000),
      'cc',
      'dd',
    ],
  ];
}

/** @param {any} trace @returns {(string | number | null)[][]} */
function places(trace) {
  const failed = trace.spans.filter((/** @type {any} */ span) => span.status === 'error');
  return failed.map((/** @type {any} */ span) => [
    trace.trace_id,
    span.span_id,
    span.parent_span_id,
    isoOf(Number(BigInt(span.start_unix_nanos) / 1_000_000n)),
    span.service,
    span.name,
    span.name === 'reserve' ? '/var/task/warehouse.py' : null,
    span.name === 'reserve' ? '44' : null,
  ]);
}

/** The steps that a statement asks for. @param {string} sql */
function timesIn(sql) {
  const step = Number(/interval '(\d+) seconds'/.exec(sql)?.[1] ?? 60) * 1000;
  const [from = 0, to = 0] = [...sql.matchAll(/timestamp '([^']+)'/g)].map(([, at]) =>
    Date.parse(at ?? ''),
  );
  const times = [];
  for (let time = Math.floor(from / step) * step; time < to; time += step) times.push(time);
  return times;
}

/** @param {(string | number | null)[][]} rows */
function table(rows) {
  return { columns: [], rows, truncated: false, cost: COST };
}

/** @param {number} millis */
function isoOf(millis) {
  return new Date(millis).toISOString();
}
