/** Which rows of a long list are worth drawing, and how far to scroll for one. */
export interface Viewport {
  readonly scrollTop: number;
  readonly height: number;
  readonly rowHeight: number;
}

export interface Slice {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

/** The rows in sight and a few around them, so that fast scrolling shows no gaps. */
export function sliceOf(count: number, viewport: Viewport, overscan = OVERSCAN_ROWS): Slice {
  const { scrollTop, height, rowHeight } = viewport;
  const first = Math.floor(scrollTop / rowHeight) - overscan;
  const end = Math.ceil((scrollTop + height) / rowHeight) + overscan;
  return { first: limit(first, 0, count), end: limit(end, 0, count) };
}

/** The scroll position that brings row `at` into sight with as little movement as possible. */
export function scrollFor(at: number, viewport: Viewport): number {
  const { scrollTop, height, rowHeight } = viewport;
  const top = at * rowHeight;
  if (top < scrollTop) return top;
  const bottom = top + rowHeight;
  return bottom > scrollTop + height ? bottom - height : scrollTop;
}

const OVERSCAN_ROWS = 12;

function limit(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
