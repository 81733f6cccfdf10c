import type { Api } from '../../api/client';
import type { ApiError } from '../../api/error';
import type { Service } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { poll, type Poll, type PollPlace, type Round } from '../../base/poll';
import { answered, asking, keptOf, type Remote } from '../../base/remote';
import { now, type UnixNanos } from '../../base/time';
import { formatFilters, toQuery, type Filters } from './filters';
import { appendPage, mergeFresh, type Listed, type Motion } from './merge';

/** The list of traces: asks again every two seconds and never loses what it had. */
export class TraceListStore {
  #api: ListApi;
  #place: PollPlace | undefined;
  #fresh = new Latest();
  #more = new Latest();
  #poll: Poll | null = null;
  #filters: Filters;

  #remote = $state.raw<Remote<Listed, ApiError>>({ state: 'idle' });
  #services = $state.raw<readonly Service[]>([]);
  #answeredAt = $state.raw<UnixNanos | null>(null);
  #waiting = $state(0);
  #paused = $state(false);
  #loadingMore = $state(false);
  #moreError = $state.raw<ApiError | null>(null);
  #holds = new Set<string>();

  constructor(api: ListApi, filters: Filters, place?: PollPlace) {
    this.#api = api;
    this.#filters = filters;
    this.#place = place;
  }

  get remote(): Remote<Listed, ApiError> {
    return this.#remote;
  }

  get listed(): Listed | null {
    return keptOf(this.#remote);
  }

  get services(): readonly Service[] {
    return this.#services;
  }

  /** When the server last answered. */
  get answeredAt(): UnixNanos | null {
    return this.#answeredAt;
  }

  /** Fresh traces kept back while the reader is on the list. */
  get waiting(): number {
    return this.#waiting;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get loadingMore(): boolean {
    return this.#loadingMore;
  }

  get moreError(): ApiError | null {
    return this.#moreError;
  }

  get full(): boolean {
    return (this.listed?.traces.length ?? 0) >= ROWS_MAX;
  }

  /** Begins to ask; `rows` is how many the reader had before, when they come back. */
  start(rows = PAGE_ROWS): void {
    let limit = Math.min(PAGE_ROWS_MAX, Math.max(PAGE_ROWS, rows));
    this.#remote = asking(this.#remote);
    const task = async (): Promise<Round> => {
      if (this.#paused) return 'answered';
      const round = await this.#refresh(this.#motion, limit);
      if (round === 'answered') limit = PAGE_ROWS;
      return round;
    };
    this.#poll = poll(task, POLL_MILLIS, this.#place);
  }

  dispose(): void {
    this.#poll?.stop();
    this.#fresh.cancel();
    this.#more.cancel();
  }

  /** New filters: what is shown belongs to other filters, so it goes. */
  filter(filters: Filters): void {
    if (formatFilters(filters) === formatFilters(this.#filters)) return;
    this.#filters = filters;
    this.#more.cancel();
    this.#loadingMore = false;
    this.#moreError = null;
    this.#waiting = 0;
    this.#remote = { state: 'loading', kept: null };
    void this.#refresh('flow', PAGE_ROWS);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#poll?.kick();
  }

  /** While anybody holds, no row moves; fresh traces are counted instead. */
  hold(why: string, held: boolean): void {
    if (held) this.#holds.add(why);
    else this.#holds.delete(why);
  }

  /** Asks now and shows everything, also what was kept back. */
  showFresh(): void {
    void this.#refresh('flow', PAGE_ROWS);
  }

  async loadMore(): Promise<void> {
    const listed = this.listed;
    if (listed === null || listed.nextCursor === null || this.#loadingMore || this.full) return;
    this.#loadingMore = true;
    const query = { ...toQuery(this.#filters, now()), limit: PAGE_ROWS, cursor: listed.nextCursor };
    const page = await this.#more.run((signal) => this.#api.traces(query, signal));
    if (page === superseded) return;
    this.#loadingMore = false;
    this.#moreError = page.ok ? null : page.error;
    const shown = this.listed;
    if (page.ok && shown !== null) {
      this.#remote = { state: 'ready', value: appendPage(shown, page.value) };
    }
  }

  get #motion(): Motion {
    return this.#holds.size > 0 ? 'hold' : 'flow';
  }

  async #refresh(motion: Motion, limit: number): Promise<Round> {
    void this.#refreshServices();
    this.#remote = asking(this.#remote);
    const query = { ...toQuery(this.#filters, now()), limit };
    const page = await this.#fresh.run((signal) => this.#api.traces(query, signal));
    if (page === superseded) return 'answered';
    if (!page.ok) {
      this.#remote = answered(this.#remote, page);
      return 'failed';
    }
    const { listed, waiting } = mergeFresh(this.listed, page.value, motion);
    this.#remote = { state: 'ready', value: listed };
    this.#waiting = waiting;
    this.#answeredAt = now();
    return 'answered';
  }

  /** Only suggestions come from it, so a failure is not worth a word of its own. */
  async #refreshServices(): Promise<void> {
    const services = await this.#api.services();
    if (services.ok) this.#services = services.value;
  }
}

export type ListApi = Pick<Api, 'traces' | 'services'>;

export const POLL_MILLIS = 2_000;
const PAGE_ROWS = 50;
const PAGE_ROWS_MAX = 200;

/** Beyond this a reader is better served by a filter than by a longer list. */
export const ROWS_MAX = 1_000;
