import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiError } from '../../api/error';
import type { Table } from '../../api/model';
import type { PollPlace } from '../../base/poll';
import { LAST_HOUR } from '../../base/range';
import { err, ok, type Result } from '../../base/result';
import { unixNanosFromMillis } from '../../base/time';
import { FunctionStore, type FunctionApi } from './function.svelte';

const visible: PollPlace = { hidden: () => false, onVisibility: () => () => {} };
const DOWN: Result<never, ApiError> = err({ kind: 'unreachable', detail: 'down' });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A server on which `rows` are the calls, and nothing else has any. */
class FakeApi implements FunctionApi {
  rows: Table['rows'] = [];
  down = false;
  statements: string[] = [];
  asked: string[] = [];
  sql: FunctionApi['sql'] = (statement) => {
    this.statements.push(statement);
    if (this.down) return Promise.resolve(DOWN);
    const rows = statement.includes("then 'invocation'") ? this.rows : [];
    const cost = { rows: 0, bytes: 0, segments: 0, rollups: 0, elapsed_ms: 0 };
    return Promise.resolve(ok({ columns: [], rows, truncated: false, cost }));
  };
  edges: FunctionApi['edges'] = (stretch) => {
    this.asked.push(
      stretch.function ? `function ${stretch.function}` : `service ${stretch.service}`,
    );
    return Promise.resolve(DOWN);
  };
  advice: FunctionApi['advice'] = (name) => {
    this.asked.push(`advice ${name}`);
    return Promise.resolve(DOWN);
  };
  search: FunctionApi['search'] = () => Promise.resolve(ok([]));
  services: FunctionApi['services'] = () => {
    const seen = { spanCount: 1, errorCount: 0, operations: [], lastSeen: unixNanosFromMillis(9) };
    return Promise.resolve(ok([{ name: 'quiet', ...seen }]));
  };
}

async function started(api: FakeApi, name = 'pay'): Promise<FunctionStore> {
  const store = new FunctionStore(api, name, LAST_HOUR, '', visible);
  store.start();
  await vi.advanceTimersByTimeAsync(0);
  return store;
}

const invocations: Table['rows'] = [[null, 'invocation', 5, 0, 0, 0, 1, 2, 3]];

describe('the store of a function', () => {
  it('asks for the rest once it knows what the name means', async () => {
    const api = new FakeApi();
    api.rows = invocations;
    const store = await started(api);
    expect(store.calls.value?.total.count).toBe(5);
    expect(store.reports.value?.total.usd).toBeNull();
    expect(api.asked).toEqual(['function pay', 'advice pay']);
  });

  it('a service has no reports, and its edges are found by its name', async () => {
    const api = new FakeApi();
    api.rows = [[null, 'service', 5, 0, 0, 0, 1, 2, 3]];
    const store = await started(api);
    expect(api.asked).toEqual(['service pay']);
    expect(store.reports.remote.state).toBe('idle');
    expect(api.statements.some((each) => each.includes('platform.report'))).toBe(false);
  });

  it('looks further back for versions only when it is asked to', async () => {
    const api = new FakeApi();
    api.rows = invocations;
    const store = await started(api);
    const looked = (): number =>
      api.statements.filter((each) => each.includes('min(time) as first from')).length;
    expect(looked()).toBe(0);
    store.lookBack();
    expect(store.firstSeen.remote.state).toBe('loading');
    await vi.advanceTimersByTimeAsync(0);
    expect(store.firstSeen.value).toEqual(new Map());
    await vi.advanceTimersByTimeAsync(30_000);
    expect(looked()).toBe(1);
    api.down = true;
    store.lookBack();
    await vi.advanceTimersByTimeAsync(0);
    expect(store.firstSeen.error).not.toBeNull();
    expect(store.firstSeen.value).toEqual(new Map());
  });

  it('one part that fails leaves the others', async () => {
    const api = new FakeApi();
    api.rows = invocations;
    const store = await started(api);
    expect(store.neighbours.error).toEqual({ kind: 'unreachable', detail: 'down' });
    expect(store.failures.value?.groups).toEqual([]);
  });

  it('says when a name that is silent now was heard of', async () => {
    const store = await started(new FakeApi(), 'quiet');
    expect(store.calls.value?.calls).toBeNull();
    expect(store.known.value?.lastSeen).toBe(9_000_000n);
    expect((await started(new FakeApi(), 'nobody')).known.remote).toEqual({
      state: 'ready',
      value: null,
    });
  });

  it('keeps what it had while the server is away', async () => {
    const api = new FakeApi();
    api.rows = invocations;
    const store = await started(api);
    api.down = true;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(store.calls.error).not.toBeNull();
    expect(store.calls.value?.total.count).toBe(5);
  });

  it('another time is another question, and what is shown is stale until it is answered', async () => {
    const api = new FakeApi();
    api.rows = invocations;
    const store = await started(api);
    store.look({ kind: 'last', text: '24h' });
    expect(store.calls.isStale).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.calls.isStale).toBe(false);
    // From the step on in which the day begins.
    const { from, to } = store.bounds!;
    expect(from % 1_800_000_000_000n).toBe(0n);
    expect(Math.floor(Number(to - from) / 3.6e12)).toBe(24);
  });
});
