/** The only place of the page that fetches. */
import { err, ok, type Result } from '../base/result';
import type { DurationNanos, UnixNanos } from '../base/time';
import { decodeServices, decodeTrace, decodeTracePage } from './decode';
import type { ApiError } from './error';
import { parseJson } from './json';
import type { Service, Trace, TracePage } from './model';
import type { WireError, WireServiceList, WireTrace, WireTraceList } from './wire';

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

export interface Api {
  traces(query: TraceQuery, signal?: AbortSignal): Answer<TracePage>;
  trace(traceId: string, signal?: AbortSignal): Answer<Trace>;
  services(signal?: AbortSignal): Answer<readonly Service[]>;
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

  async function load<W, T>(path: string, decode: (wire: W) => T, signal?: AbortSignal): Answer<T> {
    try {
      const init: RequestInit = { headers: headers() };
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

  return {
    traces: (query, signal) =>
      load<WireTraceList, TracePage>(`/traces${traceSearch(query)}`, decodeTracePage, signal),
    trace: (traceId, signal) =>
      load<WireTrace, Trace>(`/traces/${encodeURIComponent(traceId)}`, decodeTrace, signal),
    services: (signal) =>
      load<WireServiceList, readonly Service[]>('/services', decodeServices, signal),
  };
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

// Long enough for a cold store, short enough that the page says so.
const REQUEST_MILLIS_MAX = 15_000;
