import { expect, test } from 'vitest';
import type { ApiError } from '../../api/error';
import type { Alerts, AlertSettings } from '../../api/model';
import { err, ok, type Result } from '../../base/result';
import { AlertsStore } from './alerts.svelte';
import { FAILURES, withAlert } from './edit';

/** A server that keeps settings, or refuses them. */
class FakeApi {
  settings: AlertSettings = { objectives: [], alerts: [] };
  refusal = '';

  answer(): Result<Alerts, ApiError> {
    return ok({ settings: structuredClone(this.settings), objectives: [], alerts: [] });
  }
  alerts = () => Promise.resolve(this.answer());
  setAlerts = (settings: AlertSettings) => {
    const { refusal: message } = this;
    if (message !== '') {
      const error = { kind: 'refused', status: 400, code: 'TL0218', message } as const;
      return Promise.resolve(err(error));
    }
    this.settings = settings;
    return Promise.resolve(this.answer());
  };
  keys = () => Promise.resolve(ok([]));
  values = () => Promise.resolve(ok([]));
}

async function begun(): Promise<{ api: FakeApi; store: AlertsStore }> {
  const api = new FakeApi();
  const store = new AlertsStore(api);
  await store.load();
  store.draft.change(withAlert(api.settings, FAILURES));
  return { api, store };
}

test('what is refused is said of its places', async () => {
  const { api, store } = await begun();
  api.refusal = 'alerts[0].query: there is no column x; objectives: there are 51 of them';
  await store.save();
  expect(store.draft.problems.map(({ place }) => place)).toEqual(['alerts[0].query', 'objectives']);
  api.refusal = 'the disk is full';
  await store.save();
  expect([store.draft.problems, store.refusal?.kind]).toEqual([[], 'refused']);
  api.refusal = '';
  await store.save();
  expect([store.draft.isSaved, api.settings.alerts?.length]).toEqual([true, 1]);
});

test('what somebody else has set meanwhile is not overwritten', async () => {
  const { api, store } = await begun();
  api.settings = withAlert({ ...api.settings, objectives: [] }, { query: { dataset: 'logs' } });
  api.settings = { ...api.settings, alerts: [{ ...api.settings.alerts![0]!, name: 'theirs' }] };
  await store.save();
  expect(store.draft.conflict).toEqual([{ field: 'alerts', name: 'theirs', how: 'added' }]);
  expect(api.settings.alerts?.map(({ name }) => name)).toEqual(['theirs']);
  store.draft.merge();
  await store.save();
  expect(api.settings.alerts?.map(({ name }) => name)).toEqual(['theirs', 'new alert']);
});

test('standings are asked for anew without touching what is edited', async () => {
  const { store } = await begun();
  await store.load();
  expect([store.draft.isChanged, store.draft.conflict]).toEqual([true, null]);
});
