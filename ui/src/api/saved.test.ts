import { expect, test } from 'vitest';
import { err, ok } from '../base/result';
import type { Answer } from './client';
import type { Saved, SavedQuery } from './model';
import { freeName, SavedStore } from './saved.svelte';

const of = (name: string): SavedQuery => ({ name, sql: `select '${name}'` });

class FakeApi {
  queries: readonly SavedQuery[] = [of('first')];
  edition = 1;
  refusal: { readonly code: string; readonly message: string } | null = null;
  puts = 0;
  /** What somebody else does before the next change arrives. */
  meanwhile: (() => void) | null = null;

  saved = (): Answer<Saved> =>
    Promise.resolve(ok({ queries: this.queries, edition: String(this.edition) }));

  setSaved = (queries: readonly SavedQuery[], edition: string): Answer<Saved> => {
    this.puts += 1;
    this.meanwhile?.();
    this.meanwhile = null;
    if (this.refusal !== null)
      return Promise.resolve(err({ kind: 'refused', status: 400, ...this.refusal }));
    if (edition !== String(this.edition)) {
      const changed = { code: 'TL0221', message: 'changed meanwhile' };
      return Promise.resolve(err({ kind: 'refused', status: 409, ...changed }));
    }
    this.queries = queries;
    this.edition += 1;
    return this.saved();
  };

  get names(): readonly string[] {
    return this.queries.map(({ name }) => name);
  }

  another(name: string): void {
    this.queries = [...this.queries, of(name)];
    this.edition += 1;
  }
}

test('questions are kept, renamed, removed and put back where they were', async () => {
  const api = new FakeApi();
  const store = new SavedStore(api);
  expect(await store.keep(of('second'))).toBe(true);
  await store.keep(of('third'));
  expect(store.queries.map(({ name }) => name)).toEqual(['third', 'second', 'first']);
  await store.rename('second', '2nd');
  await store.remove('2nd');
  expect([api.names, store.removed?.name]).toEqual([['third', 'first'], '2nd']);
  await store.putBack();
  expect([api.names, store.removed]).toEqual([['third', '2nd', 'first'], null]);
});

test('what somebody else has kept meanwhile stays', async () => {
  const api = new FakeApi();
  const store = new SavedStore(api);
  await store.load();
  api.meanwhile = () => api.another('theirs');
  expect(await store.keep(of('mine'))).toBe(true);
  expect(api.names).toEqual(['mine', 'first', 'theirs']);
  expect([api.puts, store.refusal]).toEqual([2, null]);
});

test('what is refused is said, and nothing is changed', async () => {
  const api = new FakeApi();
  const store = new SavedStore(api);
  await store.load();
  api.refusal = { code: 'TL0218', message: 'the alert "x" follows "first"' };
  expect(await store.remove('first')).toBe(false);
  expect([store.refusal?.kind, store.removed, store.queries.length]).toEqual(['refused', null, 1]);
  api.refusal = null;
  expect(await store.remove('first')).toBe(true);
  expect(store.refusal).toBeNull();
});

test('it is not tried for ever', async () => {
  const api = new FakeApi();
  const store = new SavedStore(api);
  await store.load();
  api.refusal = { code: 'TL0221', message: 'changed meanwhile' };
  expect(await store.keep(of('mine'))).toBe(false);
  expect(api.puts).toBe(4);
});

test('a name that is taken is numbered, and no longer than it may be', () => {
  expect(freeName(' errors ', [])).toBe('errors');
  expect(freeName('errors', [of('errors'), of('errors 2')])).toBe('errors 3');
  const long = 'x'.repeat(120);
  expect(freeName(long, [of(long)])).toBe(`${'x'.repeat(118)} 2`);
});
