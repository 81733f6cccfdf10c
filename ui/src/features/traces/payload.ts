/** What a span was given and what it answered, where the layers were told to keep it. */
import type { Attributes } from '../../api/model';
import { formatValue } from '../../base/format';

export interface Payload {
  readonly label: string;
  readonly text: string;
}

export function payloadsOf(attributes: Attributes): readonly Payload[] {
  return KEYS.flatMap(([key, label]) => {
    const value = attributes[key];
    return value === undefined || value === '' ? [] : [{ label, text: pretty(formatValue(value)) }];
  });
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
const KEYS: readonly (readonly [string, string])[] = [
  ['throughline.payload.request', 'Input'],
  ['throughline.payload.response', 'Output'],
  ['http.request.body', 'Request body'],
  ['http.response.body', 'Response body'],
  ['db.query.text', 'Statement'],
];
