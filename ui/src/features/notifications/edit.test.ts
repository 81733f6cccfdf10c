import { expect, test } from 'vitest';
import type { NotificationSettings } from '../../api/model';
import { CHANNEL_FIELDS, CHANNEL_TYPES, emptyChannel, fieldOf, withField } from './channels';
import {
  changedReceiver,
  ledBy,
  replaced,
  routesOf,
  unreadable,
  withMute,
  withoutMute,
  withoutReceiver,
  withReceiver,
} from './edit';
import { offsets, offsetWords } from './hours';

const [a, b] = (['a', 'b'] as const).map((name) => ({ name, channel: { type: 'slack' as const } }));
const settings: NotificationSettings = {
  receivers: [a!, b!],
  routes: [
    { name: 'both', receivers: ['a', 'b'] },
    { name: 'one', receivers: ['a'] },
    { name: 'none', receivers: [] },
  ],
  mutes: [{ nodes: '*', kinds: '*', person: 'a' }],
  unsubscribed: [{ receiver: 'a', address: 'x@example.com' }],
  weekly_report: ['a'],
};
const mute = { nodes: 'function:pay', kinds: 'latency' };

test('the first receiver is told of everything, the next of what is chosen', () => {
  const first = withReceiver({}, 'email', 60);
  expect(first.receivers?.[0]).toMatchObject({ name: 'email', utc_offset_minutes: 60 });
  expect(first.routes).toEqual([{ name: 'everything', receivers: ['email'], severity: 'warning' }]);
  const second = withReceiver(first, 'email', 0);
  expect(second.receivers?.[1]?.name).toBe('email-2');
  expect(second.routes).toBe(first.routes);
});

test('what names a receiver goes with its name', () => {
  const { routes, mutes, unsubscribed, weekly_report } = changedReceiver(settings, 0, {
    ...a!,
    name: 'c',
  });
  expect(routes?.map((each) => each.receivers)).toEqual([['c', 'b'], ['c'], []]);
  expect([mutes?.[0]?.person, unsubscribed?.[0]?.receiver, weekly_report]).toEqual([
    'c',
    'c',
    ['c'],
  ]);
  const twins = { ...settings, receivers: [a!, a!] };
  expect(changedReceiver(twins, 1, { ...a!, name: 'c' }).routes).toBe(twins.routes);
});

test('with a receiver go the routes that led to it alone', () => {
  const left = withoutReceiver(settings, 0);
  expect(left.receivers).toEqual([b]);
  expect(left.routes).toEqual([
    { name: 'both', receivers: ['b'] },
    { name: 'none', receivers: [] },
  ]);
  expect([left.weekly_report, left.unsubscribed]).toEqual([[], []]);
});

test('routes lead to a receiver as they are chosen', () => {
  expect(routesOf(settings, 'a')).toEqual(['0', '1']);
  const led = ledBy(settings, 'b', ['1', '2']);
  expect(led.routes?.map((each) => each.receivers)).toEqual([['a'], ['a', 'b'], ['b']]);
  expect(replaced(['x', 'y'], 0, null)).toEqual(['y']);
});

test('every field of a channel can be set and taken away', () => {
  for (const type of CHANNEL_TYPES) {
    for (const { path } of CHANNEL_FIELDS[type]) {
      const channel = withField(emptyChannel(type), path, 'x');
      expect(fieldOf(channel, path), `${type} ${path}`).toBe('x');
      expect(fieldOf(withField(channel, path, undefined), path)).toBeUndefined();
    }
  }
  expect(withField({ type: 'email', smtp: { host: 'h' } }, 'smtp.port', 25)).toEqual({
    type: 'email',
    smtp: { host: 'h', port: 25 },
  });
});

test('a mute is there once, and goes', () => {
  const muted = withMute({}, mute);
  expect(withMute(muted, { ...mute, reason: 'noise' })).toBe(muted);
  expect(muted.mutes).toEqual([mute]);
  expect(withoutMute(muted, { ...mute }).mutes).toEqual([]);
  const own = { ...mute, person: 'a' };
  expect(withMute(muted, own).mutes).toEqual([mute, own]);
  const ofCalls = { ...mute, to: 'table:users' };
  expect(withMute(muted, ofCalls).mutes).toEqual([mute, ofCalls]);
});

test('what the server could not read is said with its place', () => {
  const receiver = {
    ...a!,
    channel: { type: 'email' as const, smtp: { port: 1.5 } },
    quiet_hours: { from: '', to: '24:00' },
    digest: { minutes: null as unknown as number },
  };
  const places = unreadable({ receivers: [a!, receiver] }).map(({ place }) => place);
  expect(places).toEqual([
    'receivers[1].channel.smtp.port',
    'receivers[1].quiet_hours.from',
    'receivers[1].quiet_hours.to',
    'receivers[1].digest.minutes',
  ]);
  expect(unreadable(settings)).toEqual([]);
});

test('clocks are called by how far they are from UTC', () => {
  expect([60, -210, 0].map(offsetWords)).toEqual(['UTC+01:00', 'UTC−03:30', 'UTC+00:00']);
  expect(offsets(7).map((each) => each.value)).toContain('7');
});
