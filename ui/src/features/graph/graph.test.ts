import { describe, expect, it } from 'vitest';
import type { GraphAnswer, GraphLanguage } from '../../api/model';
import { accept, complete } from './complete';
import { cellText, cutWords, drawingOf, fitting, keptOfGraph, queryOf, summaryOf } from './words';

const LANGUAGE: GraphLanguage = {
  labels: [
    { name: 'Function', means: 'a function' },
    { name: 'Table', means: 'a table' },
  ],
  types: [{ name: 'CALLS', means: 'a call' }],
  properties: [
    { name: 'name', means: 'its name', of: 'nodes', unit: null },
    { name: 'operation', means: 'what for', of: 'relationships', unit: null },
    { name: 'p99', means: 'slow ones', of: 'both', unit: 'ms' },
    { name: 'first_seen', means: 'when', of: 'both', unit: 'time' },
  ],
  functions: [{ name: 'count', means: 'how many' }],
  questions: [],
};
const NAMES = [
  { text: "it's", about: 'table' },
  { text: 'orders', about: 'table' },
  { text: 'pay', about: 'function' },
];

/** What is offered where the bar stands. */
function offered(written: string): readonly string[] {
  const at = written.indexOf('|');
  const text = written.replace('|', '');
  const found = complete(text, at, { language: LANGUAGE, names: NAMES });
  return found?.options.map((option) => option.text) ?? [];
}

describe('completion', () => {
  it('knows labels from types', () => {
    expect(offered('MATCH (f:|')).toEqual(['Function', 'Table']);
    expect(offered('MATCH (f:Ta|')).toEqual(['Table']);
    expect(offered('MATCH (a)-[c:|')).toEqual(['CALLS']);
    expect(offered('MATCH (f:Function|')).toEqual([]);
  });

  it('knows what has a property', () => {
    expect(offered('MATCH (f)-[c]->() RETURN f.|')).toEqual(['name', 'p99', 'first_seen']);
    expect(offered('MATCH (f)-[c]->() RETURN c.|')).toEqual(['operation', 'p99', 'first_seen']);
    expect(offered('MATCH (f {|')).toContain('name');
    expect(offered('MATCH (f) RETURN f.Δ|')).toEqual(['Δp99']);
    expect(offered('MATCH (f) RETURN f.before_p|')).toEqual(['before_p99']);
  });

  it('knows names, times and words', () => {
    expect(offered("MATCH (f {name: '|")).toEqual(["it's", 'orders', 'pay']);
    expect(offered("MATCH (f {name: 'RDE|")).toEqual(['orders']);
    expect(offered("MATCH (f) RETURN f DURING 'yes|")).toEqual(['yesterday']);
    expect(offered("MATCH (f) RETURN f COMPARED TO 'the|")).toEqual(['the hour before']);
    expect(offered('MATCH (f) WH|')).toEqual(['WHERE']);
    expect(offered('MATCH (f) RETURN co|')).toEqual(['COMPARED TO', 'CONTAINS', 'count(']);
    expect(offered("MATCH (f {name: 'pay'}) |")).toEqual([]);
  });

  it('takes the place of what was typed', () => {
    const text = 'MATCH (f:Ta) RETURN f';
    const found = complete(text, 11, { language: LANGUAGE, names: NAMES });
    expect(accept(text, found!, 'Table')).toEqual({ text: 'MATCH (f:Table) RETURN f', at: 14 });
  });
});

const EDGE = {
  from: 'function:pay',
  to: 'table:orders',
  operation: 'PutItem',
  asynchronous: false,
  count: 90,
  error_count: 9,
  throttle_count: 0,
  rate: 1.5,
  sum_ms: 900,
  p50_ms: 9,
  p99_ms: 20,
};
const ANSWER: GraphAnswer = {
  columns: [{ name: 'f', unit: null }],
  rows: [[{ node: 'function:pay' }]],
  total: 1,
  truncated: false,
  cut: null,
  during: { from_unix_nanos: '0', to_unix_nanos: '60000000000' },
  compared: null,
  nodes: [
    { id: 'function:pay', kind: 'function', name: 'pay', service: null },
    { id: 'table:orders', kind: 'table', name: 'orders', service: null },
  ],
  edges: [EDGE, { ...EDGE, operation: 'GetItem', error_count: 0 }],
  searched: { nodes: 2, edges: 2, left_out: 0, other_count: 0, steps: 3 },
  cost: { rows: 2, bytes: 100, segments: 1, rollups: 1, elapsed_ms: 1.5 },
};

describe('an answer', () => {
  it('is told in units that people read', () => {
    expect(cellText(12.5, 'ms')).toBe('12.5\u202fms');
    expect(cellText(-12.5, 'ms')).toBe('−12.5\u202fms');
    expect(cellText(0.031, 'share')).toBe('3.1\u202f%');
    expect(cellText('2026-11-21T22:14:00Z', 'time')).toBe('2026-11-21 22:14 UTC');
    expect(cellText(null, 'ms')).toBe('–');
    expect(cellText({ path: ['function:a', 'table:b'], types: ['CALLS'] }, null)).toBe('a → b');
    expect(cellText(['x', { node: 'queue:q' }], null)).toBe('x, q');
    expect(cellText(true, null)).toBe('yes');
    expect(summaryOf(ANSWER)).toBe('1 row · from 2 nodes and 2 relationships in 1.50\u202fms');
  });

  it('says why it is not all', () => {
    expect(cutWords(ANSWER)).toBe('');
    expect(cutWords({ ...ANSWER, truncated: true, cut: 'time' })).toMatch(/^The time was over/);
    const searched = { ...ANSWER.searched, left_out: 7 };
    expect(cutWords({ ...ANSWER, truncated: true, searched })).toMatch(/^7 relationships/);
  });

  it('is drawn with one line for all operations', () => {
    const { nodes, edges } = drawingOf(ANSWER);
    expect(nodes.map(({ line }) => line)).toEqual(['function', 'table · 180 calls']);
    expect(edges).toHaveLength(1);
    expect(edges[0]).toMatchObject({ rate: 3, level: 'normal' });
    expect(edges[0]?.words).toBe('pay → orders, PutItem, GetItem, 180 calls, 9 failed');
  });
});

describe('a saved question', () => {
  it('is about a name, whatever that is', () => {
    expect(queryOf({ query: "(t {name: '$NAME'})" }, "it's $& \\")).toBe(
      "(t {name: 'it\\'s $& \\\\'})",
    );
    expect(fitting(NAMES, 'function')).toEqual(['pay']);
    expect(fitting(NAMES, 'resource')).toEqual(["it's", 'orders']);
  });
});

it('shows those of the kept questions that are of the graph', () => {
  const graph = 'MATCH (t:Table) RETURN t';
  const kept = [{ name: 'by hand', sql: 'select 1' }, { name: 'tables', graph }, { name: 'all' }];
  expect(keptOfGraph(kept)).toEqual([{ name: 'tables', graph }]);
});
