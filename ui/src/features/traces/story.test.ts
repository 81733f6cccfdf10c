import { describe, expect, it } from 'vitest';
import checkout from '../../../fixtures/checkout.json';
import { decodeTrace } from '../../api/decode';
import type { Trace } from '../../api/model';
import type { WireTrace } from '../../api/wire';
import { failedIn, formatUsd, jsonOf, storyWords, titleOf } from './story';
import { joinWords, kindWords, waterfallSpans } from './waterfall';

const trace = decodeTrace(checkout as unknown as WireTrace);

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
    const words = storyWords(trace).join(', ');
    expect(words).toMatch(/^26 steps across 3 functions, /);
    expect(words).toMatch(/failed in inventory/);
    expect(words).not.toContain('$');
  });

  it('the answer and the end are two times when something goes on after it', () => {
    const longer = { ...trace, duration: (trace.duration * 3n) as typeof trace.duration };
    expect(storyWords(longer).join()).toMatch(/until the answer,.*until the end/);
  });

  it('waiting counts once where two wait at the same time', () => {
    const waiting = {
      inferred: true,
      duration: 60_000_000n as Trace['duration'],
      start: trace.start,
    };
    const words = storyWords(changed({ 1: waiting, 2: waiting })).join();
    expect(words).toContain('waited 60.0\u202fms in services between');
  });

  it('says what it cost, and of how many that is not known', () => {
    const cost = { usd: 0.00001312, reported: 3, missing: 2 };
    const words = storyWords({ ...trace, cost, traceIds: ['a', 'b'] });
    expect(words).toContain('$0.0000131 and 2 not reported');
    expect(words).toContain('2 traces joined');
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
