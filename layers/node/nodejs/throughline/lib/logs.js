'use strict';
/**
 * Ids in log lines, where the function's owner wants to see them: `THROUGHLINE_LOG_IDS=on`.
 *
 * Without it nothing is done to `console`. The runtime writes the request id on every line, by which the extension joins
 * it; whatever says the span as well is seen by whoever reads the log.
 */

const faults = require('./faults.js');

const METHODS = ['trace', 'debug', 'info', 'log', 'warn', 'error', 'fatal'];

/**
 * Has lines say the span that is current when they are written.
 * @param {import('./layer.js').Layer} layer
 */
function install(layer) {
  const say = (process.env.AWS_LAMBDA_LOG_FORMAT || '').toUpperCase() === 'JSON' ? asFields : before;
  for (const name of METHODS) {
    const write = console[name];
    if (typeof write !== 'function') continue;
    console[name] = function (...args) {
      const ids = faults.guard('logs', () => idsOf(layer.current()));
      return ids ? say(ids, write, this, args) : write.apply(this, args);
    };
  }
}

/** None while the function is loaded, since there is no trace yet. */
function idsOf(store) {
  const { traceId, spanId } = store ? store.span : {};
  return traceId ? { trace_id: traceId, span_id: spanId } : undefined;
}

/** In a line of text they come first; a format stays the first of what it formats. */
function before(ids, write, self, [message, ...rest]) {
  const said = `[trace_id=${ids.trace_id} span_id=${ids.span_id}]`;
  return typeof message === 'string' ? write.call(self, `${said} ${message}`, ...rest) : write.call(self, said, message, ...rest);
}

/** A line of JSON is made by the runtime, which lets nobody add a field: what it makes is found when it is put into text. */
function asFields(ids, write, self, args) {
  const { stringify } = JSON;
  try {
    JSON.stringify = (value, ...more) => stringify(isLine(value) ? { ...value, ...ids } : value, ...more);
  } catch {
    // The function has frozen it.
    return write.apply(self, args);
  }
  try {
    return write.apply(self, args);
  } finally {
    JSON.stringify = stringify;
  }
}

const isLine = (value) => value !== null && typeof value === 'object' && ['timestamp', 'level', 'requestId', 'message'].every((key) => Object.hasOwn(value, key));

module.exports = { install };
