import type { Api, LogQuery } from '../../api/client';
import { Comparison } from '../../api/comparison.svelte';
import type { ApiError } from '../../api/error';
import type { Contrast, ContrastQuestion, Log, Service } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { boundsOf, stepSeconds, type Bounds, type TimeRange } from '../../base/range';
import { answered, keptOf, type Remote } from '../../base/remote';
import { now } from '../../base/time';
import { toQuery, type LogFilters } from './filters';
import { barsOf, type Bar } from './histogram';
import { histogramSql } from './sql';

export type LogApi = Pick<Api, 'logs' | 'tail' | 'sql' | 'services' | 'contrast'>;

export interface Listed {
  readonly logs: readonly Log[];
  readonly total: number;
  readonly truncated: boolean;
  readonly nextCursor: string | null;
}

/** The logs of a search; while it follows, new ones come on top. */
export class LogStore {
  #api: LogApi;
  #filters: LogFilters;
  #range: TimeRange;
  #pageRows: number;
  #asked = new Latest();
  #counted = new Latest();
  #comparison: Comparison;
  #tail: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** The question that the list answers; the next page must ask the same. */
  #shownBy: LogQuery = {};
  #arrived: Log[] = [];
  #remote = $state.raw<Remote<Listed, ApiError>>({ state: 'idle' });
  #bars = $state.raw<readonly Bar[] | null>(null);
  #services = $state.raw<readonly Service[]>([]);
  #live = $state(false);
  #held = $state(false);
  #waiting = $state(0);
  #dropped = $state(0);
  #loadingMore = $state(false);

  constructor(api: LogApi, filters: LogFilters, range: TimeRange, pageRows: number) {
    this.#api = api;
    this.#comparison = new Comparison(api);
    this.#filters = filters;
    this.#range = range;
    this.#pageRows = pageRows;
  }

  get remote(): Remote<Listed, ApiError> {
    return this.#remote;
  }

  get listed(): Listed | null {
    return keptOf(this.#remote);
  }

  /** Null while nobody has counted, or when the search cannot be counted. */
  get bars(): readonly Bar[] | null {
    return this.#bars;
  }

  get services(): readonly Service[] {
    return this.#services;
  }

  /** Why some of the lines are different. */
  get contrast(): Remote<Contrast, ApiError> {
    return this.#comparison.remote;
  }

  /** The time that is asked about now. */
  bounds(): Bounds {
    return boundsOf(this.#range, now());
  }

  get live(): boolean {
    return this.#live;
  }

  /** Arrived while the reader reads. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Records that came too fast to be shown. */
  get dropped(): number {
    return this.#dropped;
  }

  get loadingMore(): boolean {
    return this.#loadingMore;
  }

  start(): void {
    void this.#load();
    void this.#count();
    void this.#api.services().then((answer) => {
      if (answer.ok) this.#services = answer.value;
    });
  }

  dispose(): void {
    this.#asked.cancel();
    this.#counted.cancel();
    this.#comparison.forget();
    this.#stopTail();
  }

  /** Another search: what is shown belongs to the old one. */
  ask(filters: LogFilters, range: TimeRange, pageRows: number): void {
    this.#filters = filters;
    this.#range = range;
    this.#pageRows = pageRows;
    this.#comparison.forget();
    void this.#load();
    void this.#count();
    if (this.#live) this.#startTail();
  }

  /** Null is what cannot be asked. */
  async compare(question: ContrastQuestion | null): Promise<void> {
    if (question === null) this.#comparison.refuse('a condition of the search cannot be read');
    else await this.#comparison.ask(question);
  }

  forget(): void {
    this.#comparison.forget();
  }

  retry(): void {
    void this.#load();
    void this.#count();
  }

  follow(live: boolean): void {
    if (live === this.#live) return;
    this.#live = live;
    if (live) {
      void this.#load();
      this.#startTail();
    } else this.#stopTail();
  }

  /** While held, nothing moves; what arrives is counted instead. */
  hold(held: boolean): void {
    this.#held = held;
    if (!held) this.#flush();
  }

  async more(): Promise<void> {
    const listed = this.listed;
    if (listed === null || listed.nextCursor === null || this.#loadingMore) return;
    this.#loadingMore = true;
    const page = await this.#asked.run((signal) =>
      this.#api.logs({ ...this.#shownBy, cursor: listed.nextCursor! }, signal),
    );
    this.#loadingMore = false;
    if (page === superseded) return;
    const shown = this.listed;
    if (!page.ok) this.#remote = answered<Listed, ApiError>(this.#remote, page);
    else if (shown !== null) {
      const { logs, nextCursor } = page.value;
      this.#remote = {
        state: 'ready',
        value: { ...shown, logs: [...shown.logs, ...logs], nextCursor },
      };
    }
  }

  #query(): LogQuery {
    const bounds = this.bounds();
    const open = this.#range.kind === 'last' ? {} : { to: bounds.to };
    return { ...toQuery(this.#filters), from: bounds.from, ...open, limit: this.#pageRows };
  }

  async #load(): Promise<void> {
    this.#waiting = 0;
    this.#arrived = [];
    this.#remote = { state: 'loading', kept: this.listed };
    const query = this.#query();
    const page = await this.#asked.run((signal) => this.#api.logs(query, signal));
    if (page === superseded) return;
    this.#shownBy = query;
    this.#remote = answered<Listed, ApiError>(this.#remote, page);
  }

  async #count(): Promise<void> {
    const bounds = this.bounds();
    const step = stepSeconds(bounds, BARS);
    const sql = histogramSql(this.#filters, bounds, step);
    if (sql === null) {
      this.#bars = null;
      return;
    }
    const table = await this.#counted.run((signal) => this.#api.sql(sql, signal));
    if (table === superseded) return;
    this.#bars = table.ok ? barsOf(table.value, bounds, step) : null;
  }

  #startTail(): void {
    this.#stopTail();
    const gone = new AbortController();
    this.#tail = gone;
    this.#dropped = 0;
    void this.#followOn(gone.signal);
    const tick = (): void => {
      void this.#count();
      this.#timer = setTimeout(tick, COUNT_MILLIS);
    };
    this.#timer = setTimeout(tick, COUNT_MILLIS);
  }

  /** A connection that breaks is made again, ever later, until nobody follows any more. */
  async #followOn(signal: AbortSignal): Promise<void> {
    let pause = RETRY_MILLIS;
    while (!signal.aborted) {
      const end = await this.#api.tail(
        toQuery(this.#filters),
        (event) => {
          if (signal.aborted) return;
          if (event.kind === 'following') pause = RETRY_MILLIS;
          if (event.kind === 'dropped') this.#dropped += event.count;
          if (event.kind === 'log') this.#arrive(event.log);
        },
        signal,
      );
      if (signal.aborted) return;
      if (!end.ok) this.#remote = answered(this.#remote, end);
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, RETRY_MILLIS_MAX);
    }
  }

  #stopTail(): void {
    this.#tail?.abort();
    this.#tail = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arrive(log: Log): void {
    this.#arrived.push(log);
    if (this.#arrived.length > ROWS_MAX) {
      this.#arrived.shift();
      this.#dropped += 1;
    }
    if (this.#arrived.length === 1 && !this.#held) setTimeout(() => this.#flush(), FLUSH_MILLIS);
    if (this.#held) this.#waiting = this.#arrived.length;
  }

  #flush(): void {
    if (this.#held || this.#arrived.length === 0) {
      this.#waiting = this.#arrived.length;
      return;
    }
    const shown = this.listed ?? { logs: [], total: 0, truncated: false, nextCursor: null };
    const known = new Set(shown.logs.slice(0, KNOWN_ROWS).map(nameOf));
    const fresh = this.#arrived.filter((log) => !known.has(nameOf(log))).reverse();
    const logs = [...fresh, ...shown.logs];
    // What is pushed out at the end can be loaded again by asking anew.
    const cut = logs.length > ROWS_MAX;
    this.#remote = {
      state: 'ready',
      value: {
        ...shown,
        logs: logs.slice(0, ROWS_MAX),
        total: shown.total + fresh.length,
        nextCursor: cut ? null : shown.nextCursor,
      },
    };
    this.#arrived = [];
    this.#waiting = 0;
  }
}

function nameOf(log: Log): string {
  return `${log.time} ${log.traceId} ${log.spanId} ${JSON.stringify(log.body)}`;
}

export const PAGE_ROWS = 200;
/** What patterns are made of. */
export const PATTERN_ROWS = 1_000;
const ROWS_MAX = 2_000;
const KNOWN_ROWS = 400;
const BARS = 120;
const FLUSH_MILLIS = 250;
const COUNT_MILLIS = 10_000;
const RETRY_MILLIS = 1_000;
const RETRY_MILLIS_MAX = 15_000;
