/** A trace told in a sentence. */
import type { Span, Trace } from '../../api/model';
import { formatDuration, plural } from '../../base/format';
import { investigateHref } from '../../base/href';
import { after, before, type DurationNanos } from '../../base/time';
import type { CriticalPaths } from '../../widgets/waterfall/critical';
import { pathWords } from './path';
import { phaseOf } from './waterfall';

/** `11 steps across 2 functions`, `147 ms until the answer`, `4.40 s until the end`, `failed in notify-user`. */
export function storyWords(trace: Trace, paths: CriticalPaths): readonly string[] {
  const functions = functionsOf(trace);
  const words = [
    functions.length > 0
      ? `${plural(trace.spanCount, 'step')} across ${plural(functions.length, 'function')}`
      : `${plural(trace.spanCount, 'step')} across ${plural(trace.services.length, 'service')}`,
  ];
  words.push(pathWords(paths.answer, 'answer'));
  if (paths.end !== null) words.push(pathWords(paths.end, 'end'));
  // Spans that lost what they belong to are on no path, and may be long after it.
  const told = (paths.end ?? paths.answer).duration;
  if (trace.duration * 20n > told * 21n) words.push(`${formatDuration(trace.duration)} in all`);
  const waited = waitedOf(trace);
  if (waited > 0n) words.push(`waited ${formatDuration(waited)} in services between`);
  if (trace.traceIds.length > 1) words.push(`${trace.traceIds.length} traces joined`);
  if (trace.cost !== null) words.push(costWords(trace));
  const origins = failedIn(trace);
  if (origins.length > 0) words.push(`failed in ${origins.join(', ')}`);
  return words;
}

/** Services in which a failure began. */
export function failedIn(trace: Trace): readonly string[] {
  return [...new Set(originsOf(trace).map((span) => span.service))];
}

/** The failed spans below which nothing failed. */
function originsOf(trace: Trace): readonly Span[] {
  const passedOn = new Set<string | null>();
  for (const span of trace.spans) if (span.status === 'error') passedOn.add(span.parentSpanId);
  return trace.spans.filter((span) => span.status === 'error' && !passedOn.has(span.spanId));
}

/** What is asked of it: why it failed, of whom that began with, or whether it was slow, of whom it came to first. */
export function doubtOf(trace: Trace): { readonly words: string; readonly href: string } | null {
  const first = trace.failed ? originsOf(trace)[0] : undefined;
  const span = first ?? trace.spans.find(({ parentSpanId }) => parentSpanId === null);
  if (span === undefined) return null;
  const name = span.resource['faas.name'];
  const whom =
    typeof name === 'string' && name !== '' ? { node: `function:${name}` } : { q: span.service };
  const href = investigateHref({
    ...whom,
    symptom: trace.failed ? 'error' : 'slow',
    from: before(trace.start, AROUND),
    to: after(after(trace.start, trace.duration), AROUND),
  });
  return {
    href,
    words: trace.failed ? 'Investigate why it failed' : 'Investigate whether it was slow',
  };
}

/** Dollars of one user action are fractions of a cent. */
export function formatUsd(usd: number): string {
  if (usd === 0) return '$0';
  return usd >= 0.01
    ? `$${usd.toFixed(2)}`
    : `$${usd.toFixed(Math.min(12, 2 - Math.floor(Math.log10(usd))))}`;
}

/** What a trace is called: its first operation, and whose it is. */
export function titleOf(trace: Trace): string {
  if (trace.rootName === null) return 'Trace without spans';
  return trace.rootName === trace.rootService
    ? trace.rootName
    : `${trace.rootService} ${trace.rootName}`;
}

/** As on the wire, where times are decimal strings. */
export function jsonOf(told: Trace | Span): string {
  return JSON.stringify(
    told,
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
    2,
  );
}

function functionsOf(trace: Trace): readonly string[] {
  const invoked = trace.spans.filter((span) => phaseOf(span) === 'invoke');
  return [...new Set(invoked.map((span) => span.service))];
}

/** Stretches in which something lay in a queue or the like, counted once where they overlap. */
function waitedOf(trace: Trace): DurationNanos {
  const stretches = trace.spans
    .filter((span) => span.inferred)
    .map((span) => ({ from: span.start, to: after(span.start, span.duration) }))
    .sort((a, b) => (a.from < b.from ? -1 : 1));
  let waited = 0n;
  let end = 0n;
  for (const { from, to } of stretches) {
    const begin = from > end ? from : end;
    if (to > begin) {
      waited += to - begin;
      end = to;
    }
  }
  return waited as DurationNanos;
}

function costWords(trace: Trace): string {
  const { usd, reported, missing } = trace.cost!;
  // The platform reports seconds after the answer; until then nobody says that it was free.
  if (reported === 0) return 'cost not reported yet';
  return missing === 0 ? formatUsd(usd) : `${formatUsd(usd)} and ${missing} not reported`;
}

/** Before and after it, so that there is more to look at than one call. */
const AROUND = 1_800_000_000_000n as DurationNanos;
