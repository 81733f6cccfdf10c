'use strict';
/** Which span is the current one, across everything asynchronous. */

const { AsyncLocalStorage } = require('async_hooks');

/**
 * @typedef {object} Store
 * @property {import('./invocation.js').Invocation} invocation
 * @property {import('./span.js').Span} span
 * @property {{operation: string, spanId: string}} [promised] the id that the span of a call to AWS will have
 * @property {unknown} [context] of OpenTelemetry's API, if it made this one
 */

/** @type {AsyncLocalStorage<Store | undefined>} */
const storage = new AsyncLocalStorage();

module.exports = {
  /** @returns {Store | undefined} */
  current: () => storage.getStore(),
  storage,
};
