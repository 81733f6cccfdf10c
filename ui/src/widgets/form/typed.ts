/** What is typed into a field, and what is meant by it. */

/** A number as it was typed; null if nothing was, NaN if it is none. */
export function numberOf(text: string): number | null {
  if (text.trim() === '') return null;
  return /^\s*-?\d{1,15}(\.\d+)?\s*$/.test(text) ? Number(text) : NaN;
}

/** Entries, one a line or with commas between them. */
export function entriesOf(text: string): readonly string[] {
  return text
    .split(/[\n,]/)
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

/** What stands in the field: what was typed, as long as it means what is set. */
export function shownOf<T>(
  typed: string | null,
  value: T,
  read: (text: string) => T,
  write: (value: T) => string,
): string {
  const isMeant = typed !== null && JSON.stringify(read(typed)) === JSON.stringify(value);
  return isMeant ? typed : write(value);
}

const VARIABLE = /^\$\{(.*)\}$/s;
/** How the names of variables begin that secrets may come from. */
export const VARIABLES = 'NOTIFY_';

export type SecretKind = 'kept' | 'variable' | 'text';

/** What stands for a secret: it stays as it is, it is in a variable of the server, or it is typed here. */
export function secretKind(value: string, mask: string): SecretKind {
  if (value === mask) return 'kept';
  return VARIABLE.test(value) ? 'variable' : 'text';
}

/** The name of the variable in `${NAME}`. */
export function variableOf(value: string): string {
  return VARIABLE.exec(value)?.[1] ?? '';
}

export function inVariable(name: string): string {
  return `\${${name.trim()}}`;
}
