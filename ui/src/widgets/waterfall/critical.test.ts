import { describe, expect, it } from 'vitest';
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

describe('the path to the end of one span', () => {
  it.each([
    ['is its own time where nothing is below', ['a 0+10'], 'a 0-10'],
    [
      'goes through steps one after another',
      ['a 0+10', 'b<a 1+3', 'c<a 5+4'],
      'a 0-1, b 1-4, a 4-5, c 5-9, a 9-10',
    ],
    [
      'takes the one that ended last of two at once',
      ['a 0+10', 'b<a 1+3', 'c<a 1+8'],
      'a 0-1, c 1-9, a 9-10',
    ],
    ['descends', ['a 0+10', 'b<a 1+8', 'c<b 2+6'], 'a 0-1, b 1-2, c 2-8, b 8-9, a 9-10'],
    [
      'ends with the caller where the callee still tidies up',
      ['a 0+10', 'b<a 2+6', 'c<b 3+7 invoke', 'd<c 4+3'],
      'a 0-2, b 2-3, c 3-4, d 4-7, c 7-8, a 8-10',
    ],
    [
      'leaves out what ran beside it',
      ['a 0+10', 'b<a 1+4', 'c<a 3+6', 'd<a 0+1'],
      'd 0-1, a 1-3, c 3-9, a 9-10',
    ],
    ['is nothing where nothing is', [], ''],
  ])('%s', (_, spans, expected) => {
    expect(path(tree(...spans), 'answer')).toBe(expected);
    expect(path(tree(...spans), 'end')).toBe(expected);
  });

  it('has the start of an environment that was waited for, and none of long before', () => {
    const spans = ['a 0+20', 'b<a 2+16', 'f<b 10+7 invoke', 'init<f 4+5 platform'];
    expect(path(tree(...spans))).toBe(
      'a 0-2, b 2-4, init 4-9, (f 9-10), f 10-17, b 17-18, a 18-20',
    );
    expect(path(tree('f 10+7 invoke', 'init<f 4+5 platform'))).toBe('init 4-9, (f 9-10), f 10-17');
    expect(path(tree('a 4+10', 'f<a 6+7 invoke', 'init<f 1+2 platform'))).toBe(
      'a 4-6, f 6-13, a 13-14',
    );
  });

  it('goes into what the function did, not into the phase that lasts as long', () => {
    const spans = [
      'f 0+20 invoke',
      'latency<f 1+17 platform',
      'handler<f 2+15',
      'overhead<f 18+2 platform',
    ];
    expect(path(tree(...spans))).toBe('f 0-2, handler 2-17, f 17-18, overhead 18-20');
    expect(path(tree('f 0+20 invoke', 'latency<f 1+17 platform'))).toBe(
      'f 0-1, latency 1-18, f 18-20',
    );
  });
});

describe('what goes on after the answer', () => {
  const order = [
    'api 0+10',
    'send<api 4+2',
    'queue<send 6+30 waited',
    'mail<queue 36+20 asynchronous',
    'smtp<mail 40+15',
    'pay<api 1+2',
  ];

  it('is no part of the way to the answer', () => {
    expect(path(tree(...order), 'answer')).toBe('api 0-1, pay 1-3, api 3-4, send 4-6, api 6-10');
  });

  it('is the way to the end, through what waited in a service', () => {
    expect(path(tree(...order), 'end')).toBe(
      'api 0-1, pay 1-3, api 3-4, send 4-6, (queue 6-36), mail 36-40, smtp 40-55, mail 55-56',
    );
    expect(goesOnAfterAnswer(tree(...order))).toBe(true);
    expect(goesOnAfterAnswer(tree('a 0+100', 'b<a 99+3 asynchronous'))).toBe(false);
  });

  it('waits between caller and callee where nothing else is known', () => {
    expect(path(tree('a 0+5', 'b<a 9+4 asynchronous'))).toBe('a 0-5, (b 5-9), b 9-13');
  });

  it('goes back through an earlier attempt', () => {
    const spans = ['a 0+2', 'try1<a 3+2 asynchronous', 'try2<a 9+1 asynchronous'];
    expect(path(tree(...spans))).toBe('a 0-2, (try1 2-3), try1 3-5, (try2 5-9), try2 9-10');
  });

  it('begins with whom a request came through', () => {
    const spans = ['gate 0+2 api', 'f<gate 2+8 invoke', 'late<f 5+20 asynchronous'];
    expect(path(tree(...spans), 'answer')).toBe('(gate 0-2), f 2-10');
  });
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
