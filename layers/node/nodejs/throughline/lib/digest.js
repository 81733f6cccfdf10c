'use strict';
/**
 * The names under which both sides know what has no id that stays: a write to a table and its record in the stream, an
 * event and its replay. In every language they come to the same text.
 */

/**
 * A detail beyond this is not looked into. One KiB takes 0.02 ms to parse and digest; ten of this size, as many as a
 * `PutEvents` can have, 2.4 ms.
 */
const DETAIL_CHARS_MAX = 16 << 10;

/** sha256 over the JSON of a value: names sorted, no spaces, sets of DynamoDB sorted; the first 32 digits. */
function digest(value) {
  const { createHash } = require('crypto');
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 32);
}

function canonical(value, type) {
  if (Array.isArray(value)) {
    const members = value.map((member) => canonical(member));
    return `[${(/^[SNB]S$/.test(type || '') ? members.sort() : members).join(',')}]`;
  }
  if (value !== null && typeof value === 'object') {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name], name)}`).join(',')}}`;
  }
  // Whoever passes an event on writes a number anew; only whole ones that a double holds exactly come out the same.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? `${value}` : '"~"';
  return JSON.stringify(value);
}

/** Of the keys of an item. */
const keysKey = (table, keys) => `ddb:${table}/${digest(keys || {})}`;
/** Of all of an item. */
const itemKey = (table, item) => `ddbi:${table}/${digest(item || {})}`;

/** Of what an event says; nothing of one that cannot be read. */
function eventKey(source, type, detail) {
  if (!source || !type || detail === undefined) return '';
  try {
    return `ebd:${digest([source, type, detail])}`;
  } catch {
    // Nested too deeply.
    return '';
  }
}

/** Of an entry of `PutEvents`, whose detail is a text. */
function entryKey({ Source: source, DetailType: type, Detail: detail } = {}) {
  if (typeof detail !== 'string' || detail.length > DETAIL_CHARS_MAX) return '';
  try {
    return eventKey(source, type, JSON.parse(detail));
  } catch {
    return '';
  }
}

module.exports = { canonical, entryKey, eventKey, itemKey, keysKey };
