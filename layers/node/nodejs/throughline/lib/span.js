'use strict';
/** One span, with the methods that OpenTelemetry's API gives to spans. */

const clock = require('./clock.js');
const { newSpanId } = require('./ids.js');

const KIND = { INTERNAL: 1, SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 };
const STATUS = { UNSET: 0, OK: 1, ERROR: 2 };
const ATTRIBUTES_MAX = 128;
const EVENTS_MAX = 128;
const LINKS_MAX = 1_000;

class Span {
  /**
   * @param {import('./invocation.js').Invocation} invocation where it goes when it ends
   * @param {string} name
   * @param {number} kind one of KIND
   * @param {import('./ids.js').Ids | undefined} parent
   * @param {string} traceId for a span without a parent
   * @param {number} [start] milliseconds since 1970
   */
  constructor(invocation, name, kind, parent, traceId, start) {
    this.invocation = invocation;
    this.name = name;
    this.kind = kind;
    this.traceId = parent ? parent.traceId : traceId;
    this.parentId = parent ? parent.spanId : '';
    this.spanId = newSpanId();
    this.start = start === undefined ? clock.now() : start;
    this.endTime = 0;
    /** When a call was answered whose body nobody has read yet. */
    this.answeredAt = 0;
    this.scope = undefined;
    /** @type {Record<string, unknown>} */
    this.attributes = {};
    this.count = 0;
    this.events = [];
    this.links = [];
    this.dropped = 0;
    this.status = STATUS.UNSET;
    this.message = '';
  }

  spanContext() {
    return { traceId: this.traceId, spanId: this.spanId, traceFlags: 1 };
  }

  isRecording() {
    return this.endTime === 0;
  }

  setAttribute(key, value) {
    if (this.endTime !== 0 || value === undefined || value === null || key === '') return this;
    if (!(key in this.attributes)) {
      if (this.count >= ATTRIBUTES_MAX) {
        this.dropped += 1;
        return this;
      }
      this.count += 1;
    }
    this.attributes[key] = value;
    return this;
  }

  setAttributes(attributes) {
    for (const key in attributes) this.setAttribute(key, attributes[key]);
    return this;
  }

  addEvent(name, attributes, time) {
    if (this.endTime !== 0) return this;
    // The second argument may be left out.
    const timed = isTime(attributes) ? attributes : time;
    if (this.events.length >= EVENTS_MAX) this.dropped += 1;
    else this.events.push({ name, time: millis(timed), attributes: isTime(attributes) ? {} : attributes || {} });
    return this;
  }

  addLink(link) {
    if (this.links.length >= LINKS_MAX) this.dropped += 1;
    else this.links.push({ traceId: link.context.traceId, spanId: link.context.spanId, attributes: link.attributes || {} });
    return this;
  }

  addLinks(links) {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus(status) {
    if (this.endTime !== 0 || this.status === STATUS.OK) return this;
    this.status = status.code;
    this.message = status.code === STATUS.ERROR && typeof status.message === 'string' ? status.message : '';
    return this;
  }

  updateName(name) {
    if (this.endTime === 0) this.name = name;
    return this;
  }

  recordException(error, time) {
    if (this.endTime !== 0) return;
    const { describe } = require('./exceptions.js');
    this.addEvent('exception', describe(error), time);
  }

  /** Marks it as failed with `error`, which is recorded. */
  fail(error) {
    if (this.endTime !== 0) return;
    const { describe, typeOf, messageOf } = require('./exceptions.js');
    this.addEvent('exception', describe(error));
    this.setAttribute('error.type', typeOf(error));
    this.setStatus({ code: STATUS.ERROR, message: messageOf(error) });
  }

  end(time) {
    if (this.endTime !== 0) return;
    this.endTime = Math.max(this.start, millis(time));
    this.invocation.ended(this);
  }
}

const isTime = (value) => typeof value === 'number' || value instanceof Date || Array.isArray(value);

/** A time as OpenTelemetry's API takes it: a date, seconds and nanoseconds, milliseconds since 1970 or since the start. */
function millis(time) {
  if (time === undefined || time === null) return clock.now();
  if (time instanceof Date) return time.getTime();
  if (Array.isArray(time)) return time[0] * 1000 + time[1] / 1e6;
  return time < performance.timeOrigin / 2 ? performance.timeOrigin + time : time;
}

module.exports = { KIND, STATUS, Span, millis };
