import { expect, test } from 'vitest';
import type { NotificationSettings } from '../../api/model';
import {
  changeWords,
  muteWords,
  peopleOf,
  placeWords,
  receiverWords,
  routeWords,
  testWords,
  untilAfter,
  whatOf,
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

test('a mute says whom it is for, until when and why', () => {
  const until = Date.UTC(2026, 10, 22, 14, 2) * 1e6;
  expect(muteWords({ ...mute, person: 'a', until_unix_nanos: until, reason: 'noise' })).toMatch(
    /^for a · until 2026-11-2\d \d\d:\d\d · noise$/,
  );
  expect(muteWords({ ...mute, person: null, until_unix_nanos: null })).toBe('');
});

test('a mute says what it is of', () => {
  expect(whatOf(mute)).toBe('function:pay');
  expect(whatOf({ ...mute, to: 'table:users' })).toBe('function:pay → table:users');
});

test('a mute holds for some hours, or for ever', () => {
  expect(untilAfter(8, 1_000)).toEqual({ until_unix_nanos: 28_801_000 * 1e6 });
  expect(untilAfter(null, 1_000)).toEqual({});
});

test('receivers and mail addresses can be left alone', () => {
  const mail = { type: 'email' as const, to: ['ada@example.com', 'a'] };
  const receivers = [...(settings.receivers ?? []), { name: 'm', channel: mail }];
  expect(peopleOf({ ...settings, receivers })).toEqual(['a', 'm', 'ada@example.com']);
});

test('a receiver says how it is reached, when not, and which routes lead to it', () => {
  expect(receiverWords(settings, { name: 'a', channel: { type: 'slack' } })).toBe(
    'Slack · all: warnings and worse · pay: what is critical of function:pay*',
  );
  const quiet_hours = { from: '22:00', to: '07:00' };
  expect(receiverWords(settings, { name: 'b', channel: { type: 'email' }, quiet_hours })).toBe(
    'E-mail · no route leads to it · quiet 22:00 to 07:00',
  );
});

test('a route says all that it takes', () => {
  const route = { name: 'all', receivers: ['a'], nodes: [], owners: ['payments', 'team-*'] };
  expect(routeWords(route)).toBe('warnings and worse owned by payments, team-*');
  expect(routeWords({ ...route, nodes: ['function:pay'], environments: ['prod*'] })).toBe(
    'warnings and worse of function:pay owned by payments, team-* in prod*',
  );
});

test('a test says what the other side said', () => {
  expect(testWords({ address: null, outcome: 'sent', said: '200 OK: ok' })).toBe(
    'taken (200 OK: ok)',
  );
  expect(testWords({ address: 'a@b', outcome: 'refused', said: '550 no' })).toBe(
    'a@b: refused (550 no)',
  );
});

test('places and changes are called by what is in them', () => {
  expect(placeWords(settings, 'receivers[0].channel.smtp.host')).toBe('receiver “a”, smtp.host');
  expect(placeWords(settings, 'routes[1]')).toBe('route “pay”');
  expect(placeWords(settings, 'routes[9].name')).toBe('route, name');
  expect(placeWords(settings, 'weekly_report')).toBe('weekly report');
  expect(changeWords({ field: 'receivers', name: 'a', how: 'removed' })).toBe(
    'receiver “a” removed',
  );
  expect(changeWords({ field: 'public_url', name: '', how: 'changed' })).toBe(
    'public address changed',
  );
});
