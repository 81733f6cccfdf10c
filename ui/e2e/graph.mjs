// What the graph answers, and what can be asked of it.
import { edgeMap } from './answers.mjs';

/** Some of the words that the server knows. */
export const LANGUAGE = {
  labels: [
    { name: 'Function', means: 'a function' },
    { name: 'Table', means: 'a table of DynamoDB' },
    { name: 'Endpoint', means: 'a function or service that nobody else calls' },
  ],
  types: [
    { name: 'CALLS', means: 'a call that somebody waits for' },
    { name: 'TRIGGERS', means: 'a message, or a call that nobody waits for' },
  ],
  properties: [
    { name: 'name', means: 'as the map calls it', of: 'nodes', unit: null },
    { name: 'operation', means: 'what for', of: 'relationships', unit: null },
    { name: 'calls', means: 'how often', of: 'both', unit: 'count' },
    { name: 'p99', means: 'the 99th percentile', of: 'both', unit: 'ms' },
    { name: 'first_seen', means: 'the first minute with a call', of: 'both', unit: 'time' },
  ],
  functions: [
    { name: 'count', means: 'how many' },
    { name: 'coalesce', means: 'the first that is not null' },
  ],
  questions: [
    {
      title: 'What does it depend on?',
      about: 'function',
      query:
        "MATCH (f {name: '$NAME'})-[:CALLS|TRIGGERS*1..6]->(n)\nRETURN DISTINCT n, n.p99 AS p99",
    },
    {
      title: 'What is affected by it?',
      about: 'resource',
      query:
        "MATCH (t {name: '$NAME'})<-[:CALLS|TRIGGERS*1..6]-(n)\nRETURN DISTINCT n, n.calls AS calls",
    },
    {
      title: 'Which calls are new since yesterday?',
      about: null,
      query: "MATCH (a)-[c]->(b) WHERE c.is_new RETURN a, b COMPARED TO 'yesterday'",
    },
  ],
};

/** Rows about the first edges of the map; a mistake, or nothing, as the query says. @param {any} question */
export function graphAnswer(question) {
  const mistake = /Tabel/.exec(question.query);
  if (mistake)
    return {
      status: 400,
      body: {
        code: 'TL0210',
        message: `there is no label \`Tabel\`: did you mean \`Table\`? at line 1, column ${mistake.index + 1}`,
      },
    };
  const search = new URLSearchParams({ from: question.from ?? '0', to: question.to ?? '1' });
  const { nodes, edges } = edgeMap(search, '');
  const shown = question.query.includes('nobody') ? [] : edges.slice(0, 6);
  const rows = shown.map(({ from, to, operation, count, error_count, p99_ms }, at) => [
    { node: from },
    { from, to, type: 'CALLS', operation },
    { path: [from, to], types: ['CALLS'] },
    count,
    at === 0 ? null : p99_ms - 100,
    error_count / Math.max(1, count),
    '2026-11-21T22:14:00Z',
  ]);
  const isLong = question.query.includes('everything');
  const ids = new Set(shown.flatMap(({ from, to }) => [from, to]));
  const names = ['n', 'c', 'p', 'calls', 'c.Δp99', 'failed', 'first_seen'];
  const units = [null, null, null, 'count', 'ms', 'share', 'time'];
  return {
    status: 200,
    body: {
      columns: names.map((name, at) => ({ name, unit: units[at] })),
      rows: isLong ? Array.from({ length: 240 }, (_, at) => rows[at % rows.length]) : rows,
      total: isLong ? 5000 : rows.length,
      truncated: isLong,
      cut: isLong ? 'rows' : null,
      during: { from_unix_nanos: question.from ?? '0', to_unix_nanos: question.to ?? '1' },
      compared: null,
      nodes: nodes.filter(({ id }) => ids.has(id)),
      edges: shown,
      searched: {
        nodes: nodes.length,
        edges: edges.length,
        left_out: 0,
        other_count: 0,
        steps: 90,
      },
      cost: { rows: 90, bytes: 4000, segments: 2, rollups: 2, elapsed_ms: 4.2 },
    },
  };
}
