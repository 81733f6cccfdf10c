'use strict';
/**
 * Calls over `http` and `https`, by whichever name they were imported: all of them are a `ClientRequest`, whose headers
 * are written by one method. Nothing has to be loaded for it that the runtime has not loaded.
 */

const http = require('http');

const faults = require('../faults.js');

const BODY = Symbol('body');
const CALL = Symbol('call');
const PART = 'http';

/** @param {import('../layer.js').Layer} layer */
function install(layer) {
  const { prototype } = http.ClientRequest;
  const { _storeHeader: store, end, write } = prototype;
  const own = [`${layer.settings.host}:${layer.settings.port}`, process.env.AWS_LAMBDA_RUNTIME_API || ''];

  /** The only place where a call with a short body, as AWS's SDKs make it, has all of it in its hands. */
  prototype.end = function (chunk, ...rest) {
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') {
      if (this[CALL]) this[CALL].wrote(chunk);
      else this[BODY] = chunk;
    }
    return end.call(this, chunk, ...rest);
  };

  if (layer.settings.bodies) {
    prototype.write = function (chunk, ...rest) {
      const result = write.call(this, chunk, ...rest);
      if (this[CALL]) this[CALL].wrote(chunk);
      return result;
    };
  }

  prototype._storeHeader = function (first, headers) {
    if (faults.isOff(PART)) return store.call(this, first, headers);
    const more = faults.guard(PART, () => begin(layer, this, headers, own));
    return store.call(this, first, more || headers);
  };
}

/** Begins the span of a request whose headers are about to be written; returns them if they are a list. */
function begin(layer, request, headers, own) {
  const host = String(request.getHeader('host') || request.host || '');
  if (own.includes(host) || request.method === 'CONNECT') return undefined;
  const list = Array.isArray(headers) ? flat(headers) : undefined;
  const get = list ? (name) => inList(list, name) : (name) => request.getHeader(name);
  const { Call } = require('../call.js');
  const call = Call.begin(layer, {
    method: request.method,
    scheme: request.protocol === 'https:' ? 'https' : 'http',
    host: list ? inList(list, 'host') || host : host,
    path: request.path,
    get,
    body: request[BODY],
  });
  request[BODY] = undefined;
  if (!call) return undefined;
  for (const [name, value] of call.headers()) {
    if (list) put(list, name, value);
    else if (headers) request.setHeader(name, value);
  }
  if (layer.settings.bodies) request[CALL] = call;
  watch(request, call);
  return list;
}

/** Sees what a request emits; a listener would change what happens to an answer that nobody asked for. */
function watch(request, call) {
  const { emit } = request;
  request.emit = function (type, ...values) {
    faults.guard(PART, () => {
      if (type === 'response') watchResponse(values[0], call);
      else if (type === 'error') call.failed(values[0]);
      else if (type === 'close') call.closed();
    });
    return emit.call(this, type, ...values);
  };
}

function watchResponse(response, call) {
  call.answered(response.statusCode, (name) => response.headers[name]);
  const { emit } = response;
  response.emit = function (type, ...values) {
    faults.guard(PART, () => {
      if (type === 'data') call.data(values[0]);
      else if (type === 'end' || type === 'close') call.done();
      else if (type === 'error') call.failed(values[0]);
    });
    return emit.call(this, type, ...values);
  };
}

const flat = (headers) => (Array.isArray(headers[0]) ? headers.flat() : [...headers]);

function inList(list, name) {
  const at = list.findIndex((word, n) => n % 2 === 0 && String(word).toLowerCase() === name);
  return at < 0 ? undefined : list[at + 1];
}

function put(list, name, value) {
  const at = list.findIndex((word, n) => n % 2 === 0 && String(word).toLowerCase() === name);
  if (at < 0) list.push(name, value);
  else list[at + 1] = value;
}

module.exports = { install };
