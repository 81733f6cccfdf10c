/** What objectives and alerts are and how they do, in words. */
import type { AlertNow, AlertRule, AlertSettings, Objective, ObjectiveNow } from '../../api/model';
import { nameOf, type Change } from '../../base/changes';
import { toTyped, type Condition } from '../../base/condition';
import { formatCount, formatMillis } from '../../base/format';
import { calculationOf, percentOf, said } from './edit';

export interface Fact {
  readonly name: string;
  readonly text: string;
  readonly bad?: boolean;
}

/** `63 % is left, for another 1 d 7 h`. */
export function budgetWords({ left, lasts_seconds: lasts }: ObjectiveNow): string {
  if (left === null) return 'nothing is counted yet';
  if (left <= 0) return 'nothing is left';
  const share = `${Math.round(left * 100)} % is left`;
  return lasts === null ? share : `${share}, for another ${timeWords(lasts)}`;
}

/** `99.83 % of 12,000 were good`. */
export function goodWords({ good, bad }: ObjectiveNow): string {
  const all = good + bad;
  if (all === 0) return 'nothing happened';
  const share = Math.floor((good / all) * 1e5) / 1e3;
  return `${share} % of ${formatCount(all)} were good`;
}

/** `14.4 times too fast`; how quickly the budget went in the last hour. */
export function burnWords({ burn }: ObjectiveNow): string {
  if (burn === null) return 'nothing happened';
  return burn > 1 ? `${burn.toFixed(1)} times too fast` : 'no faster than it may';
}

/** What is said of an objective beside what it is. */
export function objectiveFacts(now: ObjectiveNow): readonly Fact[] {
  const { state, severity } = now;
  const isBad = state === 'firing';
  return [
    {
      name: 'State',
      text: `${STATES[state]}${severity === null ? '' : `, ${severity}`}`,
      bad: isBad,
    },
    { name: 'Good', text: goodWords(now) },
    { name: 'Budget', text: budgetWords(now), bad: now.left !== null && now.left <= 0 },
    { name: 'Last hour', text: burnWords(now) },
  ];
}

/** What is said of an alert beside what it is. */
export function alertFacts(now: AlertNow): readonly Fact[] {
  const { state, severity, value, groups } = now;
  const isBad = state === 'firing';
  const number = value === null ? 'no answer' : formatCount(Math.round(value * 1000) / 1000);
  return [
    { name: 'State', text: `${STATES[state]}${isBad ? `, ${severity}` : ''}`, bad: isBad },
    { name: 'Number', text: number },
    ...(groups.length === 0 ? [] : [{ name: 'Beyond it', text: groups.join('; ') }]),
  ];
}

/** `99.9 % of 30 days: service = orders, good if status != error`. */
export function objectiveWords({ target, days, measure }: Objective): string {
  const share = `${shown(percentOf(target))} % of ${shown(said(days, 30))} days`;
  if ('spans' in measure) {
    const { filters, good } = measure.spans;
    return `${share}: ${conditionWords(filters)}; good if ${conditionWords(good)}`;
  }
  const { begin, end, within_ms: within } = measure.actions;
  const reached = `${end.name} of ${end.service} within ${Number.isFinite(within) ? formatMillis(within) : '?'}`;
  return `${share}: ${conditionWords(begin)}; good if it reaches ${reached}`;
}

/** `COUNT of spans where status = error by service over 5 min > 20`. */
export function alertWords(alert: AlertRule): string {
  const { op, value, for_minutes: lasting } = alert;
  const long = lasting === undefined || lasting === 0 ? '' : ` for ${shown(lasting)} min`;
  return `${askedWords(alert)} ${op} ${shown(value)}${long}`;
}

/** `COUNT of spans over 5 min`, the beginning of a text on one line, or whom it follows. */
function askedWords({ query, sql, graph, saved }: AlertRule): string {
  if (saved !== undefined) return `the answer of “${saved}”`;
  if (query === undefined) {
    const text = (sql ?? graph ?? '').trim().replace(/\s+/g, ' ');
    return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
  }
  const { op: calculated, column } = calculationOf(query);
  const what = column === undefined ? calculated : `${calculated}(${column})`;
  const filters = query.filters ?? [];
  const joint = query.filter_combination === 'OR' ? ' or ' : ' and ';
  const where = filters.length === 0 ? '' : ` where ${conditionWords(filters, joint)}`;
  const breakdowns = query.breakdowns ?? [];
  const by = breakdowns.length === 0 ? '' : ` by ${breakdowns.join(', ')}`;
  const over = ` over ${timeWords(said(query.time_range, 60))}`;
  return `${what} of ${query.dataset ?? 'spans'}${where}${by}${over}`;
}

/** `service = pay and status != error`. */
export function conditionWords(conditions: readonly Condition[], joint = ' and '): string {
  const words = conditions.map(toTyped);
  return words.map(({ column, op, value }) => `${column} ${op} ${value}`.trim()).join(joint);
}

/** `alert “many fail”, query`: what somebody has changed, and where something is wrong. */
export function placeWords(settings: AlertSettings, place: string): string {
  const [, field = '', at = '', rest = ''] = PLACE.exec(place) ?? [];
  const list: readonly unknown[] = settings[field === 'alerts' ? 'alerts' : 'objectives'] ?? [];
  const item = at === '' ? undefined : list[Number(at)];
  const name = item === undefined ? '' : ` “${nameOf(item)}”`;
  return `${at === '' ? field : one(field)}${name}${rest === '' ? '' : `, ${rest}`}`;
}

export function changeWords({ field, name, how }: Change): string {
  return name === '' ? `${field} ${how}` : `${one(field)} “${name}” ${how}`;
}

/** `objectives` is a list of `objective`s. */
function one(field: string): string {
  return field.replace(/s$/, '');
}

/** What somebody still writes is none. */
function shown(number: number | null): string {
  return Number.isFinite(number) ? String(number) : '?';
}

/** `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function timeWords(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '?';
  const minutes = Math.floor(seconds / 60);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

const TEXT_MAX = 120;
const STATES = {
  counting: 'the past is still counted',
  no_data: 'no data',
  ok: 'all right',
  pending: 'beyond its bound, not for long enough',
  firing: 'firing',
} as const;

const PLACE = /^([a-z]+)(?:\[(\d+)\])?\.?(.*)$/;
