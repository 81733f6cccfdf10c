import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import fixture from '../../../fixtures/checkout.json';
import type { Api, TraceQuery } from '../../api/client';
import { decodeTrace } from '../../api/decode';
import type { ApiError } from '../../api/error';
import type { Trace, TracePage, TraceSummary } from '../../api/model';
import type { WireTrace } from '../../api/wire';
import type { PollPlace } from '../../base/poll';
import { err, ok, type Result } from '../../base/result';
import { unixNanosFromMillis } from '../../base/time';
import { NO_FILTERS } from './filters';
import { TraceListStore } from './list.svelte';
import { TraceStore } from './trace.svelte';

const trace = decodeTrace(fixture as unknown as WireTrace);
const DOWN: Result<never, ApiError> = err({ kind: 'unreachable', detail: 'down' });
const visible: PollPlace = { hidden: () => false, onVisibility: () => () => {} };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server that answers with whatever the test puts here. */
class FakeApi implements Pick<Api, 'traces' | 'trace' | 'services'> {
  page: Result<TracePage, ApiError> = DOWN;
  whole: Result<Trace, ApiError> = DOWN;
  asked: TraceQuery[] = [];
  traces = (query: TraceQuery): Promise<Result<TracePage, ApiError>> => {
    this.asked.push(query);
    return Promise.resolve(this.page);
  };
  trace = (): Promise<Result<Trace, ApiError>> => Promise.resolve(this.whole);
  services = (): Promise<Result<never[], ApiError>> => Promise.resolve(ok([]));
}

function pageOf(
  ids: readonly string[],
  nextCursor: string | null = null,
): Result<TracePage, ApiError> {
  const traces = ids.map((traceId): TraceSummary => ({ ...trace, traceId }));
  return ok({ traces, total: ids.length, truncated: false, nextCursor });
}

const round = (): Promise<unknown> => vi.advanceTimersByTimeAsync(2_000);
const shown = (store: TraceListStore): string =>
  `${store.remote.state}: ${(store.listed?.traces ?? []).map((each) => each.traceId).join(' ')}`;

describe('the list', () => {
  async function started(api: FakeApi): Promise<TraceListStore> {
    const store = new TraceListStore(api, NO_FILTERS, visible);
    store.start();
    await vi.advanceTimersByTimeAsync(0);
    return store;
  }

  it('follows the server and keeps what it had when that fails', async () => {
    const api = new FakeApi();
    api.page = pageOf(['a']);
    const store = await started(api);
    expect(shown(store)).toBe('ready: a');
    api.page = pageOf(['b', 'a']);
    await round();
    expect(shown(store)).toBe('ready: b a');
    api.page = DOWN;
    await round();
    expect(shown(store)).toBe('failed: b a');
    api.page = pageOf(['c', 'b', 'a']);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(shown(store)).toBe('ready: c b a');
  });

  it('moves nothing while the reader is on it', async () => {
    const api = new FakeApi();
    api.page = pageOf(['a']);
    const store = await started(api);
    store.hold('pointer', true);
    store.hold('focus', true);
    api.page = pageOf(['c', 'b', 'a']);
    await round();
    expect([shown(store), store.waiting]).toEqual(['ready: a', 2]);
    store.hold('pointer', false);
    await round();
    expect([shown(store), store.waiting]).toEqual(['ready: a', 2]);
    store.hold('focus', false);
    await round();
    expect([shown(store), store.waiting]).toEqual(['ready: c b a', 0]);
  });

  it('shows what waits when asked to', async () => {
    const api = new FakeApi();
    api.page = pageOf(['a']);
    const store = await started(api);
    store.hold('pointer', true);
    api.page = pageOf(['b', 'a']);
    await round();
    store.showFresh();
    await vi.advanceTimersByTimeAsync(0);
    expect([shown(store), store.waiting]).toEqual(['ready: b a', 0]);
  });

  it('asks nothing while paused', async () => {
    const api = new FakeApi();
    api.page = pageOf(['a']);
    const store = await started(api);
    store.pause(true);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(api.asked).toHaveLength(1);
    store.pause(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(api.asked).toHaveLength(2);
  });

  it('never shows the traces of other filters', async () => {
    const api = new FakeApi();
    api.page = pageOf(['a']);
    const store = await started(api);
    store.filter({ ...NO_FILTERS, status: 'error' });
    expect(shown(store)).toBe('loading: ');
    await vi.advanceTimersByTimeAsync(0);
    expect(api.asked.at(-1)?.status).toBe('error');
    store.filter({ ...NO_FILTERS, status: 'error' });
    expect(api.asked).toHaveLength(2);
  });

  it('loads older pages by cursor, and says when that fails', async () => {
    const api = new FakeApi();
    api.page = pageOf(['b', 'a'], 'older');
    const store = await started(api);
    api.page = DOWN;
    await store.loadMore();
    expect([shown(store), store.moreError?.kind]).toEqual(['ready: b a', 'unreachable']);
    api.page = pageOf(['z']);
    await store.loadMore();
    expect(api.asked.at(-1)?.cursor).toBe('older');
    expect([shown(store), store.moreError]).toEqual(['ready: b a z', null]);
    await store.loadMore();
    expect(api.asked).toHaveLength(3);
  });
});

describe('a trace', () => {
  const fresh = { ...trace, start: unixNanosFromMillis(Date.now()) };

  async function started(api: FakeApi): Promise<TraceStore> {
    const store = new TraceStore(api, trace.traceId, visible);
    store.start();
    await vi.advanceTimersByTimeAsync(0);
    return store;
  }

  it('takes in late spans while it is young, then rests', async () => {
    const api = new FakeApi();
    vi.setSystemTime(Number(fresh.start / 1_000_000n));
    api.whole = ok({ ...fresh, spans: fresh.spans.slice(0, 5) });
    const store = await started(api);
    expect([store.trace?.spans.length, store.settled]).toEqual([5, false]);
    api.whole = ok(fresh);
    await round();
    expect(store.trace?.spans.length).toBe(trace.spans.length);
    const held = store.trace;
    api.whole = ok({ ...fresh });
    await round();
    expect(store.trace).toBe(held);
    await vi.advanceTimersByTimeAsync(70_000);
    expect(store.settled).toBe(true);
    api.whole = DOWN;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.remote.state).toBe('ready');
  });

  it('keeps what it had when the server goes away', async () => {
    const api = new FakeApi();
    vi.setSystemTime(Number(fresh.start / 1_000_000n));
    api.whole = ok(fresh);
    const store = await started(api);
    api.whole = DOWN;
    await round();
    expect([store.remote.state, store.trace]).toEqual(['failed', fresh]);
  });

  it.each([
    [404, 3],
    [400, 1],
  ])('after a %d it asks %d times in ten seconds', async (status, times) => {
    const api = new FakeApi();
    api.whole = err({ kind: 'refused', status, code: 'TL', message: 'no' });
    const ask = vi.spyOn(api, 'trace');
    await started(api);
    await vi.advanceTimersByTimeAsync(13_000);
    expect(ask).toHaveBeenCalledTimes(times);
  });
});
