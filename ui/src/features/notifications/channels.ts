/** What each channel has to be told, field by field, as docs/notifications.md has them. */
import type { Receiver } from '../../api/model';

export type ChannelType = Receiver['channel']['type'];
/** What a channel has depends on its type; the form reads it by the places of its fields. */
export type Channel = Readonly<Record<string, unknown>> & { readonly type: ChannelType };

export interface ChannelField {
  /** In the channel: `smtp.host`. */
  readonly path: string;
  readonly label: string;
  readonly kind: 'text' | 'list' | 'number' | 'secret' | 'tls';
  readonly hint?: string;
  readonly placeholder?: string;
  /** Left out of the settings while nothing is in it. */
  readonly optional?: boolean;
}

export const CHANNELS = {
  email: 'E-mail',
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  alertmanager: 'Alertmanager',
  webhook: 'Webhook',
} as const satisfies Record<ChannelType, string>;

export const CHANNEL_TYPES = Object.keys(CHANNELS) as readonly ChannelType[];

export const TLS = [
  { value: 'starttls', label: 'STARTTLS, port 587' },
  { value: 'tls', label: 'TLS from the first byte, port 465' },
  { value: 'none', label: 'None, port 25: only on the same machine' },
] as const;

export const CHANNEL_FIELDS: Readonly<Record<ChannelType, readonly ChannelField[]>> = {
  email: [
    {
      path: 'to',
      label: 'To',
      kind: 'list',
      hint: 'One address a line. Each gets a mail of its own.',
      placeholder: 'ops@example.com',
    },
    {
      path: 'from',
      label: 'From',
      kind: 'text',
      placeholder: 'Throughline <throughline@example.com>',
    },
    { path: 'smtp.host', label: 'Mail server', kind: 'text', placeholder: 'smtp.example.com' },
    { path: 'smtp.tls', label: 'Encryption', kind: 'tls' },
    {
      path: 'smtp.port',
      label: 'Port',
      kind: 'number',
      hint: 'That of the encryption, if it is not said.',
      optional: true,
    },
    {
      path: 'smtp.username',
      label: 'User name',
      kind: 'text',
      hint: 'Empty where the mail server asks for none.',
      optional: true,
    },
    { path: 'smtp.password', label: 'Password', kind: 'secret', optional: true },
  ],
  slack: [{ path: 'url', label: 'Address of the incoming webhook', kind: 'secret' }],
  pagerduty: [
    { path: 'routing_key', label: 'Integration key (Events API v2)', kind: 'secret' },
    {
      path: 'url',
      label: 'Where events go',
      kind: 'text',
      hint: 'In the EU: https://events.eu.pagerduty.com/v2/enqueue',
    },
  ],
  alertmanager: [
    {
      path: 'url',
      label: 'Address, without a path',
      kind: 'text',
      placeholder: 'http://alertmanager:9093',
    },
    { path: 'bearer_token', label: 'Bearer token', kind: 'secret', optional: true },
  ],
  webhook: [
    {
      path: 'url',
      label: 'Address',
      kind: 'text',
      hint: 'It is shown to whoever may open this page: put no secret into it.',
      placeholder: 'https://example.com/throughline',
    },
    {
      path: 'secret',
      label: 'What requests are signed with, 16 characters and more',
      kind: 'secret',
    },
  ],
};

/** A channel of which nothing is said yet. */
export function emptyChannel(type: ChannelType): Channel {
  switch (type) {
    case 'email':
      return { type, to: [], from: '', smtp: { host: '', tls: 'starttls' } };
    case 'slack':
      return { type, url: '${NOTIFY_SLACK_URL}' };
    case 'pagerduty':
      return {
        type,
        routing_key: '${NOTIFY_PAGERDUTY_KEY}',
        url: 'https://events.pagerduty.com/v2/enqueue',
      };
    case 'alertmanager':
      return { type, url: '' };
    case 'webhook':
      return { type, url: '', secret: '${NOTIFY_WEBHOOK_SECRET}' };
  }
}

/** What stands at a place in a channel. */
export function fieldOf(channel: object, path: string): unknown {
  const step = (value: unknown, key: string): unknown =>
    (value as Readonly<Record<string, unknown>> | null | undefined)?.[key];
  return path.split('.').reduce(step, channel);
}

/** The same channel with something else at a place; `undefined` takes it away. */
export function withField<T extends object>(channel: T, path: string, value: unknown): T {
  const [key = '', ...rest] = path.split('.');
  const old = (channel as Readonly<Record<string, unknown>>)[key];
  const inner = rest.length === 0 ? value : withField(Object(old) as object, rest.join('.'), value);
  const { [key]: _old, ...others } = channel as Readonly<Record<string, unknown>>;
  if (inner === undefined) return others as T;
  return { ...channel, [key]: inner };
}

export function textAt(channel: object, path: string): string {
  const value = fieldOf(channel, path);
  return typeof value === 'string' ? value : '';
}

export function listAt(channel: object, path: string): readonly string[] {
  const value = fieldOf(channel, path);
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

/** Whether it has quiet hours and digests of its own, so that none are set here. */
export function isPager(type: ChannelType): boolean {
  return type === 'pagerduty' || type === 'alertmanager';
}
