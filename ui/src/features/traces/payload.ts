/** What a span was given and what it answered, where the layers were told to keep it. */
import type { Attributes, Span } from '../../api/model';
import { formatValue } from '../../base/format';
import { phaseOf } from './waterfall';

export type Side = 'input' | 'output';

export interface Payload {
  readonly label: string;
  readonly text: string;
  /** Names, types and lengths stand for the values. */
  readonly isShape: boolean;
}

export function payloadsOf(attributes: Attributes, side: Side): readonly Payload[] {
  const found = KEYS[side].flatMap(([key, label]) => {
    const value = attributes[key];
    if (value === undefined || value === '') return [];
    const text = formatValue(value);
    return [{ label, text: pretty(text), isShape: isShape(text) }];
  });
  return side === 'input' ? [...found, ...parametersIn(attributes)] : found;
}

/** Why there is nothing to show. */
export type Absence = 'platform' | 'inferred' | 'withheld';

export function absenceOf(span: Span): Absence {
  if (span.inferred) return 'inferred';
  return phaseOf(span) === 'platform' ? 'platform' : 'withheld';
}

/** `string(3)` and the like stand where values would: the default of the extension. */
export function isShape(text: string): boolean {
  return SHAPE.test(text.trim()) || (/^\s*[[{]/.test(text) && SHAPE_INSIDE.test(text));
}

/** Values that a statement is run with. */
function parametersIn(attributes: Attributes): readonly Payload[] {
  const keys = Object.keys(attributes).filter((key) => PARAMETER.test(key));
  if (keys.length === 0) return [];
  const text = keys
    .sort()
    .map((key) => `${key.replace(PARAMETER, '')} = ${formatValue(attributes[key])}`)
    .join('\n');
  return [{ label: 'Parameters', text, isShape: SHAPE_INSIDE.test(text) }];
}

/** JSON on lines of its own; anything else, and what was cut, as it is. */
function pretty(text: string): string {
  if (!/^\s*[[{]/.test(text) || text.length > PRETTY_CHARS_MAX) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const PRETTY_CHARS_MAX = 500_000;
const SHAPE = /^(string|bytes|array|object)\(\d+\)$/;
const SHAPE_INSIDE = /(^|[:[,=]\s*"?)(string|bytes|array|object)\(\d+\)/m;
const PARAMETER = /^db\.(query|operation)\.parameter\./;
const KEYS: Readonly<Record<Side, readonly (readonly [string, string])[]>> = {
  input: [
    ['throughline.payload.request', 'Called with'],
    ['http.request.body', 'Request body'],
    ['rpc.request.body', 'Request'],
    ['messaging.message.body', 'Message'],
    ['graphql.document', 'GraphQL document'],
    ['db.query.text', 'Statement'],
  ],
  output: [
    ['throughline.payload.response', 'Answered'],
    ['http.response.body', 'Response body'],
    ['rpc.response.body', 'Response'],
  ],
};
