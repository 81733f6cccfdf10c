'use strict';
/**
 * OpenTelemetry's API for JavaScript, 1.x, answered by the layer: code written against `@opentelemetry/api` makes our
 * spans, whichever copy of the package it brings.
 *
 * Copies find each other through one object of the process, by the version in it: a copy takes what is registered by a
 * version that is not older than its own.
 */

const { current, storage } = require('./context.js');
const { extract, getter } = require('./carriers.js');
const { newTraceId, traceparent } = require('./ids.js');
const { KIND, Span, millis } = require('./span.js');

const SPAN = Symbol.for('OpenTelemetry Context Key SPAN');
const SUPPRESSED = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** Values that go along with a piece of work; none is ever changed. */
class Context {
  /** @param {Map<symbol, unknown>} [values] */
  constructor(values = new Map()) {
    this.values = values;
  }
  getValue(key) {
    return this.values.get(key);
  }
  setValue(key, value) {
    return new Context(new Map(this.values).set(key, value));
  }
  deleteValue(key) {
    const values = new Map(this.values);
    values.delete(key);
    return new Context(values);
  }
}

const ROOT = new Context();

/** A span that is not kept: outside of invocations, or beyond the limit. */
class NoSpan {
  constructor(ids) {
    this.ids = ids || { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 };
  }
  spanContext() {
    return this.ids;
  }
  isRecording() {
    return false;
  }
  end() {}
  recordException() {}
}
for (const name of ['setAttribute', 'setAttributes', 'addEvent', 'addLink', 'addLinks', 'setStatus', 'updateName']) {
  NoSpan.prototype[name] = function () {
    return this;
  };
}

/** @param {import('./layer.js').Layer} layer */
function contextManager(layer) {
  return {
    active() {
      const store = layer.current();
      if (!store) return (current() || {}).context || ROOT;
      if (!store.context) store.context = ROOT.setValue(SPAN, store.span);
      return store.context;
    },
    with(context, work, self, ...args) {
      const store = layer.current() || {};
      const span = context.getValue(SPAN);
      const own = span instanceof Span ? span : store.span;
      return storage.run({ invocation: store.invocation, span: own, context }, () => work.apply(self, args));
    },
    bind(context, target) {
      if (typeof target !== 'function') return target;
      const manager = this;
      return function (...args) {
        return manager.with(context, target, this, ...args);
      };
    },
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  };
}

class Tracer {
  constructor(layer, manager, scope) {
    this.layer = layer;
    this.manager = manager;
    this.scope = scope;
  }

  startSpan(name, options = {}, context = this.manager.active()) {
    const store = this.layer.current();
    const parent = options.root ? undefined : context.getValue(SPAN);
    const ids = parent && parent.spanContext();
    const invocation = store && store.invocation;
    if (!invocation || this.layer.sender.isOff || context.getValue(SUPPRESSED)) return new NoSpan(ids);
    const start = options.startTime === undefined ? undefined : millis(options.startTime);
    const from = ids && /[^0]/.test(ids.traceId) ? ids : undefined;
    const span = new Span(invocation, String(name), (options.kind || 0) + KIND.INTERNAL, from, newTraceId(), start);
    if (!invocation.begin(span)) return new NoSpan(ids);
    span.scope = this.scope;
    if (options.attributes) span.setAttributes(options.attributes);
    for (const link of options.links || []) span.addLink(link);
    return span;
  }

  startActiveSpan(name, ...rest) {
    const work = rest.pop();
    const [options, context = this.manager.active()] = rest;
    const span = this.startSpan(name, options, context);
    return this.manager.with(context.setValue(SPAN, span), work, undefined, span);
  }
}

/** Over the headers that the layer itself reads and writes. */
const propagation = {
  inject(context, carrier, setter) {
    const span = context.getValue(SPAN);
    const ids = span && span.spanContext();
    if (ids && /[^0]/.test(ids.traceId)) setter.set(carrier, 'traceparent', traceparent(ids));
  },
  extract(context, carrier, reader) {
    const names = reader && reader.keys ? reader.keys(carrier) : Object.keys(carrier || {});
    const values = {};
    for (const name of names) values[name] = reader && reader.get ? reader.get(carrier, name) : carrier[name];
    const found = extract(getter(values));
    return found && found.spanId ? context.setValue(SPAN, new NoSpan({ ...found, traceFlags: 1, isRemote: true })) : context;
  },
  fields: () => ['traceparent'],
};

/** @param {import('./layer.js').Layer} layer */
function api(layer) {
  const context = contextManager(layer);
  const trace = { getTracer: (name, version = '') => new Tracer(layer, context, { name: String(name || 'unknown'), version: String(version) }) };
  return { context, propagation, trace };
}

module.exports = { api };
