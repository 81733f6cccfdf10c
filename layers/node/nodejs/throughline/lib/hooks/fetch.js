'use strict';
/** Calls of `fetch` and undici, which tell of them through Node's diagnostics channels. */

const { subscribe } = require('diagnostics_channel');

const faults = require('../faults.js');
const { getter } = require('../carriers.js');

const PART = 'fetch';

/** @param {import('../layer.js').Layer} layer */
function install(layer) {
  /** @type {WeakMap<object, import('../call.js').Call>} */
  const calls = new WeakMap();
  const on = (name, work) => subscribe(`undici:request:${name}`, (message) => void (faults.isOff(PART) || faults.guard(PART, () => work(message))));
  const own = `${layer.settings.host}:${layer.settings.port}`;

  on('create', ({ request }) => {
    const { origin, method, path } = request;
    const url = new URL(path, String(origin));
    if (url.host === own || method === 'CONNECT') return;
    const get = getter(headersOf(request.headers));
    const body = typeof request.body === 'string' || request.body instanceof Uint8Array ? request.body : undefined;
    const { Call } = require('../call.js');
    const call = Call.begin(layer, { method, scheme: url.protocol.slice(0, -1), host: url.host, path, get, body });
    if (!call) return;
    calls.set(request, call);
    for (const [name, value] of call.headers()) {
      // It has no way to replace one.
      if (!get(name)) request.addHeader(name, value);
    }
  });
  if (layer.settings.bodies) {
    // Not every version tells of them.
    on('bodyChunkSent', ({ request, chunk }) => calls.get(request)?.wrote(chunk));
    on('bodyChunkReceived', ({ request, chunk }) => calls.get(request)?.data(chunk));
  }
  on('headers', ({ request, response }) => {
    const call = calls.get(request);
    if (call) call.answered(response.statusCode, getter(headersOf(response.headers)));
  });
  on('trailers', ({ request }) => {
    const call = calls.get(request);
    if (call) call.done();
  });
  on('error', ({ request, error }) => {
    const call = calls.get(request);
    if (call) call.failed(error);
  });
}

/** Text in undici 5, a list of names and values in later ones, of bytes in answers. */
function headersOf(headers) {
  const found = {};
  if (typeof headers === 'string') {
    for (const line of headers.split('\r\n')) {
      const at = line.indexOf(':');
      if (at > 0) found[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim();
    }
    return found;
  }
  for (let n = 0; headers && n + 1 < headers.length; n += 2) found[String(headers[n]).toLowerCase()] = String(headers[n + 1]);
  return found;
}

module.exports = { install };
