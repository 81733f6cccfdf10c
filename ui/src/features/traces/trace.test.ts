import { describe, expect, it } from 'vitest';
import fixture from '../../../fixtures/checkout.json';
import { decodeTrace } from '../../api/decode';
import type { Log, Span } from '../../api/model';
import type { WireTrace } from '../../api/wire';
import type { UnixNanos } from '../../base/time';
import { buildTree } from '../../widgets/waterfall/tree';
import { failuresOf } from './failures';
import { levelOf, severityWord, textOf } from '../../api/line';
import { groupBySpan, logLine, logsOfSpan, narrowLogs, placeLogs } from './logs';
import { TraceView } from './view.svelte';
import { kindWords, phaseOf, spanMatches, waterfallSpans } from './waterfall';

const trace = decodeTrace(fixture as unknown as WireTrace);
const logs = placeLogs(trace.spans, trace.logs);
const bySpan = groupBySpan(logs);
const tree = buildTree(waterfallSpans(trace, bySpan));

function named(name: string): Span {
  const span = trace.spans.find((each) => each.name === name);
  if (!span) throw new Error(`no span ${name}`);
  return span;
}

const logWith = (part: Partial<Log>): Log => ({ ...trace.logs[0]!, ...part });

describe('a recorded checkout', () => {
  it('is drawn as one story, functions and platform phases in place', () => {
    const rows = tree.rows.map((row) => {
      const { name, phase, coldStart, failed } = row.span;
      const marks = [
        phase === 'code' ? '' : phase,
        coldStart && 'cold',
        failed && 'failed',
        row.orphan && 'orphan',
      ];
      return ['  '.repeat(row.depth) + name, ...marks.filter(Boolean)].join(' · ');
    });
    expect(rows).toEqual([
      'checkout · invoke · cold',
      '  init · platform',
      '  response latency · platform',
      '  POST /checkout · failed',
      '    validate basket',
      '    Lambda.Invoke inventory · failed',
      '      inventory · invoke · cold · failed',
      '        init · platform',
      '        response latency · platform',
      '        reserve · failed',
      '          SELECT stock',
      '          SELECT stock',
      '          SELECT stock',
      '        runtime overhead · platform',
      '    Lambda.Invoke notify',
      '      notify · invoke · cold',
      '        init · platform',
      '        response latency · platform',
      '        send apology',
      '          render template',
      '          POST',
      '        runtime overhead · platform',
      '  response duration · platform',
      '  runtime overhead · platform',
      '  extension overhead · platform',
      'audit.write · orphan',
    ]);
  });

  it('has the depths that the server says', () => {
    const depths = new Map(tree.rows.map((row) => [row.span.id, row.depth]));
    for (const span of fixture.spans) expect(depths.get(span.span_id)).toBe(span.depth);
  });

  it('shows the error with its stack trace, once', () => {
    const span = named('reserve');
    const failures = failuresOf(
      span,
      (bySpan.get(span.spanId) ?? []).map((placed) => placed.log),
    );
    expect(failures).toHaveLength(1);
    expect(failures[0]?.type).toBe('warehouse.OutOfStock');
    expect(failures[0]?.message).toBe('teapot-blue: 2 wanted, 0 left');
    expect(failures[0]?.stack).toContain('File "/var/task/warehouse.py", line 44, in _take');
  });

  it('says what a failed span without exception says', () => {
    expect(failuresOf(named('POST /checkout'), [])).toEqual([
      { type: '', message: 'basket could not be reserved', stack: '', place: null },
    ]);
    expect(failuresOf(named('validate basket'), [])).toEqual([]);
  });
});

describe('logs', () => {
  it('stand in their span, in order of time', () => {
    const placed = logs.map(({ spanId, text }) => {
      const name = trace.spans.find((span) => span.spanId === spanId)?.name;
      return `${name}: ${text.slice(0, 24)}`;
    });
    expect(placed.slice(0, 5)).toEqual([
      'checkout: START RequestId: 660b32a',
      'POST /checkout: checkout of basket b-102',
      'inventory: START RequestId: bee3b48',
      'reserve: reserving',
      'reserve: attempt 1 of 3: 0 left o',
    ]);
    const times = logs.map(({ log }) => log.time);
    expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
  });

  it('are marks on the row of their span, exceptions too', () => {
    const row = tree.rows.find(({ span }) => span.name === 'reserve')!;
    expect(row.span.marks.map((mark) => mark.level).sort()).toEqual([
      'error',
      'error',
      'info',
      'warn',
      'warn',
      'warn',
    ]);
  });

  const invocation = trace.spans.find((span) => phaseOf(span) === 'invoke')!;
  const requestId = invocation.attributes['faas.invocation_id']!;
  it.each([
    ['a span that is here', { spanId: named('reserve').spanId }, named('reserve').spanId],
    [
      'no span, but an invocation',
      { spanId: null, attributes: { 'faas.invocation_id': requestId } },
      invocation.spanId,
    ],
    [
      'a span that is not here, but an invocation',
      { spanId: '0123456789abcdef', attributes: { 'faas.invocation_id': requestId } },
      invocation.spanId,
    ],
    [
      'an invocation of another trace',
      { spanId: null, attributes: { 'faas.invocation_id': 'other' } },
      null,
    ],
    ['nothing', { spanId: null, attributes: {} }, null],
  ])('that name %s', (_, part, spanId) => {
    expect(placeLogs(trace.spans, [logWith(part)])[0]?.spanId).toBe(spanId);
  });

  it.each([
    // Printed by the invocation while the span ran, before and after it.
    ['send apology', ['rendering out-of-stock', 'mail accepted'], 2],
    ['POST', [], 0],
    // An invocation has its own lines, and below it those of its spans.
    ['notify', ['START', 'mail accepted', 'REPORT'], 4],
    ['init', [], 0],
  ])('of %s', (name, meanwhile, withBelow) => {
    const found = logsOfSpan(logs, tree, tree.indexOf.get(named(name).spanId)!);
    expect(found.meanwhile.map(({ text }) => text.replace(/ RequestId.*/s, ''))).toEqual(meanwhile);
    expect(found.withBelow).toHaveLength(withBelow);
  });

  it('whose time was cut to the millisecond still count as printed in the span', () => {
    const mail = named('send apology');
    const invocation = trace.spans.find((span) => span.name === 'notify')!;
    const printed = (offset: bigint): number => {
      const time = (mail.start + offset) as UnixNanos;
      const placed = placeLogs(trace.spans, [logWith({ time, spanId: invocation.spanId })]);
      return logsOfSpan(placed, tree, tree.indexOf.get(mail.spanId)!).meanwhile.length;
    };
    expect([-1_000_001n, -1_000_000n, 0n, mail.duration, mail.duration + 1n].map(printed)).toEqual([
      0, 1, 1, 1, 0,
    ]);
  });

  it('are sorted even if they come unsorted', () => {
    const late = logWith({ time: 9n as UnixNanos, body: 'late' });
    const early = logWith({ time: 3n as UnixNanos, body: 'early' });
    expect(placeLogs([], [late, early]).map(({ text }) => text)).toEqual(['early', 'late']);
  });

  it.each([
    [0, 'info'],
    [9, 'info'],
    [12, 'info'],
    [13, 'warn'],
    [16, 'warn'],
    [17, 'error'],
    [24, 'error'],
  ])('of severity %d count as %s', (severity, level) => {
    expect(levelOf(severity)).toBe(level);
  });

  it.each([
    [{ severityText: 'WARNING', severityNumber: 13 }, 'warning'],
    [{ severityText: '', severityNumber: 0 }, ''],
    [{ severityText: '', severityNumber: 5 }, 'debug'],
    [{ severityText: '', severityNumber: 9 }, 'info'],
    [{ severityText: '', severityNumber: 21 }, 'fatal'],
  ])('have a word for %j', (part, word) => {
    expect(severityWord(logWith(part))).toBe(word);
  });

  it.each([
    ['plain\n', 'plain'],
    [{ message: 'said', level: 'info' }, 'said'],
    [{ errorType: 'E', errorMessage: 'why' }, 'why'],
    [{ a: 1 }, '{"a":1}'],
    [['x'], '["x"]'],
    [42, '42'],
    [null, 'the.event'],
  ])('with the body %j read as %s', (body, text) => {
    expect(textOf(logWith({ body, eventName: 'the.event' }))).toBe(text);
  });

  it('of a runtime client carry its error', () => {
    const body = {
      errorType: 'ValueError',
      errorMessage: 'no',
      stackTrace: ['  File "a.py"', '    x'],
    };
    expect(failuresOf(named('validate basket'), [logWith({ body, attributes: {} })])).toEqual([
      { type: 'ValueError', message: 'no', stack: '  File "a.py"\n    x', place: null },
    ]);
  });
});

it.each([
  ['checkout', 'invocation'],
  ['init', 'platform phase: init'],
  ['POST /checkout', 'server span'],
  ['validate basket', 'internal span'],
])('%s is called %s', (name, words) => {
  expect(kindWords(named(name))).toBe(words);
});

it.each([
  ['', true],
  ['RESERVE', true],
  ['inventory', true],
  ['inventory.sku=teapot', true],
  ['quantity=2', true],
  ['nothing', false],
])('a search for "%s" finds the reservation: %s', (text, found) => {
  expect(spanMatches(named('reserve'), text)).toBe(found);
});

describe('the reader', () => {
  const start = (spanId: string | null = null): TraceView => new TraceView(() => tree, spanId);
  const name = (view: TraceView): string | undefined =>
    tree.rows[tree.indexOf.get(view.cursor ?? '') ?? -1]?.span.name;

  it('moves through what is in sight', () => {
    const view = start();
    const seen: unknown[] = [];
    for (const go of [1, 1, 1, 1, -1, -100, 100]) {
      view.move(go);
      seen.push(name(view));
    }
    expect(seen).toEqual([
      'checkout',
      'init',
      'response latency',
      'POST /checkout',
      'response latency',
      'checkout',
      'audit.write',
    ]);
  });

  it('folds with left and goes up with the next left; right is the way back', () => {
    const view = start(named('reserve').spanId);
    view.left();
    expect([name(view), view.lines.length]).toEqual(['reserve', 23]);
    view.left();
    expect(name(view)).toBe('inventory');
    view.left();
    expect([name(view), view.lines.length]).toEqual(['inventory', 19]);
    view.right();
    expect([name(view), view.lines.length]).toEqual(['inventory', 23]);
    view.right();
    expect(name(view)).toBe('init');
  });

  it('walks over logs that stand between the spans, which belong to their span', () => {
    const lines = logs.map((placed) => logLine(placed));
    const view = new TraceView(
      () => tree,
      named('reserve').spanId,
      () => lines,
    );
    view.move(1);
    expect([view.cursor, name(view)]).toEqual(['log-3', undefined]);
    expect(view.cursorSpan).toBe(named('reserve').spanId);
    view.openCursor();
    expect(view.opened).toBe(named('reserve').spanId);
    view.right();
    expect(view.cursor).toBe('log-3');
    view.left();
    expect(name(view)).toBe('reserve');
    expect(view.lines).toHaveLength(26 + logs.length);
  });

  it('waits for a span that is not here yet', () => {
    expect(start('0123456789abcdef').opened).toBe('0123456789abcdef');
    const nobodys = [logLine({ ...logs[0]!, spanId: null })];
    const view = new TraceView(
      () => buildTree([]),
      null,
      () => nobodys,
    );
    view.showLine('log-0');
    expect([view.cursor, view.opened]).toEqual(['log-0', null]);
  });

  it('narrows logs to one component and to what is bad', () => {
    const count = (service: string, least: 'info' | 'warn' | 'error'): number =>
      narrowLogs(logs, { service, least }).length;
    expect([count('', 'info'), count('', 'warn'), count('', 'error')]).toEqual([15, 5, 2]);
    expect([count('notify', 'info'), count('notify', 'error')]).toEqual([4, 0]);
  });

  it('is lifted to the row that is folded over the cursor', () => {
    const view = start(named('reserve').spanId);
    view.toggle(trace.spans[0]!.spanId);
    expect(name(view)).toBe('checkout');
  });

  it('is taken to where it failed, through whatever is folded', () => {
    const view = start();
    view.toggle(trace.spans[0]!.spanId);
    view.showNextFailure();
    expect([name(view), view.opened]).toEqual(['reserve', view.cursor]);
    view.showNextFailure();
    expect(name(view)).toBe('reserve');
    view.close();
    expect([view.opened, name(view)]).toEqual([null, 'reserve']);
  });

  it('zooms to a span with all that it caused, and back', () => {
    const mail = trace.spans.find((span) => span.name === 'Lambda.Invoke notify')!;
    const view = start(mail.spanId);
    view.zoom();
    expect(view.zoomed).toBe(true);
    expect(view.view.start).toBe(mail.start);
    expect(view.view.end > mail.start + mail.duration).toBe(true);
    view.zoom();
    expect(view.view).toEqual({ start: tree.start, end: tree.end });
  });
});
