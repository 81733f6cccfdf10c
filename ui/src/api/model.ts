/** What the page knows of traces: the wire's words with real times. */
import type { DurationNanos, UnixNanos } from '../base/time';
import type {
  Json,
  WireAction,
  WireActionList,
  WireActionPlan,
  WireActionStanding,
  WireAlerts,
  WireAuditPage,
  WireCompleteness,
  WireContrast,
  WireContrastQuestion,
  WireCostList,
  WireDifference,
  WireEdgeMap,
  WireFinding,
  WireFittingActions,
  WireFunctionAdvice,
  WireGraphAnswer,
  WireGraphLanguage,
  WireGraphQuestion,
  WireIncident,
  WireIncidentPage,
  WireInvestigation,
  WireInvestigationQuestion,
  WireMapEdge,
  WireMapNode,
  WireNotifications,
  WireSaved,
  WireNotificationTestAnswer,
  WireOperationList,
  WireProposedAction,
  WireQueryAnswer,
  WireQuerySpec,
  WireScope,
  WireSearchQuestion,
  WireServiceShare,
  WireShownAction,
  WireSourceList,
  WireSpan,
  WireTable,
  WireWaitList,
  WireWall,
} from './wire';

export type { Json } from './wire';
export type Attributes = Readonly<Record<string, Json>>;
export type Scope = WireScope;
export type ServiceShare = WireServiceShare;
export type MapNode = WireMapNode;
export type MapEdge = WireMapEdge;
export type EdgeMap = WireEdgeMap;
export type Operation = WireOperationList['operations'][number];
export type WaitList = WireWaitList;
export type Wait = WireWaitList['waits'][number];
export type CostList = WireCostList;
/** Which memory a function should have. */
export type FunctionAdvice = WireFunctionAdvice;
export type SizeAdvice = NonNullable<WireFunctionAdvice['advice']>;
export type SizePoint = SizeAdvice['now'];
export type Completeness = WireCompleteness;
export type FunctionCompleteness = WireCompleteness['functions'][number];
/** What is left out is as the server has it by default. */
export type QuerySpec = Partial<WireQuerySpec>;
/** What is left out is as the server has it by default. */
export type SearchQuestion = Omit<Partial<WireSearchQuestion>, 'filters'> & {
  /** Conditions, which may be nested. */
  readonly filters?: readonly object[];
};
export type QueryAnswer = WireQueryAnswer;
/** A condition on rows. */
export type Condition = NonNullable<QuerySpec['filters']>[number];
/** What is left out is as the server has it by default. */
export type ContrastQuestion = Pick<WireContrastQuestion, 'start_time' | 'end_time' | 'q'> & {
  readonly dataset: WireContrastQuestion['dataset'];
  /** Conditions, which may be nested. */
  readonly filters: readonly object[];
  readonly selection: Pick<WireContrastQuestion['selection'], 'start_time' | 'end_time' | 'q'> & {
    readonly filters: readonly Condition[];
  };
};
export type Contrast = Omit<WireContrast, 'differences'> & {
  readonly differences: readonly Difference[];
};
export type Difference = Omit<WireDifference, 'filters' | 'alike'> & {
  readonly filters: readonly Condition[];
  readonly alike: readonly (readonly Condition[])[];
};
export type IncidentPage = WireIncidentPage;
export type Alerts = Omit<WireAlerts, 'settings'> & { readonly settings: AlertSettings };
export type AlertSettings = Omit<WireAlerts['settings'], 'alerts'> & {
  readonly alerts?: readonly AlertRule[];
};
/** Questions that are kept under names, for everybody. */
export type Saved = Omit<WireSaved, 'queries'> & { readonly queries: readonly SavedQuery[] };
export type SavedQuery = Omit<WireSaved['queries'][number], 'query'> & {
  readonly query?: QuerySpec;
};
export type Objective = NonNullable<AlertSettings['objectives']>[number];
export type AlertRule = Omit<NonNullable<WireAlerts['settings']['alerts']>[number], 'query'> & {
  readonly query?: QuerySpec;
};
export type ObjectiveNow = WireAlerts['objectives'][number];
export type AlertNow = WireAlerts['alerts'][number];
export type Notifications = WireNotifications;
export type NotificationSettings = WireNotifications['settings'];
export type Receiver = NonNullable<NotificationSettings['receivers']>[number];
export type Mute = NonNullable<NotificationSettings['mutes']>[number];
export type TestAnswer = WireNotificationTestAnswer['answers'][number];
export type IncidentSummary = WireIncidentPage['incidents'][number];
export type Incident = Omit<WireIncident, 'findings'> & { readonly findings: readonly Finding[] };
export type IncidentCause = NonNullable<WireIncident['cause']>;
export type Finding = Omit<WireFinding, 'filters'> & {
  readonly filters: readonly Condition[] | null;
};
export type Action = WireAction;
export type FittingActions = WireFittingActions;
export type Standing = WireActionStanding;
export type ActionList = WireActionList;
export type ProposedAction = WireProposedAction;
export type ShownAction = WireShownAction;
export type Plan = WireActionPlan;
export type AuditPage = WireAuditPage;
export type SourceList = WireSourceList;
export type AuditEntry = WireAuditPage['entries'][number];
export type Measure = WireFinding['after'];
/** What is left out is read from the sentence, or as the server has it by default. */
export type InvestigationQuestion = Partial<WireInvestigationQuestion>;
export type Investigation = Omit<WireInvestigation, 'evidence'> & {
  readonly evidence: readonly Evidence[];
};
export type Evidence = Omit<WireInvestigation['evidence'][number], 'search'> & {
  readonly search: EvidenceSearch | null;
};
export type EvidenceSearch = Omit<
  NonNullable<WireInvestigation['evidence'][number]['search']>,
  'filters'
> & { readonly filters: readonly Condition[] };
export type Suspect = WireInvestigation['causes'][number];
export type Neighbour = WireInvestigation['upstream'][number];
export type SymptomName = Suspect['symptom'];
export type FigureUnit = Suspect['unit'];
/** What is left out is as the server has it by default. */
export type GraphQuestion = Pick<WireGraphQuestion, 'query'> & Partial<WireGraphQuestion>;
export type GraphAnswer = Omit<WireGraphAnswer, 'rows'> & {
  readonly rows: readonly (readonly GraphCell[])[];
};
/** A value, a node, a relationship, a path, or several of these. */
export type GraphCell =
  | string
  | number
  | boolean
  | null
  | readonly GraphCell[]
  | { readonly node: string }
  | { readonly path: readonly string[]; readonly types: readonly string[] }
  | {
      readonly from: string;
      readonly to: string;
      readonly type: string;
      readonly operation: string;
    };
export type GraphUnit = WireGraphAnswer['columns'][number]['unit'];
export type GraphLanguage = WireGraphLanguage;
export type GraphQuestionKept = WireGraphLanguage['questions'][number];
/** What functions do right now. */
export type Wall = WireWall;
export type FunctionCard = WireWall['functions'][number];
export type Table = WireTable;
export type Cell = WireTable['rows'][number][number];
export type SpanKind = WireSpan['kind'];
export type SpanStatus = WireSpan['status'];

export interface TraceSummary {
  readonly traceId: string;
  /** Null while only logs have arrived. */
  readonly rootService: string | null;
  readonly rootName: string | null;
  readonly start: UnixNanos;
  readonly duration: DurationNanos;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly coldStartCount: number;
  readonly failed: boolean;
  readonly services: readonly ServiceShare[];
}

export interface TracePage {
  readonly traces: readonly TraceSummary[];
  readonly total: number;
  /** True when `total` is a lower bound. */
  readonly truncated: boolean;
  readonly nextCursor: string | null;
}

export interface SpanEvent {
  readonly time: UnixNanos;
  readonly name: string;
  readonly attributes: Attributes;
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

/** How it is known that a span goes on from its parent, where its trace does not say so. */
export interface Join {
  readonly how: 'carried' | 'matched' | 'inferred';
  /** What both have, as `kind:value`. */
  readonly key: string | null;
}

/** US dollars, as the extension estimates. */
export interface Cost {
  readonly usd: number;
  readonly reported: number;
  /** Invocations of which it is not known. */
  readonly missing: number;
}

export interface Span {
  readonly traceId: string | null;
  readonly join: Join | null;
  /** Nobody sent it: a service that a record came through. */
  readonly inferred: boolean;
  /** Which attempt at a request that was tried more than once. */
  readonly attempt: number | null;
  /** Of an invocation: its own; null if its report is not here. */
  readonly usd: number | null;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly parentMissing: boolean;
  readonly name: string;
  readonly kind: SpanKind;
  readonly start: UnixNanos;
  readonly duration: DurationNanos;
  readonly status: SpanStatus;
  readonly statusMessage: string;
  readonly service: string;
  readonly resource: Attributes;
  readonly scope: Scope;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
}

export interface Log {
  readonly time: UnixNanos;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: Json;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly service: string;
  readonly scope: Scope;
  readonly attributes: Attributes;
  readonly eventName: string;
}

export interface Trace extends TraceSummary {
  /** The traces that are joined in it. */
  readonly traceIds: readonly string[];
  /** Null while no invocation is in it. */
  readonly cost: Cost | null;
  /** Whether something that belongs to it is not here for want of room or time. */
  readonly partial: boolean;
  readonly spans: readonly Span[];
  readonly logs: readonly Log[];
}

export interface Service {
  readonly name: string;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly operations: readonly string[];
  readonly lastSeen: UnixNanos;
}

export interface LogPage {
  readonly logs: readonly Log[];
  readonly total: number;
  /** True when `total` is a lower bound. */
  readonly truncated: boolean;
  readonly nextCursor: string | null;
}

/** A key of attributes, or a value of one. */
export interface Known {
  readonly text: string;
  readonly type: string;
  readonly rows: number;
}

/** A span or a log record that was found: what both have. */
export interface Found {
  readonly time: UnixNanos;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly service: string;
  /** The name of a span, the line of a log record. */
  readonly text: string;
  /** Null for log records. */
  readonly duration: DurationNanos | null;
  readonly failed: boolean;
  readonly attributes: Attributes;
  /** Who sent it; empty for log records, of which the server does not say it here. */
  readonly resource: Attributes;
  readonly scope: Scope;
}
