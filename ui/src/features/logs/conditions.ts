/** Conditions as they are typed into the search of logs, read as the server reads them. */
import { needsValue, OPERATORS, type Condition, type Operator } from '../../base/condition';

/** `http.route="/pay"`, `total>=100`, `user.id contains 42`, `error.type exists`; null of what is none. */
export function readCondition(text: string): Condition | null {
  const found = CONDITION.exec(text.trim());
  if (!found) return null;
  const [, quoted, bare, symbol, word, rest = ''] = found;
  const said = symbol === '~' ? 'matches' : (symbol ?? word);
  const op = OPERATORS.find((each) => each === said);
  const column = quoted === undefined ? bare : parsed(quoted);
  if (op === undefined || typeof column !== 'string') return null;
  return needsValue(op) ? { column, op, value: readValue(rest.trim(), op) } : { column, op };
}

/** The text that is read as this. */
export function writeCondition({ column, op, value }: Condition): string {
  const key = PLAIN_KEY.test(column) ? column : JSON.stringify(column);
  if (!needsValue(op)) return `${key} ${op}`;
  return SYMBOLS.has(op)
    ? `${key}${op}${JSON.stringify(value)}`
    : `${key} ${op} ${JSON.stringify(value)}`;
}

/** Only a list is nothing but JSON; a text that is looked for inside of others is a text. */
function readValue(text: string, op: Operator): unknown {
  const json = parsed(text);
  if (op === 'in' || op === 'not-in') return Array.isArray(json) ? json : text;
  if (typeof json === 'string') return json;
  const isCompared = SYMBOLS.has(op) && (typeof json === 'number' || typeof json === 'boolean');
  return isCompared ? json : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const SYMBOLS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=']);
const PLAIN_KEY = /^[^\s=!<>~"]+$/;
const CONDITION =
  /^(?:("(?:\\.|[^"\\])+")|([^\s=!<>~"]+))\s*(?:(<=|>=|!=|=|<|>|~)|\s([a-z-]+)(?=\s|$))\s*(.*)$/s;
