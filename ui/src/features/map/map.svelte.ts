import type { Api, Stretch } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Table, TraceSummary, Wait } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { poll, type Poll, type PollPlace, type Round } from '../../base/poll';
import { boundsOf, type Bounds, type TimeRange } from '../../base/range';
import { ENVIRONMENT_KEY, environmentAttribute } from '../../base/environment';
import { answered, asking, keptOf, type Remote } from '../../base/remote';
import type { Result } from '../../base/result';
import { err, ok } from '../../base/result';
import {
  after,
  before,
  NANOS_PER_SECOND,
  now,
  type DurationNanos,
  type UnixNanos,
} from '../../base/time';
import { buildAtlas, type Atlas, type Sample } from './model';

export type MapApi = Pick<Api, 'edges' | 'operations' | 'query' | 'traces' | 'waits'>;

/** Which minute is shown: the newest, or one that was chosen. */
export type Moment = 'live' | UnixNanos;

/** The living map: the usual is asked rarely, the minute that is looked at often. */
export class MapStore {
  #api: MapApi;
  #environment: string;
  #place: PollPlace | undefined;
  #range: TimeRange;
  #moment: Moment;
  #poll: Poll | null = null;
  #asked = new Latest();
  #usual: { readonly sample: Sample; readonly at: UnixNanos } | null = null;
  #remote = $state.raw<Remote<Atlas, ApiError>>({ state: 'idle' });
  #minutes = $state.raw<readonly MinuteCount[]>([]);
  #answeredAt = $state.raw<UnixNanos | null>(null);

  constructor(api: MapApi, range: TimeRange, moment: Moment, environment = '', place?: PollPlace) {
    this.#api = api;
    this.#environment = environment;
    this.#range = range;
    this.#moment = moment;
    this.#place = place;
  }

  get remote(): Remote<Atlas, ApiError> {
    return this.#remote;
  }

  get atlas(): Atlas | null {
    return keptOf(this.#remote);
  }

  /** Spans and failures of each minute of the range. */
  get minutes(): readonly MinuteCount[] {
    return this.#minutes;
  }

  /** What an investigation looks at: the range, or half an hour around the minute that was chosen. */
  around(at: UnixNanos): Bounds {
    if (this.#moment === 'live') return boundsOf(this.#range, at);
    const around = { from: before(this.#moment, AROUND), to: after(this.#moment, AROUND) };
    return around.to > at ? { ...around, to: at } : around;
  }

  get answeredAt(): UnixNanos | null {
    return this.#answeredAt;
  }

  start(): void {
    this.#remote = asking(this.#remote);
    this.#poll = poll(() => this.#refresh(), LIVE_MILLIS, this.#place);
  }

  dispose(): void {
    this.#poll?.stop();
    this.#asked.cancel();
  }

  look(range: TimeRange, moment: Moment): void {
    if (JSON.stringify(plain(range)) !== JSON.stringify(plain(this.#range))) this.#usual = null;
    this.#range = range;
    this.#moment = moment;
    this.#poll?.stop();
    this.start();
  }

  retry(): void {
    this.#poll?.kick();
  }

  /** The traces of a service that failed last, within the minutes that are shown. */
  async failing(
    service: string,
    signal: AbortSignal,
  ): Promise<Result<readonly TraceSummary[], ApiError>> {
    const stretch = this.#shown(now());
    const attributes = environmentAttribute(this.#environment);
    const query = { service, status: 'error' as const, attributes, limit: 5 };
    const page = await this.#api.traces({ ...query, from: stretch.from, to: stretch.to }, signal);
    if (page.ok && page.value.traces.length > 0) return ok(page.value.traces);
    const all = await this.#api.traces(
      { ...query, from: boundsOf(this.#range, now()).from },
      signal,
    );
    return all.ok ? ok(all.value.traces) : err(all.error);
  }

  async #refresh(): Promise<Round> {
    const at = now();
    const answer = await this.#asked.run(async (signal) => {
      const usual = await this.#loadUsual(at, signal);
      if (!usual.ok) return usual;
      const shown = this.#shown(at);
      const [seen, waits] = await Promise.all([
        this.#sample(shown, signal),
        this.#loadWaits(shown, signal),
      ]);
      return seen.ok ? ok(buildAtlas(seen.value, usual.value, waits)) : seen;
    });
    if (answer === superseded) return 'answered';
    this.#remote = answered(this.#remote, answer);
    if (!answer.ok) return 'failed';
    this.#answeredAt = now();
    // A minute that is over does not change any more; late spans are the exception.
    return this.#moment === 'live' ? 'answered' : 'done';
  }

  #shown(at: UnixNanos): Stretch {
    if (this.#moment === 'live') {
      const start = before(at, MINUTE);
      return { from: (start - (start % MINUTE)) as UnixNanos, to: at };
    }
    return { from: this.#moment, to: (this.#moment + MINUTE) as UnixNanos };
  }

  async #loadUsual(at: UnixNanos, signal: AbortSignal): Promise<Result<Sample, ApiError>> {
    if (this.#usual && at - this.#usual.at < USUAL_NANOS) return ok(this.#usual.sample);
    const bounds = boundsOf(this.#range, at);
    void this.#loadMinutes(bounds);
    const sample = await this.#sample(bounds, signal);
    if (sample.ok) this.#usual = { sample: sample.value, at };
    return sample;
  }

  async #sample(stretch: Stretch, signal: AbortSignal): Promise<Result<Sample, ApiError>> {
    const there = { ...stretch, environment: this.#environment };
    const [map, operations] = await Promise.all([
      this.#api.edges({ ...there, limit: EDGES_MAX }, signal),
      this.#api.operations({ ...there, limit: OPERATIONS_MAX }, signal),
    ]);
    if (!map.ok) return map;
    if (!operations.ok) return operations;
    const seconds = Math.max(1, Number((stretch.to - stretch.from) / NANOS_PER_SECOND));
    return ok({ map: map.value, operations: operations.value, seconds });
  }

  /** None where they cannot be had in time: the map says the rest without them. */
  async #loadWaits(stretch: Stretch, signal: AbortSignal): Promise<readonly Wait[]> {
    const answer = await this.#api.waits({ ...stretch, environment: this.#environment }, signal);
    return answer.ok ? answer.value.waits : [];
  }

  async #loadMinutes({ from, to }: { from: UnixNanos; to: UnixNanos }): Promise<void> {
    const there = this.#environment;
    const answer = await this.#api.query({
      dataset: 'spans',
      breakdowns: ['status'],
      calculations: [{ op: 'COUNT' }],
      ...(there === '' ? {} : { filters: [{ column: ENVIRONMENT_KEY, op: '=', value: there }] }),
      start_time: secondsOf(from),
      end_time: secondsOf(to) + 60,
      granularity: granularityOf(from, to),
    });
    if (answer.ok && answer.value.series) this.#minutes = countMinutes(answer.value.series);
  }
}

export interface MinuteCount {
  readonly at: UnixNanos;
  readonly count: number;
  readonly errors: number;
}

/** Columns time, status, count into one row for each point of time. */
export function countMinutes(series: Table): readonly MinuteCount[] {
  const found = new Map<string, { count: number; errors: number }>();
  for (const [time, status, count] of series.rows) {
    const held = found.get(String(time)) ?? { count: 0, errors: 0 };
    held.count += Number(count ?? 0);
    if (status === 'error') held.errors += Number(count ?? 0);
    found.set(String(time), held);
  }
  return [...found]
    .map(([time, counts]) => ({
      at: (BigInt(Date.parse(time)) * 1_000_000n) as UnixNanos,
      ...counts,
    }))
    .sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** Whole minutes, and few enough of them to draw. */
export function granularityOf(from: UnixNanos, to: UnixNanos): number {
  const minutes = Number((to - from) / NANOS_PER_SECOND) / 60;
  return 60 * ([1, 5, 15, 60, 360].find((step) => minutes / step <= 240) ?? 1440);
}

/** The whole minute that it is in. */
function secondsOf(time: UnixNanos): number {
  return Math.floor(Number(time / NANOS_PER_SECOND) / 60) * 60;
}

function plain(range: TimeRange): unknown {
  return range.kind === 'fixed' ? [String(range.from), String(range.to)] : range;
}

export const MINUTE = (60n * NANOS_PER_SECOND) as DurationNanos;
const AROUND = (30n * MINUTE) as DurationNanos;
const USUAL_NANOS = 60n * NANOS_PER_SECOND;
const LIVE_MILLIS = 3_000;
const EDGES_MAX = 10_000;
const OPERATIONS_MAX = 2_000;
