import { describe, expect, it } from 'vitest';
import cases from '../../../fixtures/critical.json';
import type { DurationNanos, UnixNanos } from '../../base/time';
import {
  contributionsOf,
  criticalPath,
  goesOnAfterAnswer,
  partsOfRow,
  timeOnPath,
  type PathEnd,
} from './critical';
import { buildTree, type Tree, type WaterfallSpan } from './tree';

const ENDS: readonly PathEnd[] = ['answer', 'end'];
const LOOKS: Readonly<Record<string, Partial<WaterfallSpan>>> = {
  '': {},
  asynchronous: { asynchronous: true },
  waited: { asynchronous: true, waiting: true },
  api: { waiting: true },
  invoke: { phase: 'invoke' },
  platform: { phase: 'platform' },
};

/** `id<parent start+duration looks`. */
function tree(...spans: string[]): Tree {
  return buildTree(
    spans.map((text) => {
      const match = /^(\w+)(?:<(\w+))? (\d+)\+(\d+) ?(\w*)$/.exec(text);
      if (!match) throw new Error(`not a span: ${text}`);
      const [, id = '', parentId, start = '', duration = '', looks = ''] = match;
      return {
        id,
        parentId: parentId ?? null,
        name: id.replace(/\d/g, ''),
        service: 'service',
        start: BigInt(start) as UnixNanos,
        duration: BigInt(duration) as DurationNanos,
        phase: 'code',
        failed: false,
        coldStart: false,
        marks: [],
        ...LOOKS[looks],
      };
    }),
  );
}

/** `a 0-10, (b 10-12)`: the parts in order, waits in brackets. */
function path(from: Tree, to: PathEnd = 'end'): string {
  const told = criticalPath(from, to).parts.map((part) => {
    const text = `${from.rows[part.index]!.span.id} ${part.from}-${part.to}`;
    return part.waiting ? `(${text})` : text;
  });
  return told.join(', ');
}

// The server's side walks the same cases: crates/insight/src/critical.
it.each(cases)('$name', ({ to, spans, path: expected }) => {
  for (const end of ENDS) {
    if (to.includes(end)) expect(path(tree(...spans), end)).toBe(expected);
  }
});

it('only what goes on for long after the answer has a path of its own', () => {
  const order = ['api 0+10', 'queue<api 6+30 waited', 'mail<queue 36+20 asynchronous'];
  expect(goesOnAfterAnswer(tree(...order))).toBe(true);
  expect(goesOnAfterAnswer(tree('a 0+100', 'b<a 99+3 asynchronous'))).toBe(false);
});

it('a path has neither gap nor overlap, whatever the spans', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const looks = Object.keys(LOOKS);
  for (let round = 0; round < 300; round += 1) {
    const spans = Array.from({ length: 1 + random(12) }, (_, at) => {
      const parent = at === 0 ? '' : `<s${random(at)}`;
      const look = at === 0 ? '' : looks[random(looks.length)];
      return `s${at}${parent} ${random(50)}+${random(30)} ${look}`.trim();
    });
    for (const to of ['answer', 'end'] as const) {
      const { parts } = criticalPath(tree(...spans), to);
      for (const [at, part] of parts.entries()) {
        expect(part.to > part.from, spans.join(', ')).toBe(true);
        if (at > 0) expect(part.from, spans.join(', ')).toBe(parts[at - 1]!.to);
      }
    }
  }
});

describe('told of a path', () => {
  const spans = ['a 0+20', 'query1<a 1+4', 'query2<a 6+8', 'call<a 15+3', 'deep<call 16+1'];
  const from = tree(...spans);
  const way = criticalPath(from, 'answer');

  it('spans of one name are one contribution, the largest first', () => {
    const told = contributionsOf(from, way).map(
      ({ name, duration, count, share, spanId }) =>
        `${name} ${duration} ×${count} ${share * 100} % ${spanId}`,
    );
    expect(told).toEqual([
      'query 12 ×2 60 % query2',
      'a 5 ×1 25 % a',
      'call 2 ×1 10 % call',
      'deep 1 ×1 5 % deep',
    ]);
  });

  it('a row has its own time and its waits', () => {
    const late = tree('a 0+5', 'b<a 9+4 asynchronous');
    const ended = criticalPath(late, 'end');
    expect(timeOnPath(ended, 1)).toEqual({ own: 4n, waited: 4n });
    expect(timeOnPath(way, 0)).toEqual({ own: 5n, waited: 0n });
    expect(timeOnPath(way, 99)).toEqual({ own: 0n, waited: 0n });
  });

  it('a folded row has the parts of all below it as one', () => {
    const call = from.rows.find((row) => row.span.id === 'call')!;
    expect(partsOfRow(way, call, false).map((part) => part.from)).toEqual([15n, 17n]);
    const [folded, ...more] = partsOfRow(way, call, true);
    expect([folded?.from, folded?.to, more.length]).toEqual([15n, 18n, 0]);
  });
});

it('a chain of a hundred thousand is walked', () => {
  const spans = Array.from(
    { length: 100_000 },
    (_, at) => `s${at}${at > 0 ? `<s${at - 1}` : ''} ${at}+300000`,
  );
  const { parts } = criticalPath(tree(...spans), 'answer');
  expect(parts).toHaveLength(100_000);
});
