'use strict';
/** Reading the trace out of everybody's headers. */

const { ids, parseTraceparent, parseXray } = require('./ids.js');

/** @typedef {(name: string) => unknown} Get a header by its name in lower case */

/** In this order; each gives ids or nothing, of what is under its name. */
const READERS = [
  ['traceparent', (value) => parseTraceparent(text(value))],
  ['x-amzn-trace-id', (value) => parseXray(text(value))],
  ['_datadog', datadogJson],
  ['x-datadog-trace-id', datadog],
  ['elastic-apm-traceparent', (value) => parseTraceparent(text(value))],
  ['b3', (value) => b3(text(value))],
  ['x-b3-traceid', (value, get) => withSpan(ids(text(value), text(get('x-b3-spanid'))))],
  ['uber-trace-id', (value) => jaeger(text(value))],
  ['epsagon-trace-id', (value) => jaeger(text(value))],
];

/**
 * @param {Get} get
 * @returns {import('./ids.js').Ids | undefined}
 */
function extract(get) {
  for (const [name, read] of READERS) {
    const value = get(name);
    const found = value ? read(value, get) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** What an application knows the action by; it joins nothing, and is told for those who look for it. */
function correlationId(get) {
  const value = get ? text(get('x-correlation-id')) : '';
  return value.length <= CORRELATION_CHARS_MAX ? value : '';
}

const CORRELATION_CHARS_MAX = 256;
const text = (value) => (typeof value === 'string' ? value : Array.isArray(value) && typeof value[0] === 'string' ? value[0] : '');
const withSpan = (found) => (found && found.spanId ? found : undefined);

/** Datadog's are decimal and have 64 bits; the upper half of a trace id is in a tag. */
function datadog(value, get) {
  const low = hex64(text(value));
  const span = hex64(text(get('x-datadog-parent-id')));
  const high = /_dd\.p\.tid=([0-9a-f]{16})/.exec(text(get('x-datadog-tags')));
  return low && span ? withSpan(ids((high ? high[1] : '') + low, span)) : undefined;
}

/** Its headers in an object, in JSON, or in JSON in base64. */
function datadogJson(value) {
  const json = text(value);
  const fields = json ? parsed(json.startsWith('{') ? json : Buffer.from(json, 'base64').toString()) : value;
  if (!fields || typeof fields !== 'object' || Array.isArray(fields)) return undefined;
  const get = getter(fields);
  return extract((name) => (name === '_datadog' ? undefined : get(name)));
}

const hex64 = (decimal) => (/^\d{1,20}$/.test(decimal) ? BigInt(decimal).toString(16).padStart(16, '0').slice(-16) : '');

function b3(header) {
  const [trace, span] = header.split('-');
  return span ? withSpan(ids(trace, span)) : undefined;
}

/** `trace:span:parent:flags` in hexadecimal, possibly percent-encoded. */
function jaeger(header) {
  const [trace, span] = header.replace(/%3A/gi, ':').split(':');
  return span ? withSpan(ids(trace, span)) : undefined;
}

/** Looks names up whatever their case; the first of several values counts. */
function getter(headers) {
  if (!headers || typeof headers !== 'object') return () => undefined;
  let lower;
  return (name) => {
    if (name in headers) return headers[name];
    if (!lower) {
      lower = {};
      for (const key of Object.keys(headers)) lower[key.toLowerCase()] = headers[key];
    }
    return lower[name];
  };
}

/** An object out of JSON text, if it is one. */
function parsed(json) {
  if (typeof json !== 'string' || !json.startsWith('{')) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

module.exports = { correlationId, extract, getter, parsed };
