/** Conditions on rows, as somebody types them and as the server wants them. */

export const OPERATORS = [
  '=',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  'contains',
  'does-not-contain',
  'starts-with',
  'does-not-start-with',
  'ends-with',
  'matches',
  'in',
  'not-in',
  'exists',
  'does-not-exist',
] as const;
export type Operator = (typeof OPERATORS)[number];

/** As the server has it. */
export interface Condition {
  readonly column: string;
  readonly op: Operator;
  readonly value?: unknown;
}

/** As it is typed. */
export interface TypedCondition {
  readonly column: string;
  readonly op: Operator;
  readonly value: string;
}

export function needsValue(op: Operator): boolean {
  return op !== 'exists' && op !== 'does-not-exist';
}

/** Numbers and truth values are meant as such; in quotes everything is text. */
export function valueOf(text: string): string | number | boolean {
  if (/^".*"$/.test(text)) return text.slice(1, -1);
  if (text === 'true' || text === 'false') return text === 'true';
  const isNumber = /^-?\d{1,15}(\.\d+)?$/.test(text);
  return isNumber ? Number(text) : text;
}

/** A value as the reader would have typed it: who writes an address by hand or by program has numbers as such. */
export function asTyped(value: unknown): string {
  if (Array.isArray(value)) return value.map(asTyped).join(', ');
  if (typeof value === 'number') return value.toLocaleString('en', PLAIN_NUMBER);
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? value : '';
}

export function fromTyped({ column, op, value }: TypedCondition): Condition {
  if (!needsValue(op)) return { column, op };
  if (op === 'in' || op === 'not-in')
    return { column, op, value: value.split(',').map((each) => valueOf(each.trim())) };
  return { column, op, value: valueOf(value) };
}

/** A text that reads as something else is one in quotes. */
export function toTyped({ column, op, value }: Condition): TypedCondition {
  const quoted = (each: unknown): unknown =>
    typeof each === 'string' && valueOf(each) !== each ? `"${each}"` : each;
  return { column, op, value: asTyped(Array.isArray(value) ? value.map(quoted) : quoted(value)) };
}

/** `card = visa and version = 42`. */
export function describeConditions(conditions: readonly Condition[]): string {
  const words = conditions.map(toTyped);
  return words.map(({ column, op, value }) => `${column} ${op} ${value}`.trim()).join(' and ');
}

const PLAIN_NUMBER = { useGrouping: false, maximumFractionDigits: 15 } as const;
