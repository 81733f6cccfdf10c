/** Incidents in words, and where they lead. */
import type { Finding, Incident, IncidentCause, IncidentSummary, Measure } from '../../api/model';
import {
  formatAbsolute,
  formatCount,
  formatDollars,
  formatDuration,
  formatMillis,
  formatShare,
  plural,
} from '../../base/format';
import { exploreHref, investigateHref as hrefOf } from '../../base/href';
import { between, parseUnixNanos, type UnixNanos } from '../../base/time';
import { isOwnNode } from './outer';

/** A moment of an incident. */
export interface Moment {
  readonly time: UnixNanos;
  readonly what: string;
  /** Who may be named in it, besides the nodes of the incident. */
  readonly nodes?: readonly string[];
}

/** A time of the server; the beginning of all time where there is none. */
export function timeOf(nanos: string): UnixNanos {
  return parseUnixNanos(nanos) ?? (0n as UnixNanos);
}

/** `147 ms`, `12 %`, `14`, `$2.10 an hour`. */
export function amount(unit: Finding['unit'], value: number): string {
  switch (unit) {
    case 'ms':
      return formatMillis(value);
    case 'share':
      return formatShare(value);
    case 'bytes':
      return `${formatCount(Math.round(value / 2 ** 20))} MB`;
    case 'usd_per_hour':
      return `${formatDollars(value)} an hour`;
    case 'count':
      return formatCount(Math.round(value));
  }
}

/** What a symptom does, and what its numbers are. */
export interface CauseWords {
  /** Before the number: `takes`. */
  readonly does: string;
  /** Behind the number: ` a call`. */
  readonly of: string;
  /** Of what is so beside it: `is slower`. */
  readonly more: string;
  readonly unit: Finding['unit'];
}

export function causeWords(symptom: IncidentCause['symptom']): CauseWords {
  return CAUSE_WORDS[symptom];
}

/** `147 ms (140 ms to 160 ms, of 1,204)`. */
export function measure(unit: Finding['unit'], { value, low, high, of }: Measure): string {
  const number = amount(unit, value);
  const between = low === high ? '' : `${amount(unit, low)} to ${amount(unit, high)}, `;
  return `${number} (${between}of ${formatCount(of)})`;
}

/** What something was before, and when that was; null where it is not known. */
export function beforeOf({ unit, before, before_when: when }: Finding): string | null {
  if (before === null) return null;
  return measure(unit, before) + (when === null ? '' : `, ${when}`);
}

const COST_FACTORS: Readonly<Record<string, string>> = {
  calls: 'calls',
  retries: 'retries',
  duration: 'the duration of calls',
  cold_starts: 'cold starts',
  memory: 'memory',
};

/** What a cost is more, or less, for: `the duration of calls`, `+$0.0416 an hour`. None of what is no cost. */
export function costFactors({ kind, detail }: Finding): { factor: string; usd: string }[] {
  const why = kind === 'cost' && Array.isArray(detail['why']) ? detail['why'] : [];
  return why.flatMap(({ factor, usd_per_hour: usd }: Record<string, unknown>) => {
    if (typeof factor !== 'string' || typeof usd !== 'number' || usd === 0) return [];
    const sign = usd < 0 ? '−' : '+';
    const words = COST_FACTORS[factor] ?? factor;
    return [{ factor: words, usd: `${sign}${amount('usd_per_hour', Math.abs(usd))}` }];
  });
}

/** How long it has lasted, or did. */
export function lasted(incident: IncidentSummary, now: UnixNanos): string {
  const begin = timeOf(incident.since_unix_nanos);
  const closed = incident.closed_unix_nanos;
  const end = closed === null ? now : timeOf(closed);
  return formatDuration(between(begin, end));
}

/** What happened and what was done about it, in its order. */
export function timeline(incident: Incident, done: readonly Moment[] = []): readonly Moment[] {
  const moments: Moment[] = [
    { time: timeOf(incident.opened_unix_nanos), what: 'noticed' },
    ...incident.findings.map((finding) => ({
      time: timeOf(finding.since_unix_nanos),
      what: finding.title,
    })),
    ...incident.findings.flatMap(({ change }) =>
      change === null
        ? []
        : [{ time: timeOf(change.at_unix_nanos), what: `${change.node}: ${change.what}` }],
    ),
  ];
  if (incident.closed_unix_nanos !== null)
    moments.push({ time: timeOf(incident.closed_unix_nanos), what: 'over' });
  moments.push(...done);
  const unique = new Map(moments.map((each) => [`${each.time} ${each.what}`, each]));
  return [...unique.values()].sort((a, b) => Number(a.time - b.time));
}

/** Who may be named in it. */
export function nodesOf(incident: Incident): readonly string[] {
  const changed = incident.findings.flatMap(({ change }) => (change === null ? [] : [change.node]));
  return [...new Set([...incident.nodes, ...changed])];
}

/** The spans that show a finding, as a question of the page Explore. */
export function spansHref({ filters, since_unix_nanos, seen_unix_nanos }: Finding): string | null {
  if (filters === null) return null;
  return exploreHref(filters, timeOf(since_unix_nanos), timeOf(seen_unix_nanos));
}

/** The way of the message that a finding names, if it names one: the key that both sides know it by finds it. */
export function messageHref({ detail }: Finding): string | null {
  const named = isObject(detail.worst) ? detail.worst.message : detail.message;
  return typeof named === 'string' ? `/traces/${encodeURIComponent(named)}` : null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** What is asked of an incident: its cause, or else the first of its findings, from a while before. */
export function investigateHref(incident: Incident): string {
  const first = incident.findings[0];
  const { cause } = incident;
  const symptom = cause?.symptom ?? asked(first);
  const node = cause?.node ?? first?.subject.node;
  const closed = incident.closed_unix_nanos;
  return hrefOf({
    ...(node !== undefined && !isOwnNode(node) && { node }),
    ...(symptom !== undefined && { symptom }),
    from: (timeOf(incident.since_unix_nanos) - BEFORE_NANOS) as UnixNanos,
    to: closed === null ? null : timeOf(closed),
  });
}

function asked(finding: Finding | undefined): string | undefined {
  return finding === undefined ? undefined : SYMPTOMS[finding.kind];
}

/** `noticed 2026-11-20 04:02:00, over after 14 min`. */
export function stateWords(incident: IncidentSummary, now: UnixNanos): string {
  const begun = formatAbsolute(timeOf(incident.since_unix_nanos)).slice(0, 16);
  const long = lasted(incident, now);
  return incident.state === 'open' ? `since ${begun}, for ${long}` : `${begun}, for ${long}`;
}

/** `in production · owned by payments`; nothing of what is not known. */
export function whoseWords({ environments, owners }: Incident): string {
  const said = [
    environments.length === 0 ? '' : `in ${environments.join(', ')}`,
    owners.length === 0 ? '' : `owned by ${owners.join(', ')}`,
  ];
  return said.filter((part) => part !== '').join(' · ');
}

export function findingWords(incident: IncidentSummary): string {
  return plural(incident.finding_count, 'finding');
}

const BEFORE_NANOS = 30n * 60n * 1_000_000_000n;
/** What of a finding can be asked about. */
const SYMPTOMS: Readonly<Partial<Record<Finding['kind'], string>>> = {
  latency: 'slow',
  errors: 'error',
  new_error: 'error',
  retries: 'error',
  near_timeout: 'timeout',
  throttles: 'throttle',
  cold_starts: 'cold_start',
  silence: 'silent',
  waiting: 'waiting',
  backlog: 'waiting',
  cost: 'expensive',
  new_edge: 'changed',
};

const share = (does: string, more: string): CauseWords => ({
  does,
  of: ' of its calls',
  more,
  unit: 'share',
});
const CAUSE_WORDS: Readonly<Record<IncidentCause['symptom'], CauseWords>> = {
  slow: { does: 'takes', of: ' a call', more: 'is slower', unit: 'ms' },
  error: share('fails in', 'fails more'),
  throttle: share('is refused in', 'is refused more'),
  timeout: share('times out in', 'times out more'),
  cold_start: share('starts cold in', 'starts cold more'),
  expensive: { does: 'costs', of: '', more: 'costs more', unit: 'usd_per_hour' },
  silent: { does: 'is called', of: ' times a minute', more: 'is silent', unit: 'count' },
};
