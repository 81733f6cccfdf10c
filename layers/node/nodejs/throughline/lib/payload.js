'use strict';
/**
 * A payload as JSON text, without the values of names that are secret, and cut. The extension looks at values, applies
 * the payload mode and cuts further.
 */

const DEPTH_MAX = 8;
const MEMBERS_MAX = 64;
const TEXT_CHARS_MAX = 4_096;
const CHARS_MAX = 65_536;
/** Values, lists and objects, all levels together. */
const VALUES_MAX = 4_096;
const EXACT = new Set(['pw', 'pwd', 'pin', 'cvv', 'cvc', 'ssn', 'sid', 'sig', 'auth', 'jwt', 'otp', 'dob', 'iban']);
const PARTS = /pass|secret|token|apikey|accesskey|privatekey|credential|authorization|cookie|session|signature|cardnumber|creditcard|securitycode|socialsecurity/;
const REDACTED = '[redacted]';

/** @param {{secretKeys: string[], allowedKeys: string[]}} settings */
function text(value, settings) {
  const budget = { chars: CHARS_MAX, values: VALUES_MAX };
  return JSON.stringify(cut(value, settings, 0, budget));
}

function cut(value, settings, depth, budget) {
  if (--budget.values < 0) return '…';
  if (typeof value === 'string') return beginning(isJson(value) ? inner(value, settings, depth, budget) : value, budget);
  if (typeof value === 'bigint') return String(value);
  if (value === null || typeof value !== 'object') return value;
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (typeof value.toJSON === 'function') return cut(value.toJSON(), settings, depth + 1, budget);
  if (depth >= DEPTH_MAX) return '…';
  if (Array.isArray(value)) {
    const members = value.slice(0, MEMBERS_MAX).map((member) => cut(member, settings, depth + 1, budget));
    return value.length > MEMBERS_MAX ? [...members, `…(+${value.length - MEMBERS_MAX})`] : members;
  }
  const members = {};
  const keys = Object.keys(value);
  for (const key of keys.slice(0, MEMBERS_MAX)) {
    members[key] = isSecret(key, settings) ? REDACTED : cut(value[key], settings, depth + 1, budget);
  }
  if (keys.length > MEMBERS_MAX) members['…'] = keys.length - MEMBERS_MAX;
  return members;
}

const isJson = (text) => (text[0] === '{' || text[0] === '[') && text.length <= CHARS_MAX;

/** A text that is JSON itself, as the body of a request is; it stays as it is unless it has a secret. */
function inner(text, settings, depth, budget) {
  let known;
  try {
    known = JSON.parse(text);
  } catch {
    return text;
  }
  return hasSecret(known, settings, DEPTH_MAX) ? JSON.stringify(cut(known, settings, depth + 1, budget)) : text;
}

function hasSecret(value, settings, depth) {
  // A text in a text is JSON again.
  if (typeof value === 'string') return isJson(value);
  if (value === null || typeof value !== 'object') return false;
  if (depth <= 0) return true;
  return Object.keys(value).some((key) => isSecret(key, settings) || hasSecret(value[key], settings, depth - 1));
}

/** A text that is no JSON, as of XML, without the values of elements and pairs whose names are secret. */
function plain(text, settings) {
  const elements = text.slice(0, CHARS_MAX).replace(/<([\w:.-]{1,64})((?:\s[^<>]*)?)>([^<]*)<\/\1>/g, (all, name, more) => (isSecret(name, settings) ? `<${name}${more}>${REDACTED}</${name}>` : all));
  return elements.replace(/(?<![\w.-])([\w.-]{1,64})(["']?\s*[=:]\s*["']?)([^\s"'&,;<>]+)/g, (all, name, between) => (isSecret(name, settings) ? name + between + REDACTED : all));
}

function beginning(text, budget) {
  const room = Math.max(0, Math.min(TEXT_CHARS_MAX, budget.chars));
  budget.chars -= Math.min(text.length, room);
  if (text.length <= room) return text;
  // Not between the halves of a letter.
  const end = room > 0 && /[\ud800-\udbff]/.test(text[room - 1]) ? room - 1 : room;
  return `${text.slice(0, end)}…(+${Buffer.byteLength(text.slice(end))} bytes)`;
}

function isSecret(key, { secretKeys, allowedKeys }) {
  const plain = key.toLowerCase().replace(/[-_. ]/g, '');
  const named = (name) => name.replace(/[-_. ]/g, '') === plain;
  if (allowedKeys.some(named)) return false;
  return EXACT.has(plain) || PARTS.test(plain) || secretKeys.some(named);
}

module.exports = { isSecret, plain, text };
