'use strict';
/**
 * The managed services that a record came through, oldest first: `KIND:NAME@EPOCH_MS#KEY`, with `>` between them. What
 * the record does not tell is left out.
 */

const NAME_CHARS_MAX = 256;
const KEY_CHARS_MAX = 1_024;
const DATE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))$/;

/**
 * @param {'api'|'queue'|'topic'|'bus'|'stream'|'table'|'bucket'|'schedule'|'workflow'|'broker'|'balancer'} kind
 * @param {unknown} [time] when the service accepted it, in any unit that events have
 * @param {string} [key] under which both sides know it
 */
function hop(kind, name, time, key) {
  const at = millis(time);
  const plain = String(name === undefined || name === null ? '' : name).replace(/[>@#]/g, '_').slice(0, NAME_CHARS_MAX);
  const known = key && key.length <= KEY_CHARS_MAX && !key.includes('>') ? `#${key}` : '';
  return `${kind}:${plain}${at === undefined ? '' : `@${at}`}${known}`;
}

/** Milliseconds since 1970 out of a number of seconds, milliseconds or microseconds, or a date. */
function millis(time) {
  if (typeof time === 'string' && DATE.test(time)) return ofDate(time);
  const number = typeof time === 'number' ? time : typeof time === 'string' && /^\d+(\.\d+)?$/.test(time) ? Number(time) : 0;
  if (!(number > 0 && number < 1e17)) return undefined;
  return Math.floor((number < 1e11 ? number * 1000 : number < 1e14 ? number : number / 1000) + 0.5);
}

function ofDate(text) {
  const [, year, month, day, hour, minute, second, fraction = '', sign, hours = 0, minutes = 0] = DATE.exec(text);
  const ahead = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return Date.UTC(year, month - 1, day, hour, minute, second, fraction.padEnd(3, '0').slice(0, 3)) - ahead;
}

/** `kind:value`, if all parts of the value are known. */
const keyOf = (kind, ...parts) => (parts.every((part) => part !== undefined && part !== null && part !== '') ? `${kind}:${parts.join('/')}` : '');

/** `TIMES#KEY` of a record that was received before; nothing of one that comes for the first time. */
function cameAgain(times, key) {
  const known = typeof times === 'string' && /^\d{1,9}$/.test(times) ? Number(times) : 0;
  return known > 1 && key ? `${known}#${key}` : '';
}

module.exports = { cameAgain, hop, keyOf };
