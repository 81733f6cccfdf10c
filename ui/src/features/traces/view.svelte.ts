import {
  isWithin,
  ancestorsOf,
  originsOfFailure,
  visibleRows,
  type Row,
  type Tree,
} from '../../widgets/waterfall/tree';
import type { View } from '../../widgets/waterfall/scale';
import type { UnixNanos } from '../../base/time';

/** Where the reader is in a trace: the row under the cursor, what is folded, what is zoomed. */
export class TraceView {
  #tree: () => Tree;
  #cursor = $state<string | null>(null);
  #open = $state(false);
  #zoomed = $state<string | null>(null);
  #collapsed = $state.raw<ReadonlySet<string>>(new Set());
  #visible = $derived.by(() => visibleRows(this.#tree(), this.#collapsed));
  #view = $derived.by(() => viewOf(this.#tree(), this.#zoomed));

  constructor(tree: () => Tree, spanId: string | null) {
    this.#tree = tree;
    this.#cursor = spanId;
    this.#open = spanId !== null;
  }

  get cursor(): string | null {
    return this.#cursor;
  }

  /** The span whose panel is open. */
  get opened(): string | null {
    return this.#open ? this.#cursor : null;
  }

  get collapsed(): ReadonlySet<string> {
    return this.#collapsed;
  }

  get visible(): readonly number[] {
    return this.#visible;
  }

  get view(): View {
    return this.#view;
  }

  get zoomed(): boolean {
    return this.#zoomed !== null;
  }

  /** Moves the cursor by rows that are in sight; an open panel follows. */
  move(by: number): void {
    const at = this.#cursorPlace();
    const to = at === null ? 0 : Math.min(this.#visible.length - 1, Math.max(0, at + by));
    this.#setCursor(to);
  }

  moveToEnd(end: 'first' | 'last'): void {
    this.#setCursor(end === 'first' ? 0 : this.#visible.length - 1);
  }

  /** Left: folds an open row, else goes to the parent. */
  left(): void {
    const row = this.#row();
    if (row === null) return;
    if (row.below > 0 && !this.#collapsed.has(row.span.id)) this.toggle(row.span.id);
    else if (row.parent !== null) this.#cursor = this.#tree().rows[row.parent]!.span.id;
  }

  /** Right: opens a folded row, else goes to the first child. */
  right(): void {
    const row = this.#row();
    if (row === null || row.below === 0) return;
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
    this.#zoomed = this.#zoomed === null || this.#zoomed !== this.#cursor ? this.#cursor : null;
  }

  zoomOut(): void {
    this.#zoomed = null;
  }

  #row(): Row | null {
    const index = this.#cursor === null ? undefined : this.#tree().indexOf.get(this.#cursor);
    return index === undefined ? null : (this.#tree().rows[index] ?? null);
  }

  #cursorPlace(): number | null {
    const row = this.#row();
    const at = row === null ? -1 : this.#visible.indexOf(row.index);
    return at === -1 ? null : at;
  }

  #setCursor(place: number): void {
    const index = this.#visible[place];
    if (index !== undefined) this.#cursor = this.#tree().rows[index]!.span.id;
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
