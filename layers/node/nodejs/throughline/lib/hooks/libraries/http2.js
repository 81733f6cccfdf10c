'use strict';
/** HTTP/2, over which AWS's SDK speaks to Kinesis and to services that stream, and over which gRPC goes. */

const { syncBuiltinESMExports } = require('module');

const { Call } = require('../../call.js');
const faults = require('../../faults.js');
const { getter } = require('../../carriers.js');
const { wrap } = require('../client.js');

/** @param {import('../../layer.js').Layer} layer */
function install(layer, http2) {
  wrap('http2', http2, 'connect', (connect) => function (authority, ...rest) {
    const session = connect.call(this, authority, ...rest);
    wrap('http2', session, 'request', (request) => function (headers = {}, ...more) {
      const found = faults.guard('http2', () => begin(layer, authority, headers));
      const stream = request.call(this, found ? found.headers : headers, ...more);
      if (found) faults.guard('http2', () => watch(stream, found.call));
      return stream;
    });
    return session;
  });
  syncBuiltinESMExports();
}

function begin(layer, authority, headers) {
  if (Array.isArray(headers)) return undefined;
  const url = new URL(String(authority));
  const get = getter(headers);
  const host = get(':authority') || get('host') || url.host;
  const kind = String(get('content-type') || '').startsWith('application/grpc') ? require('./grpc.js').GrpcCall : Call;
  const call = kind.begin(layer, { method: get(':method') || 'GET', scheme: url.protocol.slice(0, -1), host, path: get(':path') || '/', get, body: undefined });
  if (!call) return undefined;
  const more = { ...headers };
  for (const [name, value] of call.headers()) more[Object.keys(headers).find((key) => key.toLowerCase() === name) || name] = value;
  return { call, headers: more };
}

function watch(stream, call) {
  const { emit, end } = stream;
  stream.end = function (chunk, ...rest) {
    faults.guard('http2', () => call.sent(chunk));
    return end.call(this, chunk, ...rest);
  };
  stream.emit = function (type, ...values) {
    faults.guard('http2', () => {
      if (type === 'response') call.answered(values[0][':status'], getter(values[0]));
      else if (type === 'trailers' && call.trailers) call.trailers(getter(values[0]));
      else if (type === 'data') call.data(values[0]);
      else if (type === 'end') call.done();
      else if (type === 'error') call.failed(values[0]);
      else if (type === 'close') (call.status === undefined ? call.closed() : call.done());
    });
    return emit.call(this, type, ...values);
  };
}

module.exports = { install };
