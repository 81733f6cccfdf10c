/**
 * The JSON of `/api/v1` as it travels: times are decimal strings. The types
 * are generated from the server's OpenAPI file; `decode.ts` turns them into
 * the model, and nothing else in the page looks at them.
 */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Json = Schemas['Value'];
export type WireScope = Schemas['Scope'];
export type WireServiceShare = Schemas['ServiceCount'];
export type WireTraceSummary = Schemas['TraceSummary'];
export type WireTraceList = Schemas['TracePage'];
export type WireTrace = Schemas['Trace'];
export type WireSpan = Schemas['Span'];
export type WireLog = Schemas['Log'];
export type WireServiceList = Schemas['ServiceList'];
export type WireError = Schemas['Error'];
export type WireLogPage = Schemas['LogPage'];
export type WireEdgeMap = Schemas['EdgeMap'];
export type WireMapNode = Schemas['MapNode'];
export type WireMapEdge = Schemas['MapEdge'];
export type WireOperationList = Schemas['OperationList'];
export type WireWaitList = Schemas['WaitList'];
export type WireCostList = Schemas['CostList'];
export type WireFunctionAdvice = Schemas['FunctionAdvice'];
export type WireAttributeList = Schemas['AttributeList'];
export type WireValueList = Schemas['ValueList'];
export type WireCompleteness = Schemas['Completeness'];
export type WireSpanPage = Schemas['SpanPage'];
export type WireQuerySpec = Schemas['QuerySpec'];
export type WireQueryAnswer = Schemas['QueryAnswer'];
export type WireContrastQuestion = Schemas['ContrastQuestion'];
export type WireContrast = Schemas['ContrastAnswer'];
export type WireDifference = Schemas['Difference'];
export type WireIncidentPage = Schemas['IncidentPage'];
export type WireIncident = Schemas['Incident'];
export type WireAlerts = Schemas['Alerts'];
export type WireSaved = Schemas['Saved'];
export type WireNotifications = Schemas['Notifications'];
export type WireNotificationTestAnswer = Schemas['NotificationTestAnswer'];
export type WireInvestigation = Schemas['Investigation'];
export type WireInvestigationQuestion = Schemas['InvestigationQuestion'];
export type WireFinding = Schemas['Finding'];
export type WireAction = Schemas['Action'];
export type WireFittingActions = Schemas['FittingActions'];
export type WireActionStanding = Schemas['ActionStanding'];
export type WireActionList = Schemas['ActionList'];
export type WireProposedAction = Schemas['ProposedAction'];
export type WireShownAction = Schemas['ShownAction'];
export type WireActionPlan = Schemas['ActionPlan'];
export type WireAuditPage = Schemas['AuditPage'];
export type WireSourceList = Schemas['SourceList'];
export type WireTable = Schemas['Table'];
export type WireSearchQuestion = Schemas['SearchQuestion'];
export type WireWall = Schemas['Wall'];
export type WireGraphQuestion = Schemas['GraphQuestion'];
export type WireGraphAnswer = Schemas['GraphAnswer'];
export type WireGraphLanguage = Schemas['GraphLanguage'];
