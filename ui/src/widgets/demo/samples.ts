import { NANOS_PER_MILLI, type DurationNanos, type UnixNanos } from '../../base/time';
import type { LogLine } from '../waterfall/lines';
import { buildTree, type Phase, type Tree, type WaterfallSpan } from '../waterfall/tree';

const START = 1_795_228_512_000_000_000n;

const at = (millis: number): UnixNanos => (START + BigInt(millis) * NANOS_PER_MILLI) as UnixNanos;

function span(
  id: string,
  parentId: string | null,
  service: string,
  phase: Phase,
  start: number,
  millis: number,
  more: Partial<WaterfallSpan> = {},
): WaterfallSpan {
  const duration = (BigInt(millis) * NANOS_PER_MILLI) as DurationNanos;
  const shape = { failed: false, coldStart: false, marks: [] };
  return { id, parentId, name: id, service, phase, start: at(start), duration, ...shape, ...more };
}

/** One of each kind of row. */
export function sampleTree(): Tree {
  return buildTree([
    span('checkout', null, 'checkout', 'invoke', 0, 400, { coldStart: true }),
    span('init', 'checkout', 'checkout', 'platform', -90, 80),
    span('POST /checkout', 'checkout', 'checkout', 'code', 4, 390, {
      failed: true,
      marks: [
        { time: at(20), level: 'info', text: 'began' },
        { time: at(180), level: 'warn', text: 'slow' },
      ],
    }),
    span('reserve', 'POST /checkout', 'inventory', 'code', 60, 220, {
      failed: true,
      marks: [{ time: at(276), level: 'error', text: 'none left' }],
    }),
    span('render', 'POST /checkout', 'checkout', 'code', 300, 60),
    span('audit.write', 'a span that never came', 'notify', 'code', 330, 140),
  ]);
}

/** A line of each level. */
export function sampleLogs(): readonly LogLine[] {
  const line = (id: string, millis: number, level: LogLine['level'], text: string): LogLine => ({
    id,
    spanId: 'reserve',
    service: 'inventory',
    time: at(millis),
    level,
    text,
  });
  return [
    line('log-1', 70, 'info', 'reserving 2 of teapot-blue'),
    line('log-2', 180, 'warn', 'attempt 1 of 3: 0 left of teapot-blue'),
    line('log-3', 276, 'error', 'reservation failed'),
  ];
}

export const SAMPLE_STACK = `Traceback (most recent call last):
  File "/var/task/handler.py", line 61, in reserve
    reservation = warehouse.reserve(sku, quantity)
                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/var/task/.venv/lib/python3.11/site-packages/tenacity/__init__.py", line 336, in wrapped_f
    return copy(f, *args, **kw)
warehouse.OutOfStock: teapot-blue: 2 wanted, 0 left`;
