import type { Answer, Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { FunctionAdvice, Service } from '../../api/model';
import { ENVIRONMENT_KEY } from '../../base/environment';
import { Part } from '../../base/part.svelte';
import { poll, type Poll, type PollPlace, type Round } from '../../base/poll';
import { boundsOf, stepSeconds, type Bounds, type TimeRange } from '../../base/range';
import { err, ok, type Result } from '../../base/result';
import { NANOS_PER_SECOND, now, type UnixNanos } from '../../base/time';
import { groupFailures, placesOf, type FailureGroup, type Place } from './failures';
import { neighboursOf, type Neighbours } from './neighbours';
import {
  readCalls,
  readFirstSeen,
  readReports,
  readVersions,
  type CallSeries,
  type ReportSeries,
  type Version,
} from './read';
import { setupOf, type Setup } from './setup';
import {
  callsSql,
  failedSpansSql,
  failuresSql,
  firstSeenSql,
  reportsSql,
  versionsSql,
  type Subject,
  type Within,
} from './sql';

export type FunctionApi = Pick<Api, 'sql' | 'edges' | 'search' | 'services' | 'advice'>;

export interface Failures {
  readonly groups: readonly FailureGroup[];
  readonly places: ReadonlyMap<string, Place>;
}

/**
 * Everything about one function. What its name means is asked first, with its
 * calls; the other parts follow, each by itself.
 */
export class FunctionStore {
  readonly calls = new Part<CallSeries, ApiError>();
  readonly reports = new Part<ReportSeries, ApiError>();
  readonly versions = new Part<readonly Version[], ApiError>();
  readonly firstSeen = new Part<ReadonlyMap<string, UnixNanos>, ApiError>();
  readonly failures = new Part<Failures, ApiError>();
  readonly neighbours = new Part<Neighbours, ApiError>();
  readonly setup = new Part<Setup, ApiError>();
  /** Which memory it should have, by its last week whatever time is looked at. */
  readonly advice = new Part<FunctionAdvice, ApiError>();
  /** Where else it was heard of, when nothing is here. */
  readonly known = new Part<Service | null, ApiError>();

  #api: FunctionApi;
  #name: string;
  #range: TimeRange;
  #environment: string;
  #place: PollPlace | undefined;
  #poll: Poll | null = null;
  /** What was asked for once needs not be asked for again while the question is the same. */
  #isNew = true;
  #bounds = $state.raw<Bounds | null>(null);
  #answeredAt = $state.raw<UnixNanos | null>(null);

  constructor(
    api: FunctionApi,
    name: string,
    range: TimeRange,
    environment: string,
    place?: PollPlace,
  ) {
    this.#api = api;
    this.#name = name;
    this.#range = range;
    this.#environment = environment;
    this.#place = place;
  }

  /** The time that was asked for last. */
  get bounds(): Bounds | null {
    return this.#bounds;
  }

  /** Its id on the map. */
  get node(): string {
    return `${this.calls.value?.calls === 'service' ? 'service' : 'function'}:${this.#name}`;
  }

  get answeredAt(): UnixNanos | null {
    return this.#answeredAt;
  }

  start(): void {
    this.#poll = poll(() => this.#refresh(), REFRESH_MILLIS, this.#place);
  }

  dispose(): void {
    this.#poll?.stop();
    for (const part of this.#parts) part.dispose();
  }

  look(range: TimeRange): void {
    this.#range = range;
    this.#isNew = true;
    this.#poll?.stop();
    this.start();
  }

  retry(): void {
    this.#poll?.kick();
  }

  /** When each version was first called in the days before, for which every span of them is read: only if asked to. */
  lookBack(): void {
    const calls = this.calls.value?.calls ?? null;
    const bounds = this.#bounds;
    if (calls === null || bounds === null) return;
    const within = { ...bounds, environment: this.#environment };
    const statement = firstSeenSql({ name: this.#name, calls }, within);
    void this.firstSeen.load(true, async (signal) =>
      map(await this.#api.sql(statement, signal), readFirstSeen),
    );
  }

  get #parts(): readonly { dispose(): void }[] {
    const { calls, reports, versions, firstSeen, failures, neighbours, setup } = this;
    const { advice, known } = this;
    return [calls, reports, versions, firstSeen, failures, neighbours, setup, advice, known];
  }

  async #refresh(): Promise<Round> {
    const isNew = this.#isNew;
    this.#isNew = false;
    const shown = boundsOf(this.#range, now());
    const step = stepSeconds(shown, POINTS);
    const bounds = { ...fromWholeStep(shown, step), environment: this.#environment };
    this.#bounds = bounds;
    const calls = await this.calls.load(isNew, async (signal) =>
      map(await this.#api.sql(callsSql(this.#name, bounds, step), signal), (table) =>
        readCalls(table, bounds, step),
      ),
    );
    if (calls === null) return 'answered';
    if (!calls.ok) return 'failed';
    this.#answeredAt = now();
    const rounds = await (calls.value.calls === null
      ? this.#lookElsewhere(isNew)
      : this.#loadParts({ name: this.#name, calls: calls.value.calls }, bounds, step, isNew));
    if (rounds.some((round) => round !== null && !round.ok)) return 'failed';
    // What is over does not change any more; late spans are the exception.
    return this.#range.kind === 'fixed' ? 'done' : 'answered';
  }

  #loadParts(
    subject: Subject,
    bounds: Within,
    step: number,
    isNew: boolean,
  ): Promise<readonly (Result<unknown, ApiError> | null)[]> {
    const named =
      subject.calls === 'service' ? { service: subject.name } : { function: subject.name };
    const table = async <T>(
      sql: string,
      read: (table: Parameters<typeof readVersions>[0]) => T,
      signal: AbortSignal,
    ): Answer<T> => map(await this.#api.sql(sql, signal), read);
    const asked: Promise<Result<unknown, ApiError> | null>[] = [
      this.failures.load(isNew, (signal) => this.#loadFailures(subject, bounds, signal)),
      this.neighbours.load(isNew, async (signal) =>
        map(await this.#api.edges({ ...bounds, ...named, limit: EDGES_MAX }, signal), (edges) =>
          neighboursOf(edges, subject.name),
        ),
      ),
      this.versions.load(isNew, (signal) =>
        table(versionsSql(subject, bounds), readVersions, signal),
      ),
    ];
    if (subject.calls !== 'service') {
      asked.push(
        this.reports.load(isNew, (signal) =>
          table(
            reportsSql(subject.name, bounds, step),
            (answer) => readReports(answer, bounds, step),
            signal,
          ),
        ),
      );
    }
    if (isNew) {
      asked.push(this.setup.load(isNew, (signal) => this.#loadSetup(subject, bounds, signal)));
    }
    // What it says hardly changes while somebody looks, and an older answer is better than none.
    if (subject.calls === 'invocation' && this.advice.remote.state !== 'ready') {
      asked.push(
        this.advice.load(false, (signal) =>
          this.#api.advice(subject.name, bounds.environment, signal),
        ),
      );
    }
    return Promise.all(asked);
  }

  async #loadFailures(subject: Subject, bounds: Within, signal: AbortSignal): Answer<Failures> {
    const answer = await this.#api.sql(failuresSql(subject, bounds), signal);
    if (!answer.ok) return answer;
    const groups = groupFailures(answer.value);
    if (groups.length === 0) return ok({ groups, places: new Map() });
    const shown = groups.slice(0, PLACES_MAX);
    const traceIds = [...new Set(shown.map((group) => group.traceId))];
    const spans = await this.#api.sql(failedSpansSql(traceIds, bounds), signal);
    // Without it the groups still lead to the call that failed.
    return ok({ groups, places: spans.ok ? placesOf(shown, spans.value) : new Map() });
  }

  async #loadSetup(subject: Subject, bounds: Within, signal: AbortSignal): Answer<Setup> {
    const column = subject.calls === 'service' ? 'service' : 'faas.name';
    const mine = { column, op: '=', value: subject.name };
    const there =
      bounds.environment === ''
        ? []
        : [{ column: ENVIRONMENT_KEY, op: '=', value: bounds.environment }];
    const isCall =
      subject.calls === 'invocation'
        ? { column: 'throughline.phase', op: '=', value: 'invoke' }
        : { column: 'kind', op: 'in', value: ['server', 'consumer'] };
    const newest = (filters: readonly object[]) =>
      this.#api.search(
        {
          dataset: 'spans',
          filters: [mine, ...filters, ...there],
          from: String(bounds.from),
          to: String(bounds.to),
          limit: 1,
          count: 'page',
        },
        signal,
      );
    const call = await newest([isCall]);
    if (!call.ok) return call;
    const library = await newest([{ column: 'telemetry.sdk.name', op: 'exists' }]);
    if (!library.ok) return library;
    return ok(setupOf(call.value[0] ?? null, library.value[0] ?? null));
  }

  async #lookElsewhere(isNew: boolean): Promise<readonly (Result<unknown, ApiError> | null)[]> {
    const found = await this.known.load(isNew, async (signal) =>
      map(
        await this.#api.services(signal),
        (services) => services.find((service) => service.name === this.#name) ?? null,
      ),
    );
    return [found];
  }
}

/** A first step that is cut would look like a rise. */
function fromWholeStep({ from, to }: Bounds, step: number): Bounds {
  const nanos = BigInt(step) * NANOS_PER_SECOND;
  return { from: (from - (from % nanos)) as UnixNanos, to };
}

function map<T, U>(answer: Result<T, ApiError>, read: (value: T) => U): Result<U, ApiError> {
  return answer.ok ? ok(read(answer.value)) : err(answer.error);
}

const REFRESH_MILLIS = 15_000;
const POINTS = 60;
const PLACES_MAX = 20;
const EDGES_MAX = 1_000;
