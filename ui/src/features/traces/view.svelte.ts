import {
  isWithin,
  ancestorsOf,
  originsOfFailure,
  visibleRows,
  type Row,
  type Tree,
} from '../../widgets/waterfall/tree';
import {
  criticalPaths,
  type CriticalPath,
  type CriticalPaths,
  type PathEnd,
} from '../../widgets/waterfall/critical';
import { linesOf, type Line, type LogLine } from '../../widgets/waterfall/lines';
import type { View } from '../../widgets/waterfall/scale';
import type { UnixNanos } from '../../base/time';

/** Where the reader is in a trace: the line under the cursor, what is folded, what is zoomed. */
export class TraceView {
  #tree: () => Tree;
  #logs: () => readonly LogLine[];
  #cursor = $state<string | null>(null);
  #open = $state(false);
  #zoomed = $state<string | null>(null);
  #collapsed = $state.raw<ReadonlySet<string>>(new Set());
  /** Null until the reader chooses. */
  #pathChosen = $state<PathEnd | 'off' | null>(null);
  #paths = $derived.by(() => criticalPaths(this.#tree()));
  #visible = $derived.by(() => visibleRows(this.#tree(), this.#collapsed));
  #lines = $derived.by(() => linesOf(this.#tree(), this.#visible, this.#collapsed, this.#logs()));
  #view = $derived.by(() => viewOf(this.#tree(), this.#zoomed));

  /** `logs` are those to show between the spans, in order of time. */
  constructor(tree: () => Tree, spanId: string | null, logs: () => readonly LogLine[] = () => []) {
    this.#tree = tree;
    this.#logs = logs;
    this.#cursor = spanId;
    this.#open = spanId !== null;
  }

  /** The id of the line under the cursor. */
  get cursor(): string | null {
    return this.#cursor;
  }

  /** The span under the cursor, or that of the log under it. */
  get cursorSpan(): string | null {
    return this.#row()?.span.id ?? null;
  }

  /** The span whose panel is open, or would be if it were here: it may come late. */
  get opened(): string | null {
    if (!this.#open) return null;
    return this.cursorSpan ?? (this.#cursorPlace() === null ? this.#cursor : null);
  }

  get collapsed(): ReadonlySet<string> {
    return this.#collapsed;
  }

  get lines(): readonly Line[] {
    return this.#lines;
  }

  get view(): View {
    return this.#view;
  }

  get zoomed(): boolean {
    return this.#zoomed !== null;
  }

  /** Whether something went on after the answer, so that there are two critical paths. */
  get goesOn(): boolean {
    return this.#paths.end !== null;
  }

  /** Which critical path is drawn. */
  get pathShown(): PathEnd | 'off' {
    return this.#pathChosen ?? this.pathEnd;
  }

  get pathEnd(): PathEnd {
    if (!this.goesOn || this.#pathChosen === 'answer') return 'answer';
    return 'end';
  }

  /** To all ends that there are. */
  get paths(): CriticalPaths {
    return this.#paths;
  }

  /** To the end that is looked at, whether it is drawn or not. */
  get path(): CriticalPath {
    return this.#paths.end !== null && this.pathEnd === 'end'
      ? this.#paths.end
      : this.#paths.answer;
  }

  showPath(path: PathEnd | 'off'): void {
    this.#pathChosen = path;
  }

  /** The next of: to the end, to the answer if that is another, none. */
  nextPath(): void {
    const ends: readonly (PathEnd | 'off')[] = this.goesOn
      ? ['end', 'answer', 'off']
      : ['answer', 'off'];
    this.#pathChosen = ends[(ends.indexOf(this.pathShown) + 1) % ends.length]!;
  }

  /** Moves the cursor by lines that are in sight; an open panel follows. */
  move(by: number): void {
    const at = this.#cursorPlace();
    const to = at === null ? 0 : Math.min(this.#lines.length - 1, Math.max(0, at + by));
    this.#setCursor(to);
  }

  moveToEnd(end: 'first' | 'last'): void {
    this.#setCursor(end === 'first' ? 0 : this.#lines.length - 1);
  }

  /** Left: folds an open row, else goes to the parent; from a log to its span. */
  left(): void {
    const row = this.#row();
    if (row === null) return;
    if (this.#isOnLog()) this.#cursor = row.span.id;
    else if (row.below > 0 && !this.#collapsed.has(row.span.id)) this.toggle(row.span.id);
    else if (row.parent !== null) this.#cursor = this.#tree().rows[row.parent]!.span.id;
  }

  /** Right: opens a folded row, else goes to the first child. */
  right(): void {
    const row = this.#row();
    if (row === null || row.below === 0 || this.#isOnLog()) return;
    if (this.#collapsed.has(row.span.id)) this.toggle(row.span.id);
    else this.#cursor = this.#tree().rows[row.index + 1]!.span.id;
  }

  toggle(id: string): void {
    const collapsed = new Set(this.#collapsed);
    if (!collapsed.delete(id)) {
      collapsed.add(id);
      this.#liftCursor(id);
    }
    this.#collapsed = collapsed;
  }

  /** Shows a span wherever it is: unfolds the rows above it and opens its panel. */
  show(id: string): void {
    this.point(id);
    this.#open = true;
  }

  /** Puts the cursor on a line, of a log or of a span, and opens the panel. */
  showLine(id: string): void {
    this.#cursor = id;
    this.#open = true;
  }

  /** Puts the cursor on a span without opening its panel. */
  point(id: string): void {
    const index = this.#tree().indexOf.get(id);
    if (index === undefined) return;
    const above = new Set(ancestorsOf(this.#tree(), index).map((row) => row.span.id));
    this.#collapsed = new Set([...this.#collapsed].filter((folded) => !above.has(folded)));
    this.#cursor = id;
  }

  openCursor(): void {
    if (this.#cursor === null) this.move(0);
    this.#open = this.#cursor !== null;
  }

  close(): void {
    this.#open = false;
  }

  /** The next span where a failure began, after the cursor and then from the top. */
  showNextFailure(): void {
    const origins = originsOfFailure(this.#tree());
    const at = this.#row()?.index ?? -1;
    const next = origins.find((row) => row.index > at) ?? origins[0];
    if (next) this.show(next.span.id);
  }

  /** Stretches the span under the cursor over the whole axis, or goes back to the trace. */
  zoom(): void {
    const span = this.cursorSpan;
    this.#zoomed = this.#zoomed === null || this.#zoomed !== span ? span : null;
  }

  zoomOut(): void {
    this.#zoomed = null;
  }

  #row(): Row | null {
    if (this.#cursor === null) return null;
    const index = this.#tree().indexOf.get(this.#cursor);
    if (index !== undefined) return this.#tree().rows[index] ?? null;
    return this.#lines.find((line) => line.id === this.#cursor)?.row ?? null;
  }

  #isOnLog(): boolean {
    return this.#cursor !== null && !this.#tree().indexOf.has(this.#cursor);
  }

  #cursorPlace(): number | null {
    const at = this.#lines.findIndex((line) => line.id === this.#cursor);
    return at === -1 ? null : at;
  }

  #setCursor(place: number): void {
    const line = this.#lines[place];
    if (line !== undefined) this.#cursor = line.id;
  }

  /** A cursor must not be folded away: it goes up to the folded row. */
  #liftCursor(folded: string): void {
    const index = this.#tree().indexOf.get(folded);
    const row = this.#row();
    if (index !== undefined && row !== null && isWithin(this.#tree(), index, row.index)) {
      this.#cursor = folded;
    }
  }
}

function viewOf(tree: Tree, zoomed: string | null): View {
  const index = zoomed === null ? undefined : tree.indexOf.get(zoomed);
  if (index === undefined) return { start: tree.start, end: tree.end };
  let { start, duration } = tree.rows[index]!.span;
  let end: bigint = start + duration;
  for (const { span } of tree.rows.slice(index, index + tree.rows[index]!.below + 1)) {
    if (span.start < start) start = span.start;
    if (span.start + span.duration > end) end = span.start + span.duration;
  }
  // A span without length still needs an axis.
  return { start, end: (end > start ? end : end + 1n) as UnixNanos };
}
