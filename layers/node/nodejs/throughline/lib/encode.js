'use strict';
/** Spans as OTLP/JSON. */

const { nanos, now } = require('./clock.js');

/** What one request may take; the extension takes 4 MiB. Spans beyond are counted and dropped, the first ones stay. */
const BODY_CHARS_MAX = 1 << 20;
const TEXT_CHARS_MAX = 64 << 10;

/**
 * @param {{resource: Record<string, unknown>, scope: {name: string, version: string}}} about
 * @param {import('./span.js').Span[]} spans the most important first
 * @returns {{body: string, dropped: number}}
 */
function encode(about, spans) {
  /** @type {Map<string, {scope: object, texts: string[]}>} */
  const groups = new Map();
  let chars = 0;
  let dropped = 0;
  for (const span of spans) {
    const text = JSON.stringify(spanOf(span));
    if (chars + text.length > BODY_CHARS_MAX) {
      dropped += 1;
      continue;
    }
    chars += text.length;
    const scope = span.scope || about.scope;
    const key = `${scope.name}\n${scope.version}`;
    const group = groups.get(key) || { scope, texts: [] };
    if (group.texts.length === 0) groups.set(key, group);
    group.texts.push(text);
  }
  const scopes = [...groups.values()].map(({ scope, texts }) => `{"scope":${JSON.stringify(scope)},"spans":[${texts.join(',')}]}`);
  const resource = JSON.stringify({ attributes: attributesOf(about.resource) });
  return { body: `{"resourceSpans":[{"resource":${resource},"scopeSpans":[${scopes.join(',')}]}]}`, dropped };
}

function spanOf(span) {
  const unfinished = span.endTime === 0;
  const attributes = attributesOf(span.attributes);
  if (unfinished) attributes.push({ key: 'throughline.unfinished', value: { boolValue: true } });
  const message = {
    traceId: span.traceId,
    spanId: span.spanId,
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanos(span.start),
    endTimeUnixNano: nanos(unfinished ? Math.max(span.start, now()) : span.endTime),
    attributes,
  };
  if (span.parentId) message.parentSpanId = span.parentId;
  if (span.dropped) message.droppedAttributesCount = span.dropped;
  if (span.status) message.status = span.message ? { code: span.status, message: span.message.slice(0, TEXT_CHARS_MAX) } : { code: span.status };
  if (span.events.length) message.events = span.events.map(eventOf);
  if (span.links.length) message.links = span.links.map(linkOf);
  return message;
}

function eventOf({ name, time, attributes }) {
  return { name, timeUnixNano: nanos(time), attributes: attributesOf(attributes) };
}

function linkOf({ traceId, spanId, attributes }) {
  return { traceId, spanId, attributes: attributesOf(attributes) };
}

function attributesOf(attributes) {
  const pairs = [];
  for (const key in attributes) {
    const value = valueOf(attributes[key]);
    if (value) pairs.push({ key, value });
  }
  return pairs;
}

function valueOf(value) {
  switch (typeof value) {
    case 'string':
      return { stringValue: value.length > TEXT_CHARS_MAX ? value.slice(0, TEXT_CHARS_MAX) : value };
    case 'number':
      if (Number.isSafeInteger(value)) return { intValue: String(value) };
      return Number.isFinite(value) ? { doubleValue: value } : { stringValue: String(value) };
    case 'boolean':
      return { boolValue: value };
    case 'bigint':
      return { intValue: String(value) };
    default:
      return Array.isArray(value) ? { arrayValue: { values: value.map(valueOf).filter(Boolean) } } : undefined;
  }
}

module.exports = { encode };
