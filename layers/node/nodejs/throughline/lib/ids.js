'use strict';
/** Ids of traces and spans, and the headers that carry them. */

/** @typedef {{traceId: string, spanId: string}} Ids `spanId` is empty if only the trace is known */

const ZERO_TRACE = '0'.repeat(32);
const ZERO_SPAN = '0'.repeat(16);

const word = () => ((Math.random() * 0x1_0000_0000) >>> 0).toString(16).padStart(8, '0');

function newSpanId() {
  const id = word() + word();
  return id === ZERO_SPAN ? newSpanId() : id;
}

/** Begins with the time, as X-Ray wants it. */
function newTraceId() {
  return Math.floor(Date.now() / 1000).toString(16).padStart(8, '0') + word() + word() + word();
}

const isTraceId = (text) => /^[0-9a-f]{32}$/.test(text) && text !== ZERO_TRACE;
const isSpanId = (text) => /^[0-9a-f]{16}$/.test(text) && text !== ZERO_SPAN;

/**
 * @param {string} traceId
 * @param {string} [spanId]
 * @returns {Ids | undefined}
 */
function ids(traceId, spanId) {
  const trace = String(traceId).toLowerCase().padStart(32, '0');
  const span = String(spanId || '').toLowerCase().padStart(16, '0');
  return isTraceId(trace) ? { traceId: trace, spanId: isSpanId(span) ? span : '' } : undefined;
}

/** `00-<32 hex>-<16 hex>-<2 hex>` */
function parseTraceparent(text) {
  const match = /^\s*(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/i.exec(text);
  const found = match && ids(match[1], match[2]);
  return found && found.spanId ? found : undefined;
}

const traceparent = (span) => `00-${span.traceId}-${span.spanId}-01`;

/** The fields of `Root=1-8hex-24hex;Parent=16hex;Sampled=1;Lineage=...`, in their order. */
function xrayFields(text) {
  const pairs = String(text || '').split(';').map((field) => field.trim()).filter(Boolean);
  return pairs.map((field) => {
    const at = field.indexOf('=');
    return at < 0 ? [field, ''] : [field.slice(0, at).trim(), field.slice(at + 1).trim()];
  });
}

function parseXray(text) {
  const fields = xrayFields(text);
  const of = (name) => (fields.find(([key]) => key.toLowerCase() === name) || [])[1];
  const root = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i.exec(of('root') || '');
  return root ? ids(root[1] + root[2], of('parent')) : undefined;
}

/** Calls of one invocation all begin with the same header. */
let last = { before: '', kept: '' };

/** The header that names `span`; of `before`, everything but its ids stays. */
function xray(span, before = '') {
  if (last.before !== before) {
    const kept = xrayFields(before).filter(([key]) => !['root', 'parent', 'self'].includes(key.toLowerCase()));
    last = { before, kept: kept.map(([key, value]) => (value === '' ? `;${key}` : `;${key}=${value}`)).join('') };
  }
  return `Root=1-${span.traceId.slice(0, 8)}-${span.traceId.slice(8)};Parent=${span.spanId}${last.kept}`;
}

/** FNV-1a, 64 bits: how the extension makes the ids of its own spans. */
function fnv(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}

/** The span that the extension writes for the initialisation before this invocation. */
const initSpanId = (requestId, deadlineMillis) => fnv(`${fnv(`${requestId}${deadlineMillis}`)}init`);

module.exports = { ids, initSpanId, isSpanId, isTraceId, newSpanId, newTraceId, parseTraceparent, parseXray, traceparent, xray };
