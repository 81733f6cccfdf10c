/** A trace as the waterfall wants it. */
import type { Join, Span, Trace } from '../../api/model';
import type { Mark, Phase, WaterfallSpan } from '../../widgets/waterfall/tree';
import type { PlacedLog } from './logs';

export function waterfallSpans(
  trace: Trace,
  logsBySpan: ReadonlyMap<string, readonly PlacedLog[]>,
): readonly WaterfallSpan[] {
  const byId = new Map(trace.spans.map((span) => [span.spanId, span]));
  const parentOf = (span: Span): Span | null => byId.get(span.parentSpanId ?? '') ?? null;
  return trace.spans.map((span) => ({
    id: span.spanId,
    parentId: span.parentSpanId,
    name: span.name,
    service: span.service,
    start: span.start,
    duration: span.duration,
    phase: phaseOf(span),
    failed: span.status === 'error',
    coldStart: saysColdStart(span, parentOf(span)),
    ...(span.inferred ? { waiting: true } : {}),
    ...(isAsynchronous(span, parentOf(span)) ? { asynchronous: true } : {}),
    ...(span.join ? { joined: { how: span.join.how, words: joinWords(span.join) } } : {}),
    ...(span.attempt !== null && span.attempt > 1 ? { attempt: span.attempt } : {}),
    marks: marksOf(span, logsBySpan.get(span.spanId) ?? []),
  }));
}

/** Said once: the init phase of the invocation and its handler carry the attribute too. */
function saysColdStart(span: Span, parent: Span | null): boolean {
  const isCold = (each: Span): boolean => each.attributes['faas.coldstart'] === true;
  if (!isCold(span) || phaseOf(span) === 'platform') return false;
  return parent === null || phaseOf(parent) !== 'invoke' || !isCold(parent);
}

/**
 * Messages, and calls of functions as events: who sends them does not wait for what they cause. Whoever took
 * some does wait for what it does about them. `throughline trace` and investigations do the same
 * (`crates/insight`); one file of cases holds both to it.
 */
export function isAsynchronous(span: Span, parent: Span | null): boolean {
  const hop = span.inferred ? span : parent?.inferred ? parent : null;
  if (hop !== null) return !ANSWERING.has(String(hop.attributes['throughline.hop.kind']));
  const isMessage = span.kind === 'consumer';
  if (parent === null) return isMessage;
  const isEvent = parent.attributes['aws.lambda.invocation_type'] === 'Event';
  switch (parent.kind) {
    case 'producer':
      return isMessage || !isOwn(span, parent);
    case 'client':
      return isMessage || isEvent;
    default:
      return (isMessage && !isOwn(span, parent)) || isEvent;
  }
}

/** Of one invocation; of one service, where that is not known. */
function isOwn(span: Span, parent: Span): boolean {
  const [one, other] = [span, parent].map((each) => each.attributes['faas.invocation_id']);
  return one !== undefined && other !== undefined ? one === other : span.service === parent.service;
}

/** Why a span stands below its parent, for those who ask. */
export function joinWords({ how, key }: Join): string {
  const both = key === null ? '' : `: both have ${key}`;
  switch (how) {
    case 'carried':
      return `It names its parent in another trace${both}`;
    case 'matched':
      return `Joined by what nobody else has${both}`;
    case 'inferred':
      return `Probably goes on from its parent${both}`;
  }
}

export function phaseOf(span: Span): Phase {
  const phase = span.attributes['throughline.phase'];
  if (phase === 'invoke') return 'invoke';
  return typeof phase === 'string' || span.scope.name === 'throughline.platform'
    ? 'platform'
    : 'code';
}

/** `invocation`, `platform: init`, `client`: what a span is, in a word or two. */
export function kindWords(span: Span): string {
  if (span.inferred)
    return `waited in a ${String(span.attributes['throughline.hop.kind'] ?? 'service')}`;
  const phase = span.attributes['throughline.phase'];
  if (phase === 'invoke') return 'invocation';
  if (typeof phase === 'string') return `platform phase: ${phase}`;
  return span.kind === 'unspecified' ? 'span' : `${span.kind} span`;
}

/** True when the text stands in the name, the service or an attribute of the span. */
export function spanMatches(span: Span, text: string): boolean {
  const sought = text.trim().toLowerCase();
  if (sought === '') return true;
  if (span.name.toLowerCase().includes(sought)) return true;
  if (span.service.toLowerCase().includes(sought)) return true;
  if (span.spanId === sought) return true;
  return Object.entries(span.attributes).some(([key, value]) =>
    `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`
      .toLowerCase()
      .includes(sought),
  );
}

function marksOf(span: Span, logs: readonly PlacedLog[]): readonly Mark[] {
  const written = logs.map(({ log, level, text }) => ({ time: log.time, level, text }));
  const thrown = span.events
    .filter((event) => event.name === 'exception')
    .map((event) => ({ time: event.time, level: 'error' as const, text: exceptionText(event) }));
  return [...written, ...thrown];
}

function exceptionText(event: Span['events'][number]): string {
  const type = event.attributes['exception.type'];
  const message = event.attributes['exception.message'];
  return [type, message].filter((part) => typeof part === 'string' && part !== '').join(': ');
}

/** Services that pass on what a function answers. */
const ANSWERING: ReadonlySet<string> = new Set(['api', 'balancer']);
