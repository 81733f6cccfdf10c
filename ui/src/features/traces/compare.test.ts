import { describe, expect, it } from 'vitest';
import type { TraceSummary } from '../../api/model';
import { err, ok } from '../../base/result';
import type { DurationNanos, UnixNanos } from '../../base/time';
import { buildTree, type Tree } from '../../widgets/waterfall/tree';
import { causesOf, compareSteps, compareWords, sameKind, typicalOf } from './compare';
import { CompareStore } from './compare.svelte';
import { formatDifference } from './difference';

/** `id<parent start+duration name`, an exclamation mark for a failure. */
function tree(...spans: string[]): Tree {
  return buildTree(
    spans.map((text) => {
      const match = /^(\w+)(?:<(\w+))? (\d+)\+(\d+) (\w+)( !)?$/.exec(text);
      if (!match) throw new Error(`not a span: ${text}`);
      const [, id = '', parentId, start = '', duration = '', name = '', failed] = match;
      return {
        id,
        parentId: parentId ?? null,
        name,
        service: 's',
        start: BigInt(start) as UnixNanos,
        duration: BigInt(duration) as DurationNanos,
        phase: 'code',
        failed: failed !== undefined,
        coldStart: false,
        marks: [],
      };
    }),
  );
}

function draw(here: Tree, there: Tree): string[] {
  return compareSteps(here, there).map(({ depth, name, here: mine, there: theirs, more }) => {
    const told = (share: typeof mine): string =>
      share === null ? '-' : `${share.count}×${share.duration}${share.failed > 0 ? '!' : ''}`;
    return `${'  '.repeat(depth)}${name} ${told(mine)} ${told(theirs)} ${more}`;
  });
}

const here = tree(
  'a 100+50 order',
  'b<a 101+5 read',
  'c<a 107+7 read !',
  'd<c 108+2 dns',
  'e<a 120+20 pay',
);
const there = tree('a 900+40 order', 'b<a 901+4 read', 'f<a 906+3 cache', 'e<a 910+20 pay');

describe('steps', () => {
  it('are aligned by the way to them, in the order in which they began', () => {
    expect(draw(here, there)).toEqual([
      'order 1×50 1×40 10',
      '  read 2×12! 1×4 8',
      '    dns 1×2 - 2',
      '  cache - 1×3 -3',
      '  pay 1×20 1×20 0',
    ]);
  });

  it('of the same trace differ in nothing', () => {
    const steps = compareSteps(here, here);
    expect(steps.every((step) => step.more === 0n && step.moreOwn === 0n)).toBe(true);
    expect(compareWords(here, here, steps)).toBe('Both took as long, with the same steps.');
    expect(causesOf(steps)).toEqual([]);
  });

  it('in words, and what made most of the difference', () => {
    const steps = compareSteps(here, there);
    expect(compareWords(here, there, steps)).toBe(
      'This one took 10\u202fns longer; 1 step is only here, 1 only there.',
    );
    expect(compareWords(there, here, compareSteps(there, here))).toMatch(/took 10\u202fns less/);
    expect(causesOf(steps).map(({ name, moreOwn }) => `${name} ${moreOwn}`)).toEqual([
      'read 6',
      'order 5',
      'cache -3',
    ]);
  });

  it('of nothing are none', () => {
    expect(draw(tree(), tree())).toEqual([]);
    expect(draw(tree(), there)).toHaveLength(4);
  });

  it.each([
    [5, '+5\u202fns'],
    [-5, '−5\u202fns'],
    [0, '0\u202fms'],
  ])('%d more is %s', (more, text) => {
    expect(formatDifference(BigInt(more) as DurationNanos)).toBe(text);
  });
});

const summary = (id: string, duration: number, rootName = 'order'): TraceSummary => ({
  traceId: id,
  rootService: 'shop',
  rootName,
  start: 1n as UnixNanos,
  duration: BigInt(duration) as DurationNanos,
  spanCount: 1,
  errorCount: 0,
  coldStartCount: 0,
  failed: false,
  services: [],
});

describe('the typical trace', () => {
  it.each([
    [[], undefined],
    [[7], '7'],
    [[9, 1], '1'],
    [[9, 1, 5], '5'],
    [[100, 2, 3, 4], '3'],
  ])('of %j is %s', (durations, id) => {
    expect(typicalOf(durations.map((each) => summary(String(each), each)))?.traceId).toBe(id);
  });

  it('is of the same kind, at most fifty back, and never the trace itself', () => {
    const others = Array.from({ length: 60 }, (_, at) => summary(`t${at}`, at));
    const found = sameKind(summary('t3', 3), [summary('x', 1, 'other'), ...others]);
    expect(found).toHaveLength(50);
    expect(found.some(({ traceId }) => traceId === 't3' || traceId === 'x')).toBe(false);
  });
});

describe('the store', () => {
  it('asks once for others of the kind, and for the chosen one', async () => {
    const asked: string[] = [];
    const store = new CompareStore({
      traces: async (query) => {
        asked.push(`${query.service} ${query.operation}`);
        const traces = [summary('a', 5), summary('b', 7), summary('c', 9)];
        return ok({ traces, total: 3, truncated: false, nextCursor: null });
      },
      trace: async (id) => {
        asked.push(id);
        return err({ kind: 'unreachable', detail: '' });
      },
    });
    await store.look(summary('b', 7));
    await store.look(summary('b', 8));
    expect(store.typical?.traceId).toBe('a');
    await store.choose('a');
    expect(store.other.state).toBe('failed');
    await store.choose('a');
    expect(asked).toEqual(['shop order', 'a', 'a']);
  });

  it('has nobody to ask for while only logs have arrived', async () => {
    const refuse = (): never => {
      throw new Error('asked');
    };
    const store = new CompareStore({ traces: refuse, trace: refuse });
    await store.look({ ...summary('a', 1), rootService: null, rootName: null });
    expect(store.others.state).toBe('idle');
  });
});
