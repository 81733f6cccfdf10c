/** What the settings of notifications mean, in words. */
import type { Mute, NotificationSettings, Receiver, TestAnswer } from '../../api/model';
import { nameOf, type Change } from '../../base/changes';
import { formatAbsolute } from '../../base/format';
import { unixNanosFromMillis } from '../../base/time';
import { CHANNELS, listAt } from './channels';
import type { Route } from './edit';

/** Who can be left alone: receivers, and the mail addresses in them. */
export function peopleOf(settings: NotificationSettings): readonly string[] {
  const receivers = settings.receivers ?? [];
  const people = receivers.flatMap(({ name, channel }) => [name, ...listAt(channel, 'to')]);
  return [...new Set(people)];
}

/** What a mute is of: `function:pay`, `function:pay → table:users`. */
export function whatOf({ nodes, to }: Mute): string {
  return to === undefined || to === null ? nodes : `${nodes} → ${to}`;
}

/** Whom a mute is for, until when, and why. */
export function muteWords({ person, until_unix_nanos: until, reason }: Mute): string {
  const said = [
    person === undefined || person === null ? '' : `for ${person}`,
    until === undefined || until === null
      ? ''
      : `until ${formatAbsolute(unixNanosFromMillis(until / 1e6)).slice(0, 16)}`,
    reason ?? '',
  ];
  return said.filter((part) => part !== '').join(' · ');
}

/** How a receiver is reached, when it is left alone, and which routes lead to it. */
export function receiverWords(settings: NotificationSettings, receiver: Receiver): string {
  const routes = (settings.routes ?? []).filter((route) => route.receivers.includes(receiver.name));
  const { quiet_hours: hours, digest } = receiver;
  return [
    CHANNELS[receiver.channel.type],
    ...routes.map((route) => `${route.name}: ${routeWords(route)}`),
    ...(routes.length === 0 ? ['no route leads to it'] : []),
    ...(hours ? [`quiet ${hours.from} to ${hours.to}`] : []),
    ...(digest ? [`digest after ${digest.minutes} min`] : []),
    ...((settings.weekly_report ?? []).includes(receiver.name) ? ['weekly report'] : []),
  ].join(' · ');
}

/** What a route takes. */
export function routeWords({ severity, nodes, owners, environments }: Route): string {
  const only = (word: string, names: readonly string[] = []): string =>
    names.length === 0 ? '' : ` ${word} ${names.join(', ')}`;
  const which = `${only('of', nodes)}${only('owned by', owners)}${only('in', environments)}`;
  return `${SEVERITIES[severity ?? 'warning']}${which}`;
}

/** What came of a test. */
export function testWords({ address, outcome, said }: TestAnswer): string {
  const to = address === null ? '' : `${address}: `;
  return `${to}${OUTCOMES[outcome]} (${said})`;
}

/** `receiver “ops”, channel.url`: what somebody has changed, and where something is wrong. */
export function placeWords(settings: NotificationSettings, place: string): string {
  const [, field = '', at, rest = ''] = /^([a-z_]+)(?:\[(\d+)\])?\.?(.*)$/.exec(place) ?? [];
  const list = (settings as Readonly<Record<string, unknown>>)[field];
  const item = at !== undefined && Array.isArray(list) ? (list[Number(at)] as unknown) : null;
  const name = item === null || item === undefined ? '' : ` “${nameOf(item)}”`;
  const within = rest === '' ? '' : `, ${rest.replace(/^channel\./, '').replaceAll('_', ' ')}`;
  return `${at === undefined ? many(field) : one(field)}${name}${within}`;
}

export function changeWords({ field, name, how }: Change): string {
  return name === '' ? `${many(field)} ${how}` : `${one(field)} “${name}” ${how}`;
}

function one(field: string): string {
  return ONE[field as keyof typeof ONE] ?? many(field);
}

function many(field: string): string {
  return field === 'public_url' ? 'public address' : field.replaceAll('_', ' ');
}

/** A mute for so many hours from now on; for ever, if it is none. */
export function untilAfter(
  hours: number | null,
  nowMillis: number,
): Pick<Mute, 'until_unix_nanos'> {
  return hours === null ? {} : { until_unix_nanos: (nowMillis + hours * 3_600_000) * 1e6 };
}

export const SEVERITIES = {
  note: 'everything',
  warning: 'warnings and worse',
  critical: 'what is critical',
} as const;
const OUTCOMES = { sent: 'taken', later: 'not taken now', refused: 'refused' } as const;
const ONE = {
  receivers: 'receiver',
  routes: 'route',
  mutes: 'mute',
  unsubscribed: 'unsubscribed address',
  weekly_report: 'weekly report to',
} as const;

/** What is found by itself, as docs/insight.md has it, and what somebody has set to be watched. */
export const KINDS = [
  'latency',
  'errors',
  'new_error',
  'new_edge',
  'near_timeout',
  'memory',
  'leak',
  'throttles',
  'cold_starts',
  'silence',
  'waiting',
  'incomplete',
  'cost',
  'objective',
  'alert',
] as const;
