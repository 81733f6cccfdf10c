import { expect, test } from 'vitest';
import type { ApiError } from '../../api/error';
import type { Notifications, NotificationSettings } from '../../api/model';
import { err, ok, type Result } from '../../base/result';
import { withMute } from './edit';
import { CHANGED, NotificationsStore } from './notifications.svelte';

const REFUSED = { kind: 'refused', status: 400, code: 'TL0218' } as const;
const mute = { nodes: 'function:pay', kinds: 'latency' };

/** A server that keeps settings, or refuses them. */
class FakeApi {
  settings: NotificationSettings = { environment: 'production', receivers: [] };
  edition = 1;
  refusal: ApiError | null = null;
  sets = 0;

  answer(): Result<Notifications, ApiError> {
    const { settings, edition } = this;
    return ok({ settings, edition: String(edition) } as Notifications);
  }
  notifications = () => Promise.resolve(this.answer());
  setNotifications = (settings: NotificationSettings, edition: string) => {
    this.sets += 1;
    const changed = { ...REFUSED, status: 409, code: CHANGED, message: 'changed' };
    if (this.refusal !== null) return Promise.resolve(err(this.refusal));
    if (edition !== String(this.edition)) return Promise.resolve(err(changed));
    this.settings = settings;
    this.edition += 1;
    return Promise.resolve(this.answer());
  };
  testNotifications = () => Promise.resolve(ok([]));
}

async function begun(): Promise<{ api: FakeApi; store: NotificationsStore }> {
  const api = new FakeApi();
  const store = new NotificationsStore(api);
  await store.load();
  store.draft.change({ ...api.settings, environment: 'staging' });
  return { api, store };
}

test('what is refused is said of its places, and what has no place as a whole', async () => {
  const { api, store } = await begun();
  api.refusal = { ...REFUSED, message: 'public_url: it ends with a slash' };
  await store.save();
  expect(store.draft.problems).toEqual([{ place: 'public_url', why: 'it ends with a slash' }]);
  expect(store.refusal).toBeNull();
  api.refusal = { kind: 'unreachable', detail: 'down' };
  await store.save();
  expect([store.draft.problems, store.refusal]).toEqual([[], api.refusal]);
  api.refusal = null;
  await store.save();
  expect([store.draft.isSaved, store.refusal, api.settings.environment]).toEqual([
    true,
    null,
    'staging',
  ]);
});

test('what cannot be read is not sent', async () => {
  const { api, store } = await begun();
  const receiver = { name: 'a', channel: { type: 'slack' as const }, digest: { minutes: NaN } };
  store.draft.change({ receivers: [receiver] });
  await store.save();
  expect([api.sets, store.draft.problems.length]).toEqual([0, 1]);
});

test('another edition is read and compared, and nothing is lost', async () => {
  const { api, store } = await begun();
  api.settings = { ...api.settings, public_url: 'https://t.example' };
  api.edition = 7;
  await store.save();
  expect(store.draft.conflict).toEqual([{ field: 'public_url', name: '', how: 'changed' }]);
  expect([store.refusal, store.draft.settings?.environment]).toEqual([null, 'staging']);
  store.draft.merge();
  await store.save();
  expect(api.settings).toMatchObject({ public_url: 'https://t.example', environment: 'staging' });
});

test('a mute holds at once, beside what is not saved', async () => {
  const { api, store } = await begun();
  expect(await store.apply((settings) => withMute(settings, mute))).toBe(true);
  expect(api.settings).toMatchObject({ environment: 'production', mutes: [mute] });
  expect(store.draft.conflict).toBeNull();
  expect(store.draft.settings).toMatchObject({ environment: 'staging', mutes: [mute] });
});
