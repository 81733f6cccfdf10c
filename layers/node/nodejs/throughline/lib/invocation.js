'use strict';
/** The spans of one invocation, within limits, until they are sent. */

/** Spans beyond are counted in `throughline.dropped.spans`. */
const SPANS_MAX = 1_000;
/** Keys that join this invocation with others. */
const KEYS_MAX = 1_000;

class Invocation {
  /** @param {(late: import('./span.js').Span) => void} late takes what ends after the invocation was sent */
  constructor(requestId, late) {
    this.requestId = requestId;
    this.late = late;
    /** @type {import('./span.js').Span | undefined} */
    this.span = undefined;
    /** @type {import('./span.js').Span[]} */
    this.done = [];
    /** @type {Set<import('./span.js').Span>} */
    this.open = new Set();
    this.started = 0;
    this.dropped = 0;
    this.sent = false;
    /** How many characters of the bodies of calls it has. */
    this.bodyChars = 0;
    this.timer = undefined;
  }

  /** A span begins; `false` if there is no room for it. */
  begin(span) {
    if (this.started >= SPANS_MAX) {
      this.dropped += 1;
      return false;
    }
    this.started += 1;
    this.open.add(span);
    return true;
  }

  /** A span of it ended; one that was sent as unfinished, or had no room, is not sent again. */
  ended(span) {
    if (!this.open.delete(span)) return;
    if (this.sent) this.late(span);
    else this.done.push(span);
  }

  /** What is to be sent: all that ended since. */
  take() {
    const spans = this.done;
    this.done = [];
    return spans;
  }
}

module.exports = { Invocation, KEYS_MAX, SPANS_MAX };
