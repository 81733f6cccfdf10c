import { describe, expect, it } from 'vitest';
import checkout from '../../fixtures/checkout.json';
import type { DurationNanos, UnixNanos } from '../base/time';
import { completionSearch, createApi, traceSearch } from './client';
import { parseJson } from './json';

function answering(body: string, status = 200) {
  const asked: Request[] = [];
  const fetcher: typeof fetch = (input, init) => {
    asked.push(new Request(new URL(String(input), 'http://server'), init));
    return Promise.resolve(new Response(body, { status, statusText: 'Bad Gateway' }));
  };
  return { asked, fetcher };
}

describe('answers', () => {
  it('reads a trace with exact times', async () => {
    const { fetcher, asked } = answering(JSON.stringify(checkout));
    const answer = await createApi({ fetcher }).trace(checkout.trace_id);
    expect(new URL(asked[0]!.url).pathname).toBe(`/api/v1/traces/${checkout.trace_id}`);
    if (!answer.ok) throw new Error(answer.error.kind);
    const trace = answer.value;
    expect(String(trace.start)).toBe(checkout.start_unix_nanos);
    expect(trace.failed).toBe(true);
    expect(trace.spans).toHaveLength(checkout.span_count);
    expect(trace.spans[0]?.resource['service.name']).toBe('checkout');
    expect(trace.logs.map((log) => log.service)).toContain('notify');
  });

  it.each([
    ['a refusal of the server', '{"code":"TL0203","message":"no such trace"}', 404, 'refused'],
    ['a proxy that speaks html', '<h1>Bad Gateway</h1>', 502, 'refused'],
    ['an answer that is no JSON', '<html>', 200, 'malformed'],
    ['a field that is missing', '{"traces":[{}]}', 200, 'malformed'],
    [
      'a time that is none',
      JSON.stringify({ ...checkout, start_unix_nanos: 'soon' }),
      200,
      'malformed',
    ],
  ])('%s', async (_, body, status, kind) => {
    const api = createApi(answering(body, status));
    const answer = body.includes('traces') ? await api.traces({}) : await api.trace('x');
    expect(answer.ok ? 'ok' : answer.error.kind).toBe(kind);
  });

  it('says so when nobody answers', async () => {
    const api = createApi({ fetcher: () => Promise.reject(new TypeError('fetch failed')) });
    const answer = await api.services();
    expect(answer).toEqual({
      ok: false,
      error: { kind: 'unreachable', detail: 'TypeError: fetch failed' },
    });
  });

  it('sends the key it has, and says when one is needed', async () => {
    let needed = 0;
    const { fetcher, asked } = answering('{"code":"TL0206","message":"key"}', 401);
    const api = createApi({ fetcher, key: () => 's3cret', onKeyNeeded: () => (needed += 1) });
    await api.services();
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer s3cret');
    expect(needed).toBe(1);
  });
});

describe('questions', () => {
  it('asks for nothing that does not narrow', () => {
    expect(traceSearch({ service: '', operation: '', attributes: [] })).toBe('');
  });

  it('writes every filter as the server reads it', () => {
    const search = traceSearch({
      service: 'checkout',
      operation: 'GET /a?b&c',
      status: 'error',
      minDuration: 1_500_000n as DurationNanos,
      attributes: ['faas.coldstart=true', 'a=b=c'],
      from: 1n as UnixNanos,
      to: 2n as UnixNanos,
      limit: 50,
      cursor: 'x+/=',
    });
    const params = [...new URLSearchParams(search)].map(([key, value]) => `${key}: ${value}`);
    expect(params).toEqual([
      'service: checkout',
      'operation: GET /a?b&c',
      'status: error',
      'min_duration_ms: 1.5',
      'attribute: faas.coldstart=true',
      'attribute: a=b=c',
      'from: 1',
      'to: 2',
      'limit: 50',
      'cursor: x+/=',
    ]);
  });
});

describe('parseJson', () => {
  // Node 20 gives a reviver no source, so there the digits cannot be kept.
  const hasSource = ((): boolean => {
    let seen: unknown;
    const reviver = (_: string, value: unknown, context?: { source?: string }): unknown => {
      seen = context?.source;
      return value;
    };
    JSON.parse('1', reviver as (key: string, value: unknown) => unknown);
    return seen === '1';
  })();

  it.runIf(hasSource)('keeps the digits of integers beyond 2^53', () => {
    expect(parseJson('{"id":1234567890123456789,"n":[-9007199254740993]}')).toEqual({
      id: '1234567890123456789',
      n: ['-9007199254740993'],
    });
  });

  it('leaves everything else as it is', () => {
    const text = '{"a":9007199254740991,"b":1.5,"c":"12345678901234567890","d":1e300}';
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });
});

describe('completions', () => {
  it('say what was typed, and nothing where nothing was', () => {
    expect(completionSearch('spans', 'http.')).toBe('?dataset=spans&limit=50&prefix=http.');
    expect(completionSearch('logs', '')).toBe('?dataset=logs&limit=50');
  });
});
