/** The settings of notifications, changed as a form changes them. */
import type { Mute, NotificationSettings, Receiver } from '../../api/model';
import type { Problem } from '../../base/problems';
import { emptyChannel, fieldOf, type ChannelType } from './channels';

export type Route = NonNullable<NotificationSettings['routes']>[number];

/** The fields of the settings that the server names in what is wrong. */
export const ROOTS = [
  'public_url',
  'environment',
  'receivers',
  'routes',
  'mutes',
  'unsubscribed',
  'weekly_report',
] as const;

/** One receiver more. The first one is told of everything that somebody should look at. */
export function withReceiver(
  settings: NotificationSettings,
  type: ChannelType,
  utcOffset: number,
): NotificationSettings {
  const receivers = settings.receivers ?? [];
  const name = freeName(
    type,
    receivers.map((each) => each.name),
  );
  const receiver = { name, channel: emptyChannel(type), utc_offset_minutes: utcOffset };
  const routes = settings.routes ?? [];
  const everything = { name: 'everything', receivers: [name], severity: 'warning' as const };
  return {
    ...settings,
    receivers: [...receivers, receiver],
    routes: routes.length === 0 ? [everything] : routes,
  };
}

/** What names it goes by its new name too. Of a name that another one has it is not known who is meant. */
export function changedReceiver(
  settings: NotificationSettings,
  at: number,
  receiver: Receiver,
): NotificationSettings {
  const receivers = settings.receivers ?? [];
  const old = receivers[at]?.name ?? '';
  const changed = {
    ...settings,
    receivers: receivers.map((each, place) => (place === at ? receiver : each)),
  };
  const isMeant = receivers.filter((each) => each.name === old).length === 1;
  return old === receiver.name || !isMeant ? changed : renamed(changed, old, receiver.name);
}

export function withoutReceiver(settings: NotificationSettings, at: number): NotificationSettings {
  const receivers = settings.receivers ?? [];
  const name = receivers[at]?.name ?? '';
  const others = receivers.filter((_, place) => place !== at);
  if (others.some((each) => each.name === name)) return { ...settings, receivers: others };
  const isOther = (each: string): boolean => each !== name;
  const routes = (settings.routes ?? [])
    .map((route) => ({ ...route, receivers: route.receivers.filter(isOther) }))
    .filter((route, place) => isLeft(route, settings.routes?.[place]));
  return {
    ...settings,
    receivers: others,
    routes,
    weekly_report: (settings.weekly_report ?? []).filter(isOther),
    unsubscribed: (settings.unsubscribed ?? []).filter((each) => each.receiver !== name),
  };
}

/** Which routes lead to a receiver, by their places. */
export function routesOf(settings: NotificationSettings, name: string): readonly string[] {
  return (settings.routes ?? []).flatMap((route, at) =>
    route.receivers.includes(name) ? [String(at)] : [],
  );
}

/** The same, where these routes and no other lead to a receiver. */
export function ledBy(
  settings: NotificationSettings,
  name: string,
  places: readonly string[],
): NotificationSettings {
  const routes = (settings.routes ?? []).map((route, at) => {
    const others = route.receivers.filter((each) => each !== name);
    const leads = places.includes(String(at));
    if (leads === route.receivers.includes(name)) return route;
    return { ...route, receivers: leads ? [...others, name] : others };
  });
  return { ...settings, routes };
}

export function withRoute(settings: NotificationSettings): NotificationSettings {
  const routes = settings.routes ?? [];
  const name = freeName(
    'route',
    routes.map((each) => each.name),
  );
  return { ...settings, routes: [...routes, { name, receivers: [], severity: 'warning' }] };
}

/** The same list with something else at a place, or without it. */
export function replaced<T>(list: readonly T[], at: number, item: T | null): readonly T[] {
  return item === null
    ? list.filter((_, place) => place !== at)
    : list.map((each, place) => (place === at ? item : each));
}

/** The same settings with a mute more, unless it is there. */
export function withMute(settings: NotificationSettings, mute: Mute): NotificationSettings {
  const mutes = settings.mutes ?? [];
  const same = (known: Mute): boolean =>
    known.nodes === mute.nodes &&
    (known.to ?? null) === (mute.to ?? null) &&
    known.kinds === mute.kinds &&
    (known.person ?? null) === (mute.person ?? null) &&
    (known.until_unix_nanos ?? null) === (mute.until_unix_nanos ?? null);
  return mutes.some(same) ? settings : { ...settings, mutes: [...mutes, mute] };
}

/** The same settings without a mute. */
export function withoutMute(settings: NotificationSettings, mute: Mute): NotificationSettings {
  const text = JSON.stringify(mute);
  const isOther = (known: Mute): boolean => JSON.stringify(known) !== text;
  return { ...settings, mutes: (settings.mutes ?? []).filter(isOther) };
}

/** What could not even be read by the server, which then would not say where. */
export function unreadable(settings: NotificationSettings): readonly Problem[] {
  return (settings.receivers ?? []).flatMap((receiver, at) => {
    const place = `receivers[${at}]`;
    const { quiet_hours: hours, digest } = receiver;
    const port: unknown = fieldOf(receiver.channel, 'smtp.port');
    return [
      ...(isWhole(port ?? 0, 65_535) ? [] : [problem(`${place}.channel.smtp.port`, PORT)]),
      ...(hours && !isTime(hours.from) ? [problem(`${place}.quiet_hours.from`, TIME)] : []),
      ...(hours && !isTime(hours.to) ? [problem(`${place}.quiet_hours.to`, TIME)] : []),
      ...(digest && !isWhole(digest.minutes, MINUTES_MAX)
        ? [problem(`${place}.digest.minutes`, 'it needs a whole number of minutes')]
        : []),
    ];
  });
}

function renamed(settings: NotificationSettings, from: string, to: string): NotificationSettings {
  const name = (each: string): string => (each === from ? to : each);
  return {
    ...settings,
    ...(settings.routes && {
      routes: settings.routes.map((route) => ({
        ...route,
        receivers: route.receivers.map(name),
      })),
    }),
    ...(settings.mutes && {
      mutes: settings.mutes.map((mute) => (mute.person === from ? { ...mute, person: to } : mute)),
    }),
    ...(settings.unsubscribed && {
      unsubscribed: settings.unsubscribed.map((each) => ({
        ...each,
        receiver: name(each.receiver),
      })),
    }),
    ...(settings.weekly_report && { weekly_report: settings.weekly_report.map(name) }),
  };
}

/** A route that led to nobody else goes with its receiver; one that was empty before stays to be filled. */
function isLeft(route: Route, before: Route | undefined): boolean {
  return route.receivers.length > 0 || before?.receivers.length === 0;
}

function freeName(wanted: string, taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!taken.includes(name)) return name;
  }
}

function problem(place: string, why: string): Problem {
  return { place, why };
}

function isTime(text: string): boolean {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(text);
}

function isWhole(value: unknown, max: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}

const PORT = 'it needs a port from 0 to 65535';
const TIME = 'it needs a time of the day, such as 22:00';
/** What the server can read; what it takes is less. */
const MINUTES_MAX = 2 ** 32 - 1;
