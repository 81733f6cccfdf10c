'use strict';
/** The names under which a write to a table and its record in the stream are known on both sides. */

/** sha256 over the item in DynamoDB's JSON: names sorted, no spaces, sets sorted; the first 32 digits. */
function digest(item) {
  const { createHash } = require('crypto');
  return createHash('sha256').update(canonical(item)).digest('hex').slice(0, 32);
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
  return JSON.stringify(value);
}

/** Of the keys of an item. */
const keysKey = (table, keys) => `ddb:${table}/${digest(keys || {})}`;
/** Of all of an item. */
const itemKey = (table, item) => `ddbi:${table}/${digest(item || {})}`;

module.exports = { canonical, itemKey, keysKey };
