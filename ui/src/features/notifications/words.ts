/** What the settings of notifications mean, in words. */
import type { Mute, NotificationSettings, Receiver, TestAnswer } from '../../api/model';
import { formatAbsolute } from '../../base/format';
import { unixNanosFromMillis } from '../../base/time';

/** Settings as they are edited. */
export function textOf(settings: NotificationSettings): string {
  return JSON.stringify(settings, null, 2);
}

/** What was written, if it is JSON; what is wrong with it otherwise. */
export function settingsOf(
  text: string,
): { readonly settings: NotificationSettings } | { readonly wrong: string } {
  try {
    return { settings: JSON.parse(text) as NotificationSettings };
  } catch (cause) {
    return { wrong: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** The same settings with a mute more, unless it is there. */
export function withMute(settings: NotificationSettings, mute: Mute): NotificationSettings {
  const mutes = settings.mutes ?? [];
  const same = (known: Mute): boolean =>
    known.nodes === mute.nodes &&
    known.kinds === mute.kinds &&
    (known.person ?? null) === (mute.person ?? null);
  return mutes.some(same) ? settings : { ...settings, mutes: [...mutes, mute] };
}

/** The same settings without one of the mutes. */
export function withoutMute(settings: NotificationSettings, at: number): NotificationSettings {
  return { ...settings, mutes: (settings.mutes ?? []).filter((_, known) => known !== at) };
}

/** Who can be left alone: receivers, and the mail addresses in them. */
export function peopleOf(settings: NotificationSettings): readonly string[] {
  const receivers = settings.receivers ?? [];
  const people = receivers.flatMap(({ name, channel }) => [name, ...addressesOf(channel)]);
  return [...new Set(people)];
}

function addressesOf(channel: Receiver['channel']): readonly string[] {
  const to: unknown = 'to' in channel ? channel.to : null;
  return Array.isArray(to) ? to.filter((it) => typeof it === 'string') : [];
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

/** The routes that lead to a receiver. */
export function routesTo(settings: NotificationSettings, receiver: Receiver): readonly string[] {
  const routes = (settings.routes ?? []).filter((route) => route.receivers.includes(receiver.name));
  return routes.map((route) => {
    const nodes = (route.nodes ?? []).length === 0 ? '' : ` of ${(route.nodes ?? []).join(', ')}`;
    return `${route.name}: ${SEVERITIES[route.severity ?? 'warning']}${nodes}`;
  });
}

/** What came of a test. */
export function testWords({ address, outcome, said }: TestAnswer): string {
  const to = address === null ? '' : `${address}: `;
  return `${to}${OUTCOMES[outcome]} (${said})`;
}

export const CHANNELS = {
  email: 'E-mail',
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  alertmanager: 'Alertmanager',
  webhook: 'Webhook',
} as const;
const SEVERITIES = {
  note: 'everything',
  warning: 'warnings and worse',
  critical: 'what is critical',
} as const;
const OUTCOMES = { sent: 'taken', later: 'not taken now', refused: 'refused' } as const;
