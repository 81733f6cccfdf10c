/** The only place of the page that fetches. */
import type { Severity } from '../base/marks';
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
  Action,
  ActionList,
  Alerts,
  AlertSettings,
  AuditPage,
  Completeness,
  Contrast,
  ContrastQuestion,
  CostList,
  EdgeMap,
  FittingActions,
  Found,
  FunctionAdvice,
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
  Notifications,
  NotificationSettings,
  Operation,
  ProposedAction,
  QueryAnswer,
  QuerySpec,
  Saved,
  SavedQuery,
  SearchQuestion,
  Service,
  ShownAction,
  SourceList,
  Standing,
  Table,
  TestAnswer,
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
  WireNotificationTestAnswer,
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
  /** Only those of this node, by its id on the map. */
  readonly subject?: string;
  /** Only those that matter at least as much. */
  readonly severity?: Severity;
  /** Only those that had not ended by then. */
  readonly from?: UnixNanos;
  /** Only those that began before then. */
  readonly to?: UnixNanos;
  readonly limit?: number;
  readonly cursor?: string;
}

/** What a person confirms an action with. */
export interface Confirmation {
  readonly k: string;
  readonly who: string;
  /** What they typed. */
  readonly typed: string;
  /** What they saw. */
  readonly seen: string | null;
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
  /** Of the last week, in one environment or all. */
  advice(name: string, environment: string, signal?: AbortSignal): Answer<FunctionAdvice>;
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
  /** What can be done about an incident, and what was. */
  fitting(incident: string, signal?: AbortSignal): Answer<FittingActions>;
  /** From where a function takes events, as the account has it. */
  sources(functionName: string, signal?: AbortSignal): Answer<SourceList>;
  /** Makes the link at which an action can be confirmed. */
  propose(action: Action, incident: number | null, who: string): Answer<ProposedAction>;
  /** What an action would do, for whoever has the key of its link. */
  action(id: string, key: string, signal?: AbortSignal): Answer<ShownAction>;
  /** The only thing here that acts. */
  confirm(id: string, confirmation: Confirmation): Answer<Standing>;
  undo(id: string, who: string): Answer<Standing>;
  /** So that it is not put back by itself. */
  keep(id: string, who: string): Answer<Standing>;
  /** What was done and can be undone, the newest first. */
  inForce(cursor: string | null, signal?: AbortSignal): Answer<ActionList>;
  /** The newest actions, whatever became of them. */
  actions(signal?: AbortSignal): Answer<ActionList>;
  /** Stops all actions for a reason, or lets them be done again with none. */
  switchActions(who: string, why: string | null): Answer<ActionList>;
  audit(cursor: string | null, signal?: AbortSignal): Answer<AuditPage>;
  alerts(signal?: AbortSignal): Answer<Alerts>;
  setAlerts(settings: AlertSettings): Answer<Alerts>;
  saved(signal?: AbortSignal): Answer<Saved>;
  /** Replaces that edition of them. */
  setSaved(queries: readonly SavedQuery[], edition: string): Answer<Saved>;
  notifications(signal?: AbortSignal): Answer<Notifications>;
  /** Replaces that edition of them. */
  setNotifications(settings: NotificationSettings, edition: string): Answer<Notifications>;
  /** Sends a sample to a receiver. */
  testNotifications(receiver: string): Answer<readonly TestAnswer[]>;
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
    method = 'POST',
  ): Answer<T> {
    try {
      const init: RequestInit = { headers: headers() };
      if (body !== undefined) {
        init.method = method;
        init.headers = { ...headers(), 'content-type': 'application/json' };
        init.body = JSON.stringify(body);
      }
      const patience = path.startsWith('/act/') ? ACT_MILLIS_MAX : REQUEST_MILLIS_MAX;
      const timeout = AbortSignal.timeout(patience);
      init.signal = signal ? AbortSignal.any([signal, timeout]) : timeout;
      // The address of a link does what the link is for; it is none of the API's.
      const address = path.startsWith('/act/') ? path : base + path;
      const response = await fetcher(address, init);
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
    advice: (name, environment, signal) => {
      const there = environment === '' ? '' : `?${new URLSearchParams({ environment })}`;
      const path = `/functions/${encodeURIComponent(name)}/advice${there}`;
      return load(path, asItIs<FunctionAdvice>, signal);
    },
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
    fitting: (incident, signal) =>
      load(`/incidents/${encodeURIComponent(incident)}/actions`, asItIs<FittingActions>, signal),
    sources: (name, signal) =>
      load(
        `/actions/sources?${new URLSearchParams({ function: name })}`,
        asItIs<SourceList>,
        signal,
      ),
    propose: (action, incident, who) =>
      load('/actions/propose', asItIs<ProposedAction>, undefined, { action, incident, who }),
    action: (id, k, signal) =>
      load(
        `/actions/${encodeURIComponent(id)}?${new URLSearchParams({ k })}`,
        asItIs<ShownAction>,
        signal,
      ),
    confirm: (id, confirmation) =>
      load(`/act/${encodeURIComponent(id)}`, asItIs<Standing>, undefined, confirmation),
    undo: (id, who) =>
      load(`/actions/${encodeURIComponent(id)}/undo`, asItIs<Standing>, undefined, { who }),
    keep: (id, who) =>
      load(`/actions/${encodeURIComponent(id)}/keep`, asItIs<Standing>, undefined, { who }),
    inForce: (cursor, signal) => {
      const search = new URLSearchParams({ in_force: 'true', ...(cursor !== null && { cursor }) });
      return load(`/actions?${search}`, asItIs<ActionList>, signal);
    },
    actions: (signal) => load('/actions', asItIs<ActionList>, signal),
    switchActions: (who, why) =>
      load('/actions/switch', asItIs<ActionList>, undefined, { who, why }),
    audit: (cursor, signal) =>
      load(
        `/audit${cursor === null ? '' : `?${new URLSearchParams({ cursor })}`}`,
        asItIs<AuditPage>,
        signal,
      ),
    alerts: (signal) => load('/alerts', asItIs<Alerts>, signal),
    setAlerts: (settings) => load('/alerts', asItIs<Alerts>, undefined, settings, 'PUT'),
    saved: (signal) => load('/saved', asItIs<Saved>, signal),
    setSaved: (queries, edition) =>
      load(
        `/saved?${new URLSearchParams({ edition })}`,
        asItIs<Saved>,
        undefined,
        { queries },
        'PUT',
      ),
    notifications: (signal) => load('/notifications', asItIs<Notifications>, signal),
    setNotifications: (settings, edition) =>
      load(
        `/notifications?${new URLSearchParams({ edition })}`,
        asItIs<Notifications>,
        undefined,
        settings,
        'PUT',
      ),
    testNotifications: (receiver) =>
      load<WireNotificationTestAnswer, readonly TestAnswer[]>(
        '/notifications/test',
        ({ answers }) => answers,
        undefined,
        { receiver },
      ),
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

function incidentSearch(query: IncidentQuery): string {
  const { openOnly, subject, severity, from, to, limit, cursor } = query;
  const search = new URLSearchParams();
  if (openOnly) search.set('state', 'open');
  const narrowing = { subject, severity, from, to, limit, cursor };
  for (const [key, value] of Object.entries(narrowing))
    if (value !== undefined) search.set(key, String(value));
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
// The server waits two minutes for the account.
const ACT_MILLIS_MAX = 130_000;
const COMPLETIONS_MAX = 50;
const COMPLETENESS_MAX = 200;
