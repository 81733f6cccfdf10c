import type { Api, Dataset } from '../../api/client';
import { Comparison } from '../../api/comparison.svelte';
import { Completion } from '../../api/completion';
import type { ApiError } from '../../api/error';
import type { Contrast, Found, QueryAnswer, SearchQuestion, Table } from '../../api/model';
import { Latest, superseded } from '../../base/latest';
import { boundsOf, type Bounds, type TimeRange } from '../../base/range';
import { answered, type Remote } from '../../base/remote';
import { err } from '../../base/result';
import { now } from '../../base/time';
import {
  environmentFilter,
  inEnvironment,
  toFilters,
  toSpec,
  type Draft,
  type WireFilter,
} from './draft';

export type ExploreApi = Pick<Api, 'query' | 'search' | 'contrast' | 'sql' | 'keys' | 'values'>;

/** An answer, and what was asked for it. */
export interface Answered {
  readonly draft: Draft;
  readonly bounds: Bounds;
  readonly step: number;
  readonly answer: QueryAnswer;
}

/** Some of the rows of a question, of which it is asked why they are different. */
export interface Selection {
  readonly filters: readonly WireFilter[];
  /** In seconds since 1970; null where all of the time counts. */
  readonly from: number | null;
  readonly to: number | null;
}

/** Questions of the builder and of SQL; each new one takes the place of the one before. */
export class ExploreStore {
  #api: ExploreApi;
  #environment: string;
  #asked = new Latest();
  #found = new Latest();
  #stated = new Latest();
  #remote = $state.raw<Remote<Answered, ApiError>>({ state: 'idle' });
  #examples = $state.raw<Remote<readonly Found[], ApiError>>({ state: 'idle' });
  #table = $state.raw<Remote<Table, ApiError>>({ state: 'idle' });
  #completion: Completion;
  #comparison: Comparison;

  constructor(api: ExploreApi, environment = '') {
    this.#api = api;
    this.#completion = new Completion(api);
    this.#comparison = new Comparison(api);
    this.#environment = environment;
  }

  get remote(): Remote<Answered, ApiError> {
    return this.#remote;
  }

  /** Rows that a point of a chart stands for, or all that match. */
  get examples(): Remote<readonly Found[], ApiError> {
    return this.#examples;
  }

  /** Why the rows of a selection are different. */
  get contrast(): Remote<Contrast, ApiError> {
    return this.#comparison.remote;
  }

  /** The answer to the statement of SQL. */
  get table(): Remote<Table, ApiError> {
    return this.#table;
  }

  dispose(): void {
    this.#asked.cancel();
    this.#found.cancel();
    this.#comparison.forget();
    this.#stated.cancel();
  }

  async run(draft: Draft, range: TimeRange): Promise<void> {
    const bounds = boundsOf(range, now());
    const spec = inEnvironment(toSpec(draft, bounds), this.#environment);
    if (spec === null) {
      this.#asked.cancel();
      this.#remote = answered<Answered, ApiError>(this.#remote, err(NOT_BESIDE_OR));
      return;
    }
    this.#remote = { state: 'loading', kept: kept(this.#remote) };
    const answer = await this.#asked.run((signal) => this.#api.query(spec, signal));
    if (answer === superseded) return;
    const step = spec.granularity ?? 60;
    this.#remote = answered<Answered, ApiError>(
      this.#remote,
      answer.ok ? { ok: true, value: { draft, bounds, step, answer: answer.value } } : answer,
    );
  }

  /** The rows of a question, narrowed further by what a point of a chart says. */
  async find(
    draft: Draft,
    bounds: Bounds,
    more: readonly WireFilter[],
    limit: number,
  ): Promise<void> {
    this.#examples = { state: 'loading', kept: null };
    if (draft.dataset === 'metrics') {
      const detail = 'metrics have no rows to show here; SQL shows their points';
      this.#examples = answered(this.#examples, err({ kind: 'malformed', detail }));
      return;
    }
    const question: SearchQuestion = {
      dataset: draft.dataset,
      filters: [...this.#filters(draft), ...more],
      from: String(bounds.from),
      to: String(bounds.to),
      limit,
      count: 'page',
    };
    const found = await this.#found.run((signal) => this.#api.search(question, signal));
    if (found !== superseded) this.#examples = answered(this.#examples, found);
  }

  /** Compares the rows of a selection with all others of the question. */
  async compare({ draft, bounds }: Answered, selection: Selection): Promise<void> {
    if (draft.dataset === 'metrics') return;
    const { start_time, end_time } = toSpec(draft, bounds);
    await this.#comparison.ask({
      dataset: draft.dataset,
      filters: this.#filters(draft),
      start_time: start_time ?? null,
      end_time: end_time ?? null,
      selection: {
        filters: selection.filters,
        start_time: selection.from,
        end_time: selection.to,
      },
    });
  }

  forget(): void {
    this.#found.cancel();
    this.#examples = { state: 'idle' };
    this.#comparison.forget();
  }

  /** What holds for all rows of a question. */
  #filters(draft: Draft): readonly object[] {
    const own = toFilters(draft.filters);
    const there = this.#environment === '' ? [] : [environmentFilter(this.#environment)];
    return [...(draft.any && own.length > 0 ? [{ or: own }] : own), ...there];
  }

  async state(sql: string): Promise<void> {
    this.#table = { state: 'loading', kept: kept(this.#table) };
    const answer = await this.#stated.run((signal) => this.#api.sql(sql, signal));
    if (answer !== superseded) this.#table = answered<Table, ApiError>(this.#table, answer);
  }

  /** Keys that begin like this, columns first. */
  keys(dataset: Dataset, prefix: string): Promise<readonly string[]> {
    return this.#completion.keys(dataset, prefix);
  }

  values(dataset: Dataset, key: string, prefix: string): Promise<readonly string[]> {
    return this.#completion.values(dataset, key, prefix);
  }
}

function kept<T>(remote: Remote<T, ApiError>): T | null {
  return remote.state === 'ready' ? remote.value : 'kept' in remote ? remote.kept : null;
}

const NOT_BESIDE_OR: ApiError = {
  kind: 'refused',
  status: 400,
  code: 'TL0201',
  message: 'one of several conditions cannot be asked within one environment; choose all of them',
};
