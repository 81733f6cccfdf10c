'use strict';
/** What the hooks of libraries share. */

const faults = require('../faults.js');
const { traceparent } = require('../ids.js');
const { KIND } = require('../span.js');

const TEXT_CHARS_MAX = 2_048;

/**
 * Replaces a method by one that `around` may follow.
 * @param {string} part
 * @param {any} target
 * @param {string} name
 * @param {(original: Function) => Function} around
 */
function wrap(part, target, name, around) {
  const original = target && target[name];
  if (typeof original !== 'function') return;
  const followed = around(original);
  const replaced = function (...args) {
    return faults.isOff(part) ? original.apply(this, args) : followed.apply(this, args);
  };
  Object.defineProperty(replaced, 'name', { value: original.name, configurable: true });
  Object.defineProperty(replaced, 'length', { value: original.length, configurable: true });
  Object.defineProperty(target, name, { value: replaced, configurable: true, enumerable: Object.prototype.propertyIsEnumerable.call(target, name), writable: true });
}

/** Ends `span` when the promise is settled; gives what the caller then waits for. */
function settled(span, promise, then) {
  return promise.then(
    (value) => {
      if (then) faults.guard('answer', () => then(value));
      span.end();
      return value;
    },
    (error) => {
      span.fail(error);
      span.end();
      throw error;
    },
  );
}

/** A callback that ends `span` and then goes on in the context in which it was given. */
function called(span, callback) {
  const { AsyncResource } = require('async_hooks');
  return AsyncResource.bind(function (error, ...rest) {
    if (error) span.fail(error);
    span.end();
    return callback.call(this, error, ...rest);
  });
}

/** Ends `span` with what an emitter tells, without listening: that may change what happens to errors. */
function emitted(span, emitter) {
  const { emit } = emitter;
  emitter.emit = function (type, ...values) {
    if (type === 'error') span.fail(values[0]);
    if (type === 'error' || type === 'end') span.end();
    return emit.call(this, type, ...values);
  };
}

/** A statement's first word and its table, and the statement without its values. */
function sql(statement) {
  const text = String(statement).replace(/'(?:[^'\\]|''|\\.)*'/g, '?').replace(/(?<![\w$])-?\d+(?:\.\d+)?\b/g, '?').replace(/\s+/g, ' ').trim();
  const operation = (/^\w+/.exec(text) || [''])[0].toUpperCase();
  const table = /\b(?:from|into|update|join|table)\s+["`]?([\w.]+)/i.exec(text);
  return { operation, table: table ? table[1] : '', text: text.slice(0, TEXT_CHARS_MAX) };
}

/** @param {import('../layer.js').Layer} layer */
function querySpan(layer, system, statement, { database, host, port }) {
  const { operation, table, text } = sql(statement);
  const span = layer.span([operation, table].filter(Boolean).join(' ') || system, KIND.CLIENT);
  if (!span) return undefined;
  span.setAttributes({ 'db.system.name': system, 'db.operation.name': operation, 'db.query.text': text });
  if (table) span.setAttribute('db.collection.name', table);
  span.setAttribute('db.namespace', database);
  span.setAttribute('server.address', host);
  if (port) span.setAttribute('server.port', Number(port));
  return span;
}

/**
 * A statement with a comment at its end that carries the trace, as sqlcommenter has it. One that has a comment, or is to
 * be prepared, stays.
 */
function commented(layer, statement, span) {
  if (!layer.settings.sqlcommenter || typeof statement !== 'string' || !span.traceId || /\/\*|--|^\s*(prepare\b|$)/i.test(statement)) return statement;
  const plain = statement.trimEnd();
  const end = plain.endsWith(';') ? ';' : '';
  return `${plain.slice(0, plain.length - end.length).trimEnd()} /*traceparent='${traceparent(span)}'*/${end}`;
}

module.exports = { called, commented, emitted, querySpan, settled, sql, wrap };
