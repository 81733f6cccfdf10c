/** A trace as Markdown, for a ticket or a chat: a sentence, a waterfall in text, what failed. */
import type { Trace } from '../../api/model';
import { formatDuration, formatExact, formatOffset } from '../../base/format';
import { between } from '../../base/time';
import {
  contributionsOf,
  type CriticalPaths,
  type PathEnd,
} from '../../widgets/waterfall/critical';
import { extentOf } from '../../widgets/waterfall/scale';
import { originsOfFailure, type Row, type Tree } from '../../widgets/waterfall/tree';
import { failuresOf } from './failures';
import type { Told } from './opened';
import { contributionWords, pathWords, shareWords } from './path';
import { storyWords, titleOf } from './story';
import { kindWords } from './waterfall';

export function storyMarkdown(
  trace: Trace,
  told: Told,
  paths: CriticalPaths,
  end: PathEnd,
  href: string,
): string {
  const { tree } = told;
  const path = (end === 'end' ? paths.end : null) ?? paths.answer;
  const where = contributionsOf(tree, path)
    .slice(0, WHERE_MAX)
    .map(
      (each) =>
        `${shareWords(each.share)} ${contributionWords(tree, each)} (${formatDuration(each.duration)})`,
    );
  const parts = [
    `## ${escape(titleOf(trace))}`,
    `${escape(storyWords(trace, paths).join(', '))}. Started ${formatExact(trace.start)}.`,
    ...(where.length > 0
      ? [`Where the ${pathWords(path, end)} went: ${escape(where.join(', '))}.`]
      : []),
    `[Open the trace](${href})`,
    fenced(waterfallLines(told)),
    ...section('What failed', failureLines(told, href)),
    ...section('Warnings and errors', logLines(told)),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** ` +196 ms  1.12 s  |  ━━━━   |   inventory (invocation) failed`: one row a span. */
function waterfallLines({ tree, spans }: Told): readonly string[] {
  const listed = tree.rows.slice(0, ROWS_MAX).map((row) => {
    const { span } = row;
    const offset = formatOffset(between(tree.start, span.start)).padStart(11);
    const duration = formatDuration(span.duration).padStart(11);
    const source = spans.get(span.id);
    const what = span.name === span.service ? span.name : `${span.service}: ${span.name}`;
    const marks = [
      source ? `(${kindWords(source)})` : '',
      span.coldStart ? 'cold start' : '',
      row.orphan && !row.entry ? 'parent missing' : '',
      span.failed ? 'FAILED' : '',
    ];
    const name = oneLine([what, ...marks.filter((mark) => mark !== '')].join(' '));
    return `${offset} ${duration} |${barOf(tree, row)}| ${'  '.repeat(Math.min(INDENT_MAX, row.depth))}${name}`;
  });
  const more = tree.rows.length - listed.length;
  return more > 0 ? [...listed, `and ${more} more spans`] : listed;
}

function barOf(tree: Tree, { span }: Row): string {
  const { left, width } = extentOf(tree, span.start, span.duration);
  const from = Math.min(BAR_CHARS - 1, Math.floor(left * BAR_CHARS));
  const to = Math.max(from + 1, Math.round((left + width) * BAR_CHARS));
  const ink = span.waiting ? '·' : '━';
  return ' '.repeat(from) + ink.repeat(to - from) + ' '.repeat(BAR_CHARS - to);
}

function failureLines({ tree, spans, logsBySpan }: Told, href: string): readonly string[] {
  return originsOfFailure(tree)
    .slice(0, FAILURES_MAX)
    .map(({ span }) => {
      const logs = (logsBySpan.get(span.id) ?? []).map(({ log }) => log);
      const source = spans.get(span.id);
      const failure = source ? failuresOf(source, logs)[0] : undefined;
      const why = [failure?.type, failure?.message].filter(Boolean).join(': ');
      const at = failure?.place ? ` at \`${failure.place.file}:${failure.place.line}\`` : '';
      const named = `[${escape(`${span.name} in ${span.service}`)}](${spanHref(href, span.id)})`;
      return `- ${named}${why === '' ? '' : `: ${escape(why)}`}${at}`;
    });
}

function logLines({ logs }: Told): readonly string[] {
  const bad = logs.filter(({ level }) => level !== 'info').slice(0, LOGS_MAX);
  if (bad.length === 0) return [];
  return [fenced(bad.map(({ log, text }) => `${formatExact(log.time)} ${log.service}: ${text}`))];
}

/** The address of a span of the page that is open. */
export function spanHref(href: string, spanId: string): string {
  const link = new URL(href);
  link.search = `?span=${encodeURIComponent(spanId)}`;
  return link.href;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`### ${title}`, lines.join('\n')];
}

/** A fence longer than any run of backticks inside, so that no line ends it. */
function fenced(lines: readonly string[]): string {
  const longest = Math.max(2, ...(lines.join('\n').match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return [fence, ...lines, fence].join('\n');
}

/** Names and messages are text, not markup, and stay on their line. */
function escape(text: string): string {
  return oneLine(text).replace(/[\\`*_[\]<>|#]/g, '\\$&');
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}

const WHERE_MAX = 3;
const ROWS_MAX = 200;
const INDENT_MAX = 12;
const FAILURES_MAX = 20;
const LOGS_MAX = 20;
const BAR_CHARS = 30;
