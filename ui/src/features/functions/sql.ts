/** What is asked about one function. Attributes are cast, because nobody may have sent them yet. */
import { ENVIRONMENT_KEY } from '../../base/environment';
import type { Bounds } from '../../base/range';
import { before, durationFromMillis, toDate, type UnixNanos } from '../../base/time';

/**
 * What counts as one call: the platform's span of an invocation; the handler's
 * span, where no extension runs; or a span of a service that is no function.
 */
export type Calls = 'invocation' | 'handler' | 'service';

/** When, and in which environment; empty for all. */
export interface Within extends Bounds {
  readonly environment: string;
}

export interface Subject {
  readonly name: string;
  readonly calls: Calls;
}

/** Calls by time, and all together in rows without a time, of each kind that the name can mean. */
export function callsSql(name: string, bounds: Within, step: number): string {
  const named = text(name);
  return [
    'select at, calls, count(*) as n,',
    "count(*) filter (where status = 'error') as errors,",
    "count(*) filter (where cold = 'true') as cold,",
    "count(*) filter (where timeout = 'true') as timeouts,",
    `${percentile(0.5)} as p50, ${percentile(0.9)} as p90, ${percentile(0.99)} as p99`,
    `from (select ${bin(step)} as at, status, duration_ms,`,
    'cast("faas.coldstart" as varchar) as cold,',
    'cast("throughline.timeout" as varchar) as timeout,',
    `case when "faas.name" = ${named} and "throughline.phase" = 'invoke' then 'invocation'`,
    `when "faas.name" = ${named} then 'handler' else 'service' end as calls`,
    `from spans where ${within(bounds)} and ("faas.name" = ${named} or service = ${named})`,
    `and ("throughline.phase" = 'invoke' or kind in ('server', 'consumer'))) as found`,
    'group by grouping sets ((at, calls), (calls)) order by at',
  ].join(' ');
}

export function versionsSql(subject: Subject, bounds: Within): string {
  return [
    `select ${VERSION} as version, min(time) as first, max(time) as last, count(*) as n,`,
    "count(*) filter (where status = 'error') as errors,",
    `${percentile(0.5)} as p50, ${percentile(0.99)} as p99`,
    `from spans where ${within(bounds)} and ${own(subject)} group by version order by last desc`,
  ].join(' ');
}

/** When each version was first seen in the days before. */
export function firstSeenSql(subject: Subject, { to, environment }: Within): string {
  const from = before(to, durationFromMillis(LOOK_BACK_MILLIS));
  return [
    `select ${VERSION} as version, min(time) as first from spans`,
    `where ${within({ from, to, environment })} and ${own(subject)} group by version`,
  ].join(' ');
}

/** What the platform reports of invocations: memory and cost, by time and all together. */
export function reportsSql(name: string, bounds: Within, step: number): string {
  return [
    'select at, max(used) as most, avg(used) as mean, max(size) as size, sum(usd) as usd,',
    'count(usd) as reports, sum(billed) as billed, max(init) as init',
    `from (select ${bin(step)} as at,`,
    'cast("throughline.memory.max_used_mb" as double) as used,',
    'cast("throughline.memory.size_mb" as double) as size,',
    'cast("throughline.cost.usd" as double) as usd,',
    'cast("throughline.duration.billed_ms" as double) as billed,',
    'cast("throughline.duration.init_ms" as double) as init',
    `from logs where ${within(bounds)} and event_name = 'platform.report'`,
    `and "faas.name" = ${text(name)}) as reports`,
    'group by grouping sets ((at), ()) order by at',
  ].join(' ');
}

/** Failed calls by what they say, and the last one of each. */
export function failuresSql(subject: Subject, bounds: Within): string {
  return [
    'select cast("error.type" as varchar) as failure, status_message as message, count(*) as n,',
    'max(time) as last, last_value(trace_id order by time) as trace,',
    'last_value(span_id order by time) as span',
    `from spans where ${within(bounds)} and ${own(subject)} and status = 'error'`,
    `group by failure, message order by last desc limit ${MESSAGES_MAX}`,
  ].join(' ');
}

/** Everything that failed in these traces: who wants to see the cause goes down from the call. */
export function failedSpansSql(traceIds: readonly string[], bounds: Within): string {
  return [
    'select trace_id, span_id, parent_span_id, time, service, name,',
    'cast("code.file.path" as varchar) as file, cast("code.line.number" as varchar) as line',
    `from spans where ${within(bounds)} and status = 'error'`,
    `and trace_id in (${traceIds.map(text).join(', ')})`,
  ].join(' ');
}

/** The condition that a span is a call of the subject. */
export function own({ name, calls }: Subject): string {
  if (calls === 'invocation')
    return `"faas.name" = ${text(name)} and "throughline.phase" = 'invoke'`;
  const serves = "kind in ('server', 'consumer')";
  return calls === 'handler'
    ? `"faas.name" = ${text(name)} and ${serves}`
    : `service = ${text(name)} and ${serves}`;
}

function percentile(share: number): string {
  return `approx_percentile_cont(duration_ms, ${share})`;
}

function bin(step: number): string {
  return `date_bin(interval '${step} seconds', time)`;
}

function within({ from, to, environment }: Within): string {
  const time = `time >= ${timestamp(from)} and time < ${timestamp(to)}`;
  return environment === '' ? time : `${time} and "${ENVIRONMENT_KEY}" = ${text(environment)}`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function timestamp(time: UnixNanos): string {
  return `timestamp '${toDate(time).toISOString()}'`;
}

/** `$LATEST` says nothing; what the function calls its own version then does. */
const VERSION = [
  "case when coalesce(cast(\"faas.version\" as varchar), '$LATEST') = '$LATEST'",
  'then coalesce(cast("service.version" as varchar), cast("faas.version" as varchar), \'\')',
  'else cast("faas.version" as varchar) end',
].join(' ');
const MESSAGES_MAX = 500;
export const LOOK_BACK_DAYS = 7;
const LOOK_BACK_MILLIS = LOOK_BACK_DAYS * 86_400_000;
