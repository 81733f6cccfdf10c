import { describe, expect, it } from 'vitest';
import checkout from '../../../fixtures/checkout.json';
import order from '../../../fixtures/order.json';
import { decodeTrace } from '../../api/decode';
import type { Trace } from '../../api/model';
import type { WireTrace } from '../../api/wire';
import { criticalPaths } from '../../widgets/waterfall/critical';
import { buildTree } from '../../widgets/waterfall/tree';
import { doubtOf, failedIn, formatUsd, jsonOf, storyWords, titleOf } from './story';
import { pathWords } from './path';
import { joinWords, kindWords, waterfallSpans } from './waterfall';

const trace = decodeTrace(checkout as unknown as WireTrace);

function told(of: Trace): readonly string[] {
  return storyWords(of, criticalPaths(buildTree(waterfallSpans(of, new Map()))));
}

/** The same trace with some spans changed, by their place. */
function changed(
  parts: Record<number, Partial<Trace['spans'][number]>>,
  more: Partial<Trace> = {},
): Trace {
  const spans = trace.spans.map((span, at) => ({ ...span, ...parts[at] }));
  return { ...trace, ...more, spans };
}

describe('in words', () => {
  it('says steps, functions, times and where it failed', () => {
    const words = told(trace).join(', ');
    expect(words).toMatch(/^26 steps across 3 functions, /);
    expect(words).toMatch(/failed in inventory/);
    expect(words).not.toContain('$');
  });

  it('the answer and the end are two times when something goes on after it', () => {
    const paths = criticalPaths(buildTree(waterfallSpans(trace, new Map())));
    const words = told(trace);
    expect(words[1]).toBe(pathWords(paths.answer, 'answer'));
    expect(words[2]).toBe(pathWords(paths.end!, 'end'));
    expect(words[3]).not.toContain('in all');
  });

  // The terminal tells the same: crates/throughline/src/ask/trace/waterfall.
  it('an order that waited for a cold start behind an API, as the demo recorded it', () => {
    const words = told(decodeTrace(order as unknown as WireTrace)).join(', ');
    expect(words.replaceAll('\u202f', ' ')).toBe(
      '9 steps across 1 function, 5.57 s until the answer, ' +
        'waited 5.44 s in services between, $0.0000241, failed in place-order',
    );
  });

  it('what is on no path, since what it belongs to is lost, makes it longer', () => {
    const longer = { ...trace, duration: (trace.duration * 3n) as typeof trace.duration };
    expect(told(longer)[3]).toMatch(/^6\.\d+\u202fs in all$/);
  });

  it('waiting counts once where two wait at the same time', () => {
    const waiting = {
      inferred: true,
      duration: 60_000_000n as Trace['duration'],
      start: trace.start,
    };
    const words = told(changed({ 1: waiting, 2: waiting })).join();
    expect(words).toContain('waited 60.0\u202fms in services between');
  });

  it('says what it cost, and of how many that is not known', () => {
    const cost = { usd: 0.00001312, reported: 3, missing: 2 };
    const words = told({ ...trace, cost, traceIds: ['a', 'b'] });
    expect(words).toContain('$0.0000131 and 2 not reported');
    expect(words).toContain('2 traces joined');
    const early = told({ ...trace, cost: { usd: 0, reported: 0, missing: 5 } });
    expect(early).toContain('cost not reported yet');
  });

  it('a failure that is passed on begins where nothing below it failed', () => {
    expect(failedIn(trace)).toEqual(['inventory']);
  });

  it.each([
    [0, '$0'],
    [0.00000383, '$0.00000383'],
    [0.5, '$0.50'],
  ])('%d dollars are %s', (usd, text) => expect(formatUsd(usd)).toBe(text));
});

it('a cold start is said once, on the invocation', () => {
  const cold = { 'faas.coldstart': true };
  const below = trace.spans.findIndex((span) => span.name === 'POST /checkout');
  const spans = waterfallSpans(changed({ [below]: { attributes: cold } }), new Map());
  expect(spans.filter((span) => span.coldStart).map(({ name }) => name)).toEqual([
    'checkout',
    'inventory',
    'notify',
  ]);
});

it('JSON keeps times to the nanosecond', () => {
  expect(jsonOf(trace)).toContain(`"start": "${checkout.start_unix_nanos}"`);
});

it.each([
  ['shop', 'order', 'shop order'],
  ['shop', 'shop', 'shop'],
  [null, null, 'Trace without spans'],
])('%s %s is called %s', (rootService, rootName, title) => {
  expect(titleOf({ ...trace, rootService, rootName })).toBe(title);
});

it('who waited, and how it was joined, reaches the waterfall', () => {
  const join = { how: 'matched' as const, key: 'sqs:1b2c' };
  const attributes = { 'throughline.hop.kind': 'queue' };
  const made = changed({ 3: { inferred: true, join, attempt: 2, attributes } });
  const [, , , span] = waterfallSpans(made, new Map());
  expect(span).toMatchObject({ waiting: true, attempt: 2, joined: { how: 'matched' } });
  expect(joinWords(join)).toContain('sqs:1b2c');
  expect(kindWords(made.spans[3]!)).toBe('waited in a queue');
  expect(waterfallSpans(trace, new Map())[3]).not.toHaveProperty('joined');
});

describe('what is asked of it', () => {
  const asked = (of: Trace) => {
    const doubt = doubtOf(of)!;
    const search = new URL(doubt.href, 'http://page').searchParams;
    return { words: doubt.words, ...Object.fromEntries(search) };
  };

  it('is why it failed, of whom that began with, half an hour around it', () => {
    const { words, node, symptom, from, to } = asked(trace) as Record<string, string>;
    expect([words, node, symptom]).toEqual([
      'Investigate why it failed',
      'function:inventory',
      'error',
    ]);
    const long = Number(trace.duration / 1_000_000n);
    expect(Date.parse(to!) - Date.parse(from!)).toBeCloseTo(3_600_000 + long, -1);
  });

  it('is whether it was slow, of whom it came to first', () => {
    const spans = trace.spans.map((span) => ({ ...span, status: 'unset' as const }));
    const good: Trace = { ...trace, failed: false, spans };
    expect(asked(good)).toMatchObject({ symptom: 'slow', node: 'function:checkout' });
    const unnamed = { ...good, spans: spans.map((span) => ({ ...span, resource: {} })) };
    expect(asked(unnamed)).toMatchObject({ symptom: 'slow', q: trace.rootService });
    expect(doubtOf({ ...trace, failed: false, spans: [] })).toBeNull();
  });
});
