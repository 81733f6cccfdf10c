import type { Span, Trace } from '../../api/model';
import type { LogLine } from '../../widgets/waterfall/lines';
import { buildTree, type Tree } from '../../widgets/waterfall/tree';
import {
  ALL_LOGS,
  groupBySpan,
  logLine,
  narrowLogs,
  placeLogs,
  type LogFilter,
  type PlacedLog,
} from './logs';
import type { Told } from './opened';
import { spanMatches, waterfallSpans } from './waterfall';

export interface Picked {
  readonly name: string;
  readonly ids: ReadonlySet<string>;
}

/** What a trace is read as: its tree, its logs in their places, and what is sought in it. */
export class TraceReading implements Told {
  #trace: () => Trace | null;
  /** Text that the reader looks for in spans. */
  search = $state('');
  /** Spans that the reader picked elsewhere, and what they are. */
  picked = $state.raw<Picked | null>(null);
  logFilter = $state.raw<LogFilter>(ALL_LOGS);
  #logs = $derived.by(() => placeLogs(this.#trace()?.spans ?? [], this.#trace()?.logs ?? []));
  #logsBySpan = $derived.by(() => groupBySpan(this.#logs));
  #tree = $derived.by(() => {
    const trace = this.#trace();
    return buildTree(trace === null ? [] : waterfallSpans(trace, this.#logsBySpan));
  });
  #spans = $derived.by(
    () => new Map((this.#trace()?.spans ?? []).map((span) => [span.spanId, span])),
  );
  #found = $derived.by(() => {
    if (this.search.trim() === '') return null;
    return this.#idsOf((span) => spanMatches(span, this.search));
  });
  #writers = $derived.by(() => [...new Set(this.#logs.map(({ log }) => log.service))].sort());
  #lines = $derived.by(() => narrowLogs(this.#logs, this.logFilter).map(logLine));
  #ofWriter = $derived.by(() => {
    const { service } = this.logFilter;
    return service === '' ? null : this.#idsOf((span) => span.service === service);
  });

  constructor(trace: () => Trace | null) {
    this.#trace = trace;
  }

  get logs(): readonly PlacedLog[] {
    return this.#logs;
  }

  get logsBySpan(): ReadonlyMap<string, readonly PlacedLog[]> {
    return this.#logsBySpan;
  }

  get tree(): Tree {
    return this.#tree;
  }

  get spans(): ReadonlyMap<string, Span> {
    return this.#spans;
  }

  /** The ids of spans that the search found; null while nothing is sought. */
  get found(): ReadonlySet<string> | null {
    return this.#found;
  }

  /** The spans that stand out, by search, by what was picked, or by whose logs are shown; null for all. */
  lit(withLogs: boolean): ReadonlySet<string> | null {
    return this.#found ?? this.picked?.ids ?? (withLogs ? this.#ofWriter : null);
  }

  /** The services that have logged something. */
  get writers(): readonly string[] {
    return this.#writers;
  }

  /** The logs that the filter leaves, to stand between the spans. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** The next match of the search after a span, and then from the top. */
  nextFound(after: string | null): string | null {
    const found = this.#found;
    if (found === null || found.size === 0) return null;
    const rows = this.#tree.rows.filter((row) => found.has(row.span.id));
    const at = after === null ? -1 : (this.#tree.indexOf.get(after) ?? -1);
    return (rows.find((row) => row.index > at) ?? rows[0]!).span.id;
  }

  #idsOf(matches: (span: Span) => boolean): ReadonlySet<string> {
    return new Set((this.#trace()?.spans ?? []).filter(matches).map((span) => span.spanId));
  }
}
