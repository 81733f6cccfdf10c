/** The only place of the page that fetches. */
import { err, ok, type Result } from '../base/result';
import type { DurationNanos, UnixNanos } from '../base/time';
import {
  decodeFound,
  decodeKeys,
  decodeLog,
  decodeLogPage,
  decodeServices,
  decodeTrace,
  decodeTracePage,
  decodeValues,
} from './decode';
import type { ApiError } from './error';
import { parseJson } from './json';
import type {
  Completeness,
  Contrast,
  ContrastQuestion,
  CostList,
  EdgeMap,
  Found,
  GraphAnswer,
  GraphLanguage,
  GraphQuestion,
  Incident,
  IncidentPage,
  Investigation,
  InvestigationQuestion,
  Known,
  Log,
  LogPage,
  Operation,
  QueryAnswer,
  QuerySpec,
  SearchQuestion,
  Service,
  Table,
  Trace,
  TracePage,
  WaitList,
  Wall,
} from './model';
import { EventReader } from './events';
import type {
  WireAttributeList,
  WireError,
  WireLog,
  WireLogPage,
  WireOperationList,
  WireServiceList,
  WireSpanPage,
  WireTrace,
  WireTraceList,
  WireValueList,
} from './wire';

export type Answer<T> = Promise<Result<T, ApiError>>;

/** Which traces to list; what is left out does not narrow. */
export interface TraceQuery {
  readonly service?: string;
  readonly operation?: string;
  readonly status?: 'ok' | 'error';
  readonly minDuration?: DurationNanos;
  /** Each `key=value`; all must hold. */
  readonly attributes?: readonly string[];
  readonly from?: UnixNanos;
  readonly to?: UnixNanos;
  readonly limit?: number;
  readonly cursor?: string;
}

/** A stretch of time, and whose. */
export interface Stretch {
  readonly from: UnixNanos;
  readonly to: UnixNanos;
  readonly service?: string;
  readonly function?: string;
  /** All, unless it is named. */
  readonly environment?: string;
  readonly limit?: number;
}

/** Which log records to find; what is left out does not narrow. */
export interface LogQuery {
  readonly q?: string;
  readonly service?: string;
  readonly minSeverity?: number;
  readonly where?: readonly string[];
  readonly from?: UnixNanos;
  readonly to?: UnixNanos;
  readonly limit?: number;
  readonly cursor?: string;
}

/** Which incidents to list. */
export interface IncidentQuery {
  /** Only those that go on. */
  readonly openOnly: boolean;
  readonly cursor?: string;
}

export type Dataset = 'spans' | 'logs' | 'metrics';

/** What comes while log records are followed. */
export type TailEvent =
  | { readonly kind: 'following' }
  | { readonly kind: 'log'; readonly log: Log }
  /** The reader is too slow: so many were left out. */
  | { readonly kind: 'dropped'; readonly count: number };

export interface Api {
  traces(query: TraceQuery, signal?: AbortSignal): Answer<TracePage>;
  trace(traceId: string, signal?: AbortSignal): Answer<Trace>;
  services(signal?: AbortSignal): Answer<readonly Service[]>;
  edges(stretch: Stretch, signal?: AbortSignal): Answer<EdgeMap>;
  operations(stretch: Stretch, signal?: AbortSignal): Answer<readonly Operation[]>;
  /** How long messages waited. */
  waits(stretch: Stretch, signal?: AbortSignal): Answer<WaitList>;
  costs(stretch: Stretch, signal?: AbortSignal): Answer<CostList>;
  completeness(signal?: AbortSignal): Answer<Completeness>;
  logs(query: LogQuery, signal?: AbortSignal): Answer<LogPage>;
  /** Calls back with records as they arrive, until the signal ends it or the connection breaks. */
  tail(query: LogQuery, onevent: (event: TailEvent) => void, signal: AbortSignal): Answer<null>;
  /** Calls back every second with what functions do, those of one environment or all, until the signal ends it or the connection breaks. */
  live(onwall: (wall: Wall) => void, signal: AbortSignal, environment?: string): Answer<null>;
  keys(dataset: Dataset, prefix: string, signal?: AbortSignal): Answer<readonly Known[]>;
  values(
    dataset: Dataset,
    key: string,
    prefix: string,
    signal?: AbortSignal,
  ): Answer<readonly Known[]>;
  query(spec: QuerySpec, signal?: AbortSignal): Answer<QueryAnswer>;
  incidents(query: IncidentQuery, signal?: AbortSignal): Answer<IncidentPage>;
  incident(id: string, signal?: AbortSignal): Answer<Incident>;
  investigate(question: InvestigationQuestion, signal?: AbortSignal): Answer<Investigation>;
  /** What can be asked of the graph. */
  graphLanguage(signal?: AbortSignal): Answer<GraphLanguage>;
  graph(question: GraphQuestion, signal?: AbortSignal): Answer<GraphAnswer>;
  contrast(question: ContrastQuestion, signal?: AbortSignal): Answer<Contrast>;
  search(question: SearchQuestion, signal?: AbortSignal): Answer<readonly Found[]>;
  sql(statement: string, signal?: AbortSignal): Answer<Table>;
}

export interface ApiOptions {
  readonly base?: string;
  readonly fetcher?: typeof fetch;
  readonly key?: () => string | null;
  /** The server asks for a key that was not given or is wrong. */
  readonly onKeyNeeded?: () => void;
}

export function createApi(options: ApiOptions = {}): Api {
  const base = options.base ?? '/api/v1';
  const fetcher = options.fetcher ?? ((...request) => fetch(...request));

  function headers(): Record<string, string> {
    const key = options.key?.() ?? null;
    const accept = { accept: 'application/json' };
    return key === null ? accept : { ...accept, authorization: `Bearer ${key}` };
  }

  async function load<W, T>(
    path: string,
    decode: (wire: W) => T,
    signal?: AbortSignal,
    body?: unknown,
  ): Answer<T> {
    try {
      const init: RequestInit = { headers: headers() };
      if (body !== undefined) {
        init.method = 'POST';
        init.headers = { ...headers(), 'content-type': 'application/json' };
        init.body = JSON.stringify(body);
      }
      const timeout = AbortSignal.timeout(REQUEST_MILLIS_MAX);
      init.signal = signal ? AbortSignal.any([signal, timeout]) : timeout;
      const response = await fetcher(base + path, init);
      if (response.status === 401) options.onKeyNeeded?.();
      if (!response.ok) return err(await refusal(response));
      return read(await response.text(), decode);
    } catch (cause) {
      return err({ kind: 'unreachable', detail: String(cause) });
    }
  }

  /** Not EventSource: that cannot send a key. */
  async function follow(
    path: string,
    onopen: () => void,
    onevent: (event: string, data: unknown) => void,
    signal: AbortSignal,
  ): Answer<null> {
    try {
      const init = { headers: { ...headers(), accept: 'text/event-stream' }, signal };
      const response = await fetcher(base + path, init);
      if (response.status === 401) options.onKeyNeeded?.();
      if (!response.ok || response.body === null) return err(await refusal(response));
      onopen();
      const events = new EventReader();
      const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await chunks.read(); !part.done; part = await chunks.read()) {
        for (const { event, data } of events.read(part.value)) onevent(event, parseJson(data));
      }
      return ok(null);
    } catch (cause) {
      return err({ kind: 'unreachable', detail: String(cause) });
    }
  }

  function tail(
    query: LogQuery,
    onevent: (event: TailEvent) => void,
    signal: AbortSignal,
  ): Answer<null> {
    const told = (event: string, data: unknown): void => {
      if (event === 'log') onevent({ kind: 'log', log: decodeLog(data as WireLog) });
      if (event === 'dropped')
        onevent({ kind: 'dropped', count: (data as { dropped: number }).dropped });
    };
    return follow(
      `/logs/tail${logSearch(query)}`,
      () => onevent({ kind: 'following' }),
      told,
      signal,
    );
  }

  function live(onwall: (wall: Wall) => void, signal: AbortSignal, environment = ''): Answer<null> {
    const told = (event: string, data: unknown): void => {
      if (event === 'wall') onwall(data as Wall);
    };
    const search = environment === '' ? '' : `?${new URLSearchParams({ environment })}`;
    return follow(`/live${search}`, () => {}, told, signal);
  }

  return {
    traces: (query, signal) =>
      load<WireTraceList, TracePage>(`/traces${traceSearch(query)}`, decodeTracePage, signal),
    trace: (traceId, signal) =>
      load<WireTrace, Trace>(
        `/traces/${encodeURIComponent(traceId)}?anywhere=true`,
        decodeTrace,
        signal,
      ),
    services: (signal) =>
      load<WireServiceList, readonly Service[]>('/services', decodeServices, signal),
    edges: (stretch, signal) => load(`/edges${stretchSearch(stretch)}`, asItIs<EdgeMap>, signal),
    operations: (stretch, signal) =>
      load<WireOperationList, readonly Operation[]>(
        `/operations${stretchSearch(stretch)}`,
        (wire) => wire.operations,
        signal,
      ),
    waits: (stretch, signal) => load(`/waits${stretchSearch(stretch)}`, asItIs<WaitList>, signal),
    costs: (stretch, signal) => load(`/costs${stretchSearch(stretch)}`, asItIs<CostList>, signal),
    completeness: (signal) =>
      load(`/completeness?limit=${COMPLETENESS_MAX}`, asItIs<Completeness>, signal),
    logs: (query, signal) =>
      load<WireLogPage, LogPage>(`/logs${logSearch(query)}`, decodeLogPage, signal),
    tail,
    live,
    keys: (dataset, prefix, signal) =>
      load<WireAttributeList, readonly Known[]>(
        `/attributes${completionSearch(dataset, prefix)}`,
        decodeKeys,
        signal,
      ),
    values: (dataset, key, prefix, signal) =>
      load<WireValueList, readonly Known[]>(
        `/attributes/${encodeURIComponent(key)}/values${completionSearch(dataset, prefix)}`,
        decodeValues,
        signal,
      ),
    query: (spec, signal) => load('/query', asItIs<QueryAnswer>, signal, spec),
    incidents: (query, signal) =>
      load(`/incidents${incidentSearch(query)}`, asItIs<IncidentPage>, signal),
    incident: (id, signal) =>
      load(`/incidents/${encodeURIComponent(id)}`, asItIs<Incident>, signal),
    investigate: (question, signal) =>
      load('/investigations', asItIs<Investigation>, signal, question),
    graphLanguage: (signal) => load('/graph', asItIs<GraphLanguage>, signal),
    graph: (question, signal) => load('/graph/query', asItIs<GraphAnswer>, signal, question),
    contrast: (question, signal) => load('/contrast', asItIs<Contrast>, signal, question),
    search: (question, signal) =>
      load<WireSpanPage | WireLogPage, readonly Found[]>('/search', decodeFound, signal, question),
    sql: (statement, signal) => load('/sql', asItIs<Table>, signal, { sql: statement }),
  };
}

export function logSearch(query: LogQuery): string {
  const search = new URLSearchParams();
  if (query.q) search.set('q', query.q);
  if (query.service) search.set('service', query.service);
  if (query.minSeverity) search.set('min_severity', String(query.minSeverity));
  for (const condition of query.where ?? []) search.append('where', condition);
  if (query.from !== undefined) search.set('from', String(query.from));
  if (query.to !== undefined) search.set('to', String(query.to));
  if (query.limit !== undefined) search.set('limit', String(query.limit));
  if (query.cursor !== undefined) search.set('cursor', query.cursor);
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

function incidentSearch({ openOnly, cursor }: IncidentQuery): string {
  const search = new URLSearchParams();
  if (openOnly) search.set('state', 'open');
  if (cursor !== undefined) search.set('cursor', cursor);
  return search.size === 0 ? '' : `?${search}`;
}

/** What is not typed yet narrows nothing, and the server takes no empty text. */
export function completionSearch(dataset: Dataset, prefix: string): string {
  const search = new URLSearchParams({ dataset, limit: String(COMPLETIONS_MAX) });
  if (prefix !== '') search.set('prefix', prefix);
  return `?${search}`;
}

function stretchSearch(stretch: Stretch): string {
  const search = new URLSearchParams({ from: String(stretch.from), to: String(stretch.to) });
  if (stretch.service) search.set('service', stretch.service);
  if (stretch.function) search.set('function', stretch.function);
  if (stretch.environment) search.set('environment', stretch.environment);
  if (stretch.limit !== undefined) search.set('limit', String(stretch.limit));
  return `?${search}`;
}

function asItIs<T>(wire: T): T {
  return wire;
}

export function traceSearch(query: TraceQuery): string {
  const search = new URLSearchParams();
  if (query.service) search.set('service', query.service);
  if (query.operation) search.set('operation', query.operation);
  if (query.status) search.set('status', query.status);
  if (query.minDuration) search.set('min_duration_ms', String(Number(query.minDuration) / 1e6));
  for (const attribute of query.attributes ?? []) search.append('attribute', attribute);
  if (query.from !== undefined) search.set('from', String(query.from));
  if (query.to !== undefined) search.set('to', String(query.to));
  if (query.limit !== undefined) search.set('limit', String(query.limit));
  if (query.cursor !== undefined) search.set('cursor', query.cursor);
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

function read<W, T>(text: string, decode: (wire: W) => T): Result<T, ApiError> {
  try {
    return ok(decode(parseJson(text) as W));
  } catch (cause) {
    // A missing field shows as a TypeError, a bad time as Malformed, text that
    // is no JSON as a SyntaxError: all mean that page and server do not match.
    return err({
      kind: 'malformed',
      detail: cause instanceof Error ? cause.message : String(cause),
    });
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { code, message } = JSON.parse(text) as WireError;
    return { kind: 'refused', status: response.status, code, message };
  } catch {
    // A proxy in between answers with its own words.
    const message = response.statusText || 'no reason given';
    return { kind: 'refused', status: response.status, code: '', message };
  }
}

// The server itself gives up after 30 seconds, and says why.
const REQUEST_MILLIS_MAX = 35_000;
const COMPLETIONS_MAX = 50;
const COMPLETENESS_MAX = 200;
