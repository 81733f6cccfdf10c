import { describe, expect, it } from 'vitest';
import checkout from '../../../fixtures/checkout.json';
import { decodeTrace } from '../../api/decode';
import type { Span, Trace } from '../../api/model';
import type { WireTrace } from '../../api/wire';
import { criticalPaths } from '../../widgets/waterfall/critical';
import { buildTree } from '../../widgets/waterfall/tree';
import { groupBySpan, placeLogs } from './logs';
import { spanHref, storyMarkdown } from './markdown';
import { waterfallSpans } from './waterfall';

const trace = decodeTrace(checkout as unknown as WireTrace);
const HREF = 'http://localhost:4300/traces/6740?view=between&span=1';

function markdown(
  change: (span: Span) => Span = (span) => span,
  more: Partial<Trace> = {},
): string {
  const changed = { ...trace, ...more, spans: trace.spans.map(change) };
  const logs = placeLogs(changed.spans, changed.logs);
  const logsBySpan = groupBySpan(logs);
  const tree = buildTree(waterfallSpans(changed, logsBySpan));
  const spans = new Map(changed.spans.map((span) => [span.spanId, span]));
  const told = { tree, spans, logs, logsBySpan };
  return storyMarkdown(changed, told, criticalPaths(tree), 'end', HREF).replaceAll('\u202f', ' ');
}

describe('a trace to paste', () => {
  it('begins with the sentence, where the time went, and a link', () => {
    const [title, words, where, link] = markdown().split('\n\n');
    expect(title).toBe('## checkout');
    expect(words).toMatch(/^26 steps across 3 functions, .*failed in inventory\. Started 2026-/);
    expect(where).toMatch(
      /^Where the 2\.00 s until the end went: 35 % init in inventory \(702 ms\)/,
    );
    expect(link).toBe(`[Open the trace](${HREF})`);
  });

  it('draws the waterfall in text', () => {
    const rows = markdown()
      .split('```')[1]!
      .replace(/^\n|\n$/g, '')
      .split('\n');
    expect(rows).toHaveLength(26);
    const [root, init] = rows;
    expect(root!.trim()).toMatch(
      /^\+186 ms +1\.24 s \| {2}━{19} {9}\| checkout \(invocation\) cold start$/,
    );
    expect(init).toMatch(/0 ms +171 ms \|━{3} {27}\| {3}checkout: init/);
    expect(rows.at(-1)).toMatch(/notify: audit\.write \(internal span\) parent missing$/);
    expect(new Set(rows.map((row) => row.lastIndexOf('| ')))).toEqual(new Set([55]));
  });

  it('leads to what failed, and has what was logged', () => {
    const text = markdown();
    expect(text).toMatch(
      /### What failed\n\n- \[reserve in inventory\]\(http:\/\/localhost:4300\/traces\/6740\?span=[0-9a-f]{16}\): warehouse\.OutOfStock: teapot-blue: 2 wanted, 0 left\n/,
    );
    expect(text).toMatch(/### Warnings and errors\n\n```\n.* inventory: attempt 1 of 3/);
  });

  it('has no empty part', () => {
    const text = markdown((span) => ({ ...span, status: 'unset', events: [] }), { logs: [] });
    expect(text).not.toContain('###');
  });

  it('no name is markup, and no line ends the block', () => {
    const rename = (span: Span): Span => ({ ...span, name: '*x*\n```' });
    const text = markdown(rename, { rootName: '*x*\n```' });
    expect(text).toMatch(/^## checkout \\\*x\\\* \\`\\`\\`\n/);
    const block = text.split('````')[1]!.trim().split('\n');
    expect(block).toHaveLength(26);
  });

  it('a span has an address of its own', () => {
    expect(spanHref(HREF, 'ab12')).toBe('http://localhost:4300/traces/6740?span=ab12');
  });
});
