import { describe, expect, it } from 'vitest';
import type { Bounds } from '../../base/range';
import { unixNanosFromMillis } from '../../base/time';
import { START, type Draft } from './draft';
import { chosenHref, chosenWords, selectionOf, timeOf, type Chosen } from './selection';

const BEGIN = 1_795_305_600;
const BOUNDS: Bounds = {
  from: unixNanosFromMillis(BEGIN * 1000),
  to: unixNanosFromMillis((BEGIN + 3600) * 1000),
};
const ERRORS: Chosen = { of: 'errors' };
const RECTANGLE: Chosen = {
  of: 'rectangle',
  column: 'duration_ms',
  box: { from: BEGIN + 60, to: BEGIN + 120, above: 4, upTo: 8 },
};
const GROUP: Chosen = {
  of: 'group',
  filters: [
    { column: 'service', op: '=', value: 'pay' },
    { column: 'faas.coldstart', op: '=', value: true },
    { column: 'card', op: 'does-not-exist' },
  ],
};
const STRETCH: Chosen = {
  of: 'stretch',
  calculation: 'P99(duration_ms)',
  from: BEGIN + 600,
  to: BEGIN + 1200,
};

describe('what is chosen', () => {
  it('is some of the rows', () => {
    expect(selectionOf(ERRORS, 'spans').filters).toEqual([
      { column: 'status', op: '=', value: 'error' },
    ]);
    expect(selectionOf(RECTANGLE, 'spans')).toEqual({
      filters: [
        { column: 'duration_ms', op: '>', value: 4 },
        { column: 'duration_ms', op: '<=', value: 8 },
      ],
      from: BEGIN + 60,
      to: BEGIN + 120,
    });
    expect(selectionOf(GROUP, 'spans')).toEqual({ filters: GROUP.filters, from: null, to: null });
    expect(selectionOf(STRETCH, 'spans')).toEqual({
      filters: [],
      from: BEGIN + 600,
      to: BEGIN + 1200,
    });
  });

  it('has words', () => {
    expect(chosenWords(ERRORS, 'spans')).toBe('spans that failed');
    expect(chosenWords(GROUP, 'spans')).toBe(
      'service = pay and faas.coldstart = true and card does-not-exist',
    );
    const clocks = String.raw`\d\d:\d\d:00 to \d\d:\d\d:00`;
    expect(chosenWords(RECTANGLE, 'spans')).toMatch(
      new RegExp(`^duration_ms from 4 to 8, ${clocks}$`),
    );
    expect(chosenWords(STRETCH, 'spans')).toMatch(new RegExp(`^${clocks}$`));
  });

  it('of lines, errors are those of their level', () => {
    expect(selectionOf(ERRORS, 'logs')).toEqual({
      filters: [{ column: 'severity_number', op: '>=', value: 17 }],
      from: null,
      to: null,
    });
    expect(chosenWords(ERRORS, 'logs')).toBe('lines of errors');
    expect(selectionOf(GROUP, 'logs')).toEqual(selectionOf(GROUP, 'spans'));
  });

  it('has a time of its own, or that of the question', () => {
    expect([timeOf(ERRORS), timeOf(GROUP)]).toEqual([null, null]);
    expect(timeOf(STRETCH)).toEqual({
      from: unixNanosFromMillis((BEGIN + 600) * 1000),
      to: unixNanosFromMillis((BEGIN + 1200) * 1000),
    });
  });

  it.each<[string, Chosen, Partial<Draft>, string]>([
    ['errors', ERRORS, {}, 'symptom=error&from=2026-11-22T00:00'],
    ['a rectangle', RECTANGLE, {}, 'symptom=slow&from=2026-11-22T00:01'],
    ['a group', GROUP, {}, 'q=pay&symptom=cold_start&from=2026-11-22T00:00'],
    ['a stretch', STRETCH, {}, 'symptom=slow&from=2026-11-22T00:10'],
    [
      'a group, of a question about somebody',
      { of: 'group', filters: [{ column: 'name', op: '=', value: 'GET' }] },
      { filters: [{ column: 'faas.name', op: '=', value: 'pay' }] },
      'node=function:pay&from=2026-11-22T00:00',
    ],
    [
      'a group, where one of several conditions holds',
      GROUP,
      {
        any: true,
        filters: [
          { column: 'faas.name', op: '=', value: 'order' },
          { column: 'status', op: '=', value: 'error' },
        ],
      },
      'q=pay&symptom=cold_start&from=2026-11-22T00:00',
    ],
  ])('leads to why it was so: %s', (_, chosen, draft, begins) => {
    const href = decodeURIComponent(chosenHref(chosen, { ...START, ...draft }, BOUNDS));
    expect(href.slice(0, '/investigate?'.length + begins.length)).toBe(`/investigate?${begins}`);
  });
});
