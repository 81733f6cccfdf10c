/**
 * `JSON.parse` that keeps 64-bit integers. Times are strings on the wire, but
 * attributes and log bodies may hold any integer, and one beyond 2^53 would
 * silently become another number. Such a number is returned as its digits.
 */
export function parseJson(text: string): unknown {
  // Reviving costs a call for each value; most answers hold no such number.
  return LONG_INTEGER.test(text) ? JSON.parse(text, keepDigits as Reviver) : JSON.parse(text);
}

const LONG_INTEGER = /[:[,]\s*-?\d{16,}\s*[,\]}]/;

type Reviver = (key: string, value: unknown) => unknown;

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const unsafe =
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  // Older browsers give no source; they get the rounded number.
  return unsafe ? (context?.source ?? value) : value;
}
