/** What objectives and alerts are and how they do, in words. */
import type { AlertNow, AlertRule, AlertSettings, ObjectiveNow, QuerySpec } from '../../api/model';

/** Settings as they are edited. */
export function textOf(settings: AlertSettings): string {
  return JSON.stringify(settings, null, 2);
}

/** What was written, if it is JSON; what is wrong with it otherwise. */
export function settingsOf(
  text: string,
): { readonly settings: AlertSettings } | { readonly wrong: string } {
  try {
    return { settings: JSON.parse(text) as AlertSettings };
  } catch (cause) {
    return { wrong: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** The same settings with an alert on a query more, for somebody to complete. */
export function withAlert(settings: AlertSettings, query: QuerySpec): AlertSettings {
  const alert: AlertRule = {
    name: 'new alert',
    query: watchable(query),
    op: '>',
    value: 0,
    for_minutes: 5,
    every_minutes: 1,
    severity: 'warning',
  };
  return { ...settings, alerts: [...(settings.alerts ?? []), alert] };
}

/** A query as it can be watched: one number, of the last five minutes. */
function watchable(query: QuerySpec): QuerySpec {
  const { start_time: _from, end_time: _to, granularity: _step, ...rest } = query;
  const { orders: _orders, limit: _limit, ...asked } = rest;
  const calculations = (query.calculations ?? []).filter(({ op }) => op !== 'HEATMAP');
  return { ...asked, calculations: calculations.slice(0, 1), time_range: 300 };
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
  return `${share} % of ${String(all).replace(/\B(?=(\d{3})+$)/g, ',')} were good`;
}

/** `14.4 times too fast`; how quickly the budget went in the last hour. */
export function burnWords({ burn }: ObjectiveNow): string {
  if (burn === null) return 'nothing happened';
  return burn > 1 ? `${burn.toFixed(1)} times too fast` : 'no faster than it may';
}

/** `34; > 20 is told`. */
export function valueWords({ value }: AlertNow, rule: AlertRule): string {
  const bound = `${rule.op} ${rule.value} is told`;
  return value === null ? `no answer; ${bound}` : `${Math.round(value * 1000) / 1000}; ${bound}`;
}

/** `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function timeWords(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

export const STATES = {
  counting: 'the past is still counted',
  no_data: 'no data',
  ok: 'all right',
  pending: 'beyond its bound, not for long enough',
  firing: 'firing',
} as const;
