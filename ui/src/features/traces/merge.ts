/** How a fresh first page joins the list that the reader has before them. */
import type { TracePage, TraceSummary } from '../../api/model';

export interface Listed {
  readonly traces: readonly TraceSummary[];
  readonly total: number;
  readonly truncated: boolean;
  readonly nextCursor: string | null;
}

/** `hold`: the reader's pointer or focus is on the list, so no row may move. */
export type Motion = 'flow' | 'hold';

export interface Merged {
  readonly listed: Listed;
  /** Fresh traces that are not shown yet, because nothing may move. */
  readonly waiting: number;
}

export function mergeFresh(shown: Listed | null, fresh: TracePage, motion: Motion): Merged {
  if (shown === null || shown.traces.length === 0) return { listed: fresh, waiting: 0 };
  if (motion === 'hold') return held(shown, fresh);
  return { listed: flowed(shown, fresh), waiting: 0 };
}

/** Adds a page that was asked for with `shown.nextCursor`. */
export function appendPage(shown: Listed, page: TracePage): Listed {
  const known = new Set(shown.traces.map((trace) => trace.traceId));
  return {
    traces: [...shown.traces, ...page.traces.filter((trace) => !known.has(trace.traceId))],
    // A later page counts only from itself on.
    total: shown.total,
    truncated: shown.truncated,
    nextCursor: page.nextCursor,
  };
}

function held(shown: Listed, fresh: TracePage): Merged {
  const byId = new Map(fresh.traces.map((trace) => [trace.traceId, trace]));
  const known = new Set(shown.traces.map((trace) => trace.traceId));
  return {
    listed: {
      ...shown,
      // Traces grow while their late spans arrive: same row, newer content.
      traces: shown.traces.map((trace) => byId.get(trace.traceId) ?? trace),
      total: fresh.total,
      truncated: fresh.truncated,
    },
    waiting: fresh.traces.filter((trace) => !known.has(trace.traceId)).length,
  };
}

function flowed(shown: Listed, fresh: TracePage): Listed {
  // A first page that is also the last one is the whole list.
  if (fresh.nextCursor === null) return fresh;
  const freshIds = new Set(fresh.traces.map((trace) => trace.traceId));
  const touches = shown.traces.some((trace) => freshIds.has(trace.traceId));
  // More than a page came at once: between it and the old rows lies a gap that
  // only the cursor can fill, so the old rows go.
  if (!touches) return fresh;
  const oldest = fresh.traces.at(-1)!.start;
  const tail = shown.traces.filter(
    (trace) => !freshIds.has(trace.traceId) && trace.start <= oldest,
  );
  if (tail.length === 0) return fresh;
  return {
    traces: [...fresh.traces, ...tail],
    total: fresh.total,
    truncated: fresh.truncated,
    nextCursor: shown.nextCursor,
  };
}
