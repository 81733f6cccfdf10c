import { expect, test } from 'vitest';
import type { NotificationSettings } from '../../api/model';
import {
  muteWords,
  peopleOf,
  routesTo,
  settingsOf,
  testWords,
  textOf,
  withMute,
  withoutMute,
} from './words';

const settings: NotificationSettings = {
  receivers: [{ name: 'a', channel: { type: 'slack' } }],
  routes: [
    { name: 'all', receivers: ['a'] },
    { name: 'pay', receivers: ['a'], severity: 'critical', nodes: ['function:pay*'] },
    { name: 'other', receivers: [] },
  ],
};
const mute = { nodes: 'function:pay', kinds: 'latency' };

test('what is edited is what was shown', () => {
  expect(settingsOf(textOf(settings))).toEqual({ settings });
  expect(settingsOf('{')).toHaveProperty('wrong');
});

test('a mute is there once, and goes', () => {
  const muted = withMute(settings, mute);
  expect(withMute(muted, { ...mute, reason: 'noise' })).toBe(muted);
  expect(muted.mutes).toEqual([mute]);
  expect(withoutMute(muted, 0).mutes).toEqual([]);
  const own = { ...mute, person: 'a' };
  expect(withMute(muted, own).mutes).toEqual([mute, own]);
});

test('a mute says whom it is for, until when and why', () => {
  const until = Date.UTC(2026, 10, 22, 14, 2) * 1e6;
  expect(muteWords({ ...mute, person: 'a', until_unix_nanos: until, reason: 'noise' })).toMatch(
    /^for a · until 2026-11-2\d \d\d:\d\d · noise$/,
  );
  expect(muteWords({ ...mute, person: null, until_unix_nanos: null })).toBe('');
});

test('receivers and mail addresses can be left alone', () => {
  const mail = { type: 'email' as const, to: ['ada@example.com', 'a'] };
  const receivers = [...(settings.receivers ?? []), { name: 'm', channel: mail }];
  expect(peopleOf({ ...settings, receivers })).toEqual(['a', 'm', 'ada@example.com']);
});

test('a receiver says which routes lead to it', () => {
  expect(routesTo(settings, { name: 'a', channel: { type: 'slack' } })).toEqual([
    'all: warnings and worse',
    'pay: what is critical of function:pay*',
  ]);
});

test('a test says what the other side said', () => {
  expect(testWords({ address: null, outcome: 'sent', said: '200 OK: ok' })).toBe(
    'taken (200 OK: ok)',
  );
  expect(testWords({ address: 'a@b', outcome: 'refused', said: '550 no' })).toBe(
    'a@b: refused (550 no)',
  );
});
