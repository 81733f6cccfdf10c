/** Where the reader was in the list when they went to a trace. */
export interface ListPlace {
  readonly traceId: string;
  readonly scrollTop: number;
  readonly rows: number;
}

export function readListPlace(value: unknown): ListPlace | null {
  if (typeof value !== 'object' || value === null) return null;
  const { traceId, scrollTop, rows } = value as Record<string, unknown>;
  return typeof traceId === 'string' && typeof scrollTop === 'number' && typeof rows === 'number'
    ? { traceId, scrollTop, rows }
    : null;
}
