'use strict';
/**
 * What invoked the function, told from the event: its kind, who it was called by, and the keys that join it with what
 * its producer knows.
 */

const { correlationId, extract, getter } = require('./carriers.js');
const faults = require('./faults.js');
const { KEYS_MAX } = require('./invocation.js');

/**
 * @typedef {object} Way what an event says
 * @property {import('./ids.js').Ids | undefined} parent whose trace the invocation is in
 * @property {{context: import('./ids.js').Ids, attributes: Record<string, unknown>}[]} links one for each record that names its own
 * @property {string[]} keys `kind:value`
 * @property {string[]} path the managed services that each record came through
 * @property {Record<string, unknown>} attributes
 * @property {unknown} event what may be shown of it
 */

/**
 * @param {unknown} event
 * @param {any} told the context object of the runtime
 * @param {import('./ids.js').Ids | undefined} invoked the trace in the invocation's own header
 * @returns {Way}
 */
function read(event, told, invoked, settings) {
  const found = (event !== null && typeof event === 'object' && faults.guard('event', () => look(event))) || {};
  const records = found.records || [];
  const contexts = records.map((record) => record.get && extract(record.get));
  const keys = [`lam:${told.awsRequestId}`, ...(found.keys || [])];
  const path = records.map((record) => record.path).filter(Boolean);
  for (const record of records) keys.push(...(record.keys || []));
  const links = [];
  contexts.forEach((context, at) => {
    if (!context || !found.isBatch) return;
    // A header may name the trace alone; a link needs a span.
    if (context.spanId) links.push({ context, attributes: linkAttributes(records[at]) });
  });
  const attributes = { 'faas.trigger': found.trigger || 'other', 'throughline.trigger.type': found.type || 'invoke', ...found.attributes };
  const correlation = records.length === 1 && correlationId(records[0].get);
  if (correlation) attributes['throughline.correlation_id'] = correlation;
  const parent = same(contexts) || extract(custom(told)) || invoked;
  return { parent: completed(parent, invoked), links, keys: keys.slice(0, KEYS_MAX), path, attributes, event };
}

function look(event) {
  const { TABLE } = require('./sources/table.js');
  const row = TABLE.find(({ is }) => is(event));
  if (!row) return { records: [{ get: getter(event) }] };
  return { type: row.type, trigger: row.trigger, ...row.read(event) };
}

/** The one trace that all records are in, below the caller that all have, or the first that is known. */
function same(contexts) {
  const [first] = contexts;
  const isOne = first && contexts.every((context) => context && context.traceId === first.traceId);
  return isOne ? contexts.find((context) => context.spanId) || first : undefined;
}

/** The header may name the trace without the caller, which the invocation's own header has. */
function completed(parent, invoked) {
  if (parent && !parent.spanId && invoked && invoked.traceId === parent.traceId) return invoked;
  return parent;
}

/** What a caller put into the client context of a direct call. */
function custom(told) {
  const context = told.clientContext || {};
  const own = getter(context.custom || context.Custom);
  const w3c = getter(context.w3c);
  return (name) => own(name) || w3c(name);
}

function linkAttributes(record) {
  const attributes = {};
  if (record.id) attributes['messaging.message.id'] = record.id;
  if (record.keys && record.keys.length) attributes['throughline.link.in'] = record.keys;
  return attributes;
}

module.exports = { read };
