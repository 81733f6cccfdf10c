'use strict';
/** The layer of one process: begins and ends invocations, and wraps the handler. */

const clock = require('./clock.js');
const context = require('./context.js');
const faults = require('./faults.js');
const { encode } = require('./encode.js');
const { initSpanId, newTraceId, parseXray, xray } = require('./ids.js');
const { Invocation } = require('./invocation.js');
const { Sender } = require('./sender.js');
const { KIND, STATUS, Span } = require('./span.js');
const { read } = require('./sources.js');
const { version } = require('../package.json');

/** So long before the deadline what is open is sent as unfinished; a tenth of the time if that is less. */
const BEFORE_DEADLINE_MS = 100;
/** Spans that ended after their invocation wait for the next one. */
const LATE_MAX = 256;
/** A millisecond may pass between two looks at the clock, not many times in a row. */
const DEADLINE_TRIES_MAX = 10;
const TRACE_ID = '_X_AMZN_TRACE_ID';
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const INVOKE_STORE_TRACE_ID = Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID');

class Layer {
  /** @param {import('./settings.js').Settings} settings */
  constructor(settings, sender = new Sender(settings)) {
    this.settings = settings;
    this.sender = sender;
    this.about = {
      resource: {
        'service.name': settings.service,
        'telemetry.sdk.name': 'throughline',
        'telemetry.sdk.language': 'nodejs',
        'telemetry.sdk.version': version,
        'process.runtime.name': 'nodejs',
        'process.runtime.version': process.versions.node,
      },
      scope: { name: 'throughline.node', version },
    };
    this.hadFirst = false;
    /** On Managed Instances several invocations run at once. */
    this.isMany = 'AWS_LAMBDA_MAX_CONCURRENCY' in process.env;
    /** @type {Invocation | undefined} the one that runs, or ran last */
    this.last = undefined;
    /** @type {Span[]} */
    this.late = [];
    /** What is called while the function is loaded, until there is an invocation that says in which trace that was. */
    const init = new Invocation('', (span) => this.keepLate(span));
    this.init = { invocation: init, span: new Span(init, 'init', KIND.INTERNAL, { traceId: '', spanId: '' }, '') };
    this.init.span.spanId = '';
  }

  install() {
    this.sender.open();
    const { install } = require('./hooks.js');
    install(this);
    if (this.settings.logIds) require('./logs.js').install(this);
    process.on('uncaughtExceptionMonitor', (error) => this.atTheEnd(error));
    process.on('exit', () => this.atTheEnd());
  }

  /** The current span's place: of what runs now, else of the invocation as a whole. */
  current() {
    const store = context.current() || this.init;
    if (store) return store;
    const last = this.isMany ? undefined : this.last;
    return last && !last.sent ? { invocation: last, span: last.span } : undefined;
  }

  /**
   * A span below the current one; none outside of invocations, beyond the limit, and once the extension is not there.
   * @returns {Span | undefined}
   */
  span(name, kind) {
    const store = this.sender.isOff ? undefined : this.current();
    if (!store) return undefined;
    const span = new Span(store.invocation, name, kind, store.span);
    return store.invocation.begin(span) ? span : undefined;
  }

  /** The handler, watched: same name, same number of parameters, same marks. */
  wrap(handler) {
    const layer = this;
    const streaming = Boolean(handler[STREAMING]);
    const wrapped = function (...args) {
      return layer.invoke(this, handler, args, streaming);
    };
    for (const key of Reflect.ownKeys(handler)) {
      if (key === 'prototype' || key === 'arguments' || key === 'caller') continue;
      Object.defineProperty(wrapped, key, Object.getOwnPropertyDescriptor(handler, key));
    }
    return wrapped;
  }

  invoke(self, handler, args, streaming) {
    const told = streaming ? args[2] : args[1];
    const invocation = faults.guard('begin', () => this.begin(args[0], told));
    if (!invocation) return handler.apply(self, args);
    if (!streaming) faults.guard('callback', () => this.watchCallback(invocation, args, told));
    // Not `run`, which would leave frames in the stacks of the function's errors.
    const before = context.current();
    context.storage.enterWith({ invocation, span: invocation.span });
    let result;
    try {
      result = handler.apply(self, args);
    } catch (error) {
      this.failed(invocation, error);
      throw error;
    } finally {
      context.storage.enterWith(before);
    }
    if (result !== null && typeof result === 'object' && typeof result.then === 'function') {
      return this.settle(invocation, result);
    }
    if (typeof args[2] !== 'function' || streaming) this.finish(invocation, undefined, result);
    return result;
  }

  /** Hands on what the handler promised, once it is known. */
  async settle(invocation, promise) {
    let result;
    try {
      result = await promise;
    } catch (error) {
      this.failed(invocation, error);
      throw error;
    }
    this.finish(invocation, undefined, result);
    return result;
  }

  failed(invocation, error) {
    this.finish(invocation, { error });
    require('./exceptions.js').clean(error);
  }

  /** Runtimes up to Node 22 have callbacks, and their older spelling on the context. */
  watchCallback(invocation, args, told) {
    const callback = args[2];
    if (typeof callback !== 'function') return;
    const ended = (error, result) => this.finish(invocation, error ? { error } : undefined, result);
    args[2] = function (error, result) {
      ended(error, result);
      return callback.apply(this, arguments);
    };
    const older = { done: ended, succeed: (result) => ended(undefined, result), fail: (error) => ended(error || 'failed') };
    for (const name of Object.keys(older)) {
      const original = told && told[name];
      if (typeof original !== 'function') continue;
      told[name] = function (...values) {
        older[name](...values);
        return original.apply(this, values);
      };
    }
  }

  begin(event, told) {
    if (this.sender.isOff || !told || typeof told.awsRequestId !== 'string') return undefined;
    this.closeLast();
    clock.set();
    const invocation = new Invocation(told.awsRequestId, (span) => this.keepLate(span));
    const header = told.xRayTraceId || process.env[TRACE_ID] || '';
    const way = read(event, told, parseXray(header), this.settings);
    const span = new Span(invocation, this.settings.functionName || 'invocation', KIND.SERVER, way.parent, newTraceId());
    invocation.span = span;
    invocation.begin(span);
    this.describe(span, told, way);
    if (this.init) this.adoptInit(span, told);
    this.name(span, header);
    this.watchDeadline(invocation, told);
    this.last = invocation;
    return invocation;
  }

  describe(span, told, way) {
    span.setAttribute('faas.invocation_id', told.awsRequestId);
    span.setAttribute('faas.coldstart', !this.hadFirst);
    this.hadFirst = true;
    const arn = told.invokedFunctionArn;
    if (typeof arn === 'string') {
      span.setAttribute('aws.lambda.invoked_arn', arn);
      span.setAttribute('cloud.resource_id', arn.split(':').slice(0, 7).join(':'));
    }
    span.setAttributes(way.attributes);
    span.addLinks(way.links);
    if (way.keys.length) span.setAttribute('throughline.link.in', way.keys);
    if (way.path.length) span.setAttribute('throughline.in.path', way.path);
    const { payloads } = this.settings;
    if (payloads !== 'off') this.payload(span, 'throughline.payload.request', way.event);
  }

  /** What was called while the function was loaded is below the extension's span of that. */
  adoptInit(span, told) {
    const { invocation } = this.init;
    this.init = undefined;
    const spans = [...invocation.done, ...invocation.open];
    if (spans.length === 0) return;
    const parent = initSpanId(told.awsRequestId, deadlineOf(told));
    for (const early of spans) {
      early.traceId = span.traceId;
      early.parentId = early.parentId || parent;
    }
    invocation.sent = true;
    for (const early of invocation.take()) this.keepLate(early);
  }

  payload(span, key, value) {
    faults.guard('payload', () => {
      const { text } = require('./payload.js');
      span.setAttribute(key, text(value, this.settings));
    });
  }

  /** From here on AWS's SDKs say our trace and this span in the header of every call. */
  name(span, header) {
    const named = xray(span, header);
    if (!this.isMany) process.env[TRACE_ID] = named;
    const store = globalThis.awslambda && globalThis.awslambda.InvokeStore;
    const kept = store && typeof store.getContext === 'function' ? store.getContext() : undefined;
    if (kept && INVOKE_STORE_TRACE_ID in kept) kept[INVOKE_STORE_TRACE_ID] = named;
  }

  watchDeadline(invocation, told) {
    if (typeof told.getRemainingTimeInMillis !== 'function') return;
    const left = told.getRemainingTimeInMillis();
    const wait = left - Math.min(BEFORE_DEADLINE_MS, left / 10);
    if (!(wait > 0 && wait < 0x7fff_ffff)) return;
    const timer = setTimeout(() => faults.guard('deadline', () => this.unfinished(invocation)), wait);
    timer.unref();
    invocation.timer = timer;
  }

  /** Sends what is open as it is; none of it is sent again. */
  unfinished(invocation) {
    if (invocation.sent) return;
    const open = [...invocation.open];
    this.flush(invocation, open);
    invocation.open.clear();
  }

  /** The invocation is over; what belongs to it is handed to the kernel. */
  finish(invocation, failure, result) {
    faults.guard('end', () => {
      if (invocation.sent) return;
      const { span } = invocation;
      if (failure) span.fail(failure.error);
      else this.answered(span, result);
      clearTimeout(invocation.timer);
      span.end();
      for (const open of invocation.open) if (open.answeredAt) open.end(open.answeredAt);
      this.flush(invocation, []);
    });
  }

  answered(span, result) {
    const status = result !== null && typeof result === 'object' ? result.statusCode : undefined;
    if (span.attributes['faas.trigger'] === 'http' && Number.isInteger(status)) {
      span.setAttribute('http.response.status_code', status);
      if (status >= 500) {
        span.setAttribute('error.type', String(status));
        span.setStatus({ code: STATUS.ERROR });
      }
    }
    const failures = result !== null && typeof result === 'object' ? result.batchItemFailures : undefined;
    if (Array.isArray(failures) && failures.length) span.setAttribute('throughline.batch.failures', failures.length);
    if (this.settings.payloads !== 'off' && result !== undefined) this.payload(span, 'throughline.payload.response', result);
  }

  flush(invocation, open) {
    invocation.sent = true;
    const { span, dropped } = invocation;
    if (dropped) span.attributes['throughline.dropped.spans'] = dropped;
    if (faults.total()) span.attributes['throughline.layer.faults'] = faults.total();
    const children = invocation.take().filter((done) => done !== span);
    const spans = [span, ...open.filter((other) => other !== span), ...children, ...this.late];
    this.late = [];
    this.sender.send(encode(this.about, spans).body);
  }

  keepLate(span) {
    if (this.late.length < LATE_MAX) this.late.push(span);
  }

  /** An invocation whose handler never said that it was done. */
  closeLast() {
    const { last } = this;
    if (last && !last.sent && !this.isMany) {
      clearTimeout(last.timer);
      this.unfinished(last);
    }
  }

  /** The process ends: what is open is sent, with the reason if there is one. */
  atTheEnd(error) {
    faults.guard('exit', () => {
      const { last } = this;
      if (last && !last.sent) {
        if (error) last.span.fail(error);
        this.unfinished(last);
      } else if (this.late.length) {
        const { late } = this;
        this.late = [];
        this.sender.send(encode(this.about, late).body);
      }
    });
  }
}

/** In milliseconds since 1970, as the platform said it; the runtime only says how much is left. */
function deadlineOf(told) {
  if (typeof told.getRemainingTimeInMillis !== 'function') return 0;
  let deadline = 0;
  for (let tries = 0; tries < DEADLINE_TRIES_MAX; tries++) {
    const before = Date.now();
    deadline = before + told.getRemainingTimeInMillis();
    if (Date.now() === before) break;
  }
  return deadline;
}

module.exports = { Layer };
