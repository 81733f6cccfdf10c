'use strict';
/**
 * gRPC. `@grpc/grpc-js` makes every call with one method of its channel, in the context of the function; what it then
 * asks of HTTP/2 it may ask much later, in another. Of other clients, and of bundled code, HTTP/2 is all there is to see.
 */

const { AsyncResource } = require('async_hooks');

const faults = require('../../faults.js');
const { traceparent } = require('../../ids.js');
const { KIND, STATUS } = require('../../span.js');
const { wrap } = require('../client.js');

const CODES = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED',
];
const PART = 'grpc';
/** What the calls of `@grpc/grpc-js` carry that have not ended: their requests have a span already. */
const carried = new Set();

/** @param {import('../../layer.js').Layer} layer */
function install(layer, { Channel }) {
  wrap(PART, Channel && Channel.prototype, 'createCall', (create) => function (method, ...rest) {
    const call = create.call(this, method, ...rest);
    wrap(PART, call, 'start', (start) => function (metadata, listener) {
      const found = faults.guard(PART, () => followed(layer, method, call.getPeer(), metadata));
      if (!found) return start.call(this, metadata, listener);
      return start.call(this, found.metadata, faults.guard(PART, () => listening(listener, found.span)) || listener);
    });
    return call;
  });
}

/** What has a context of its own, and what is called before there is a trace, is left to HTTP/2. */
function followed(layer, method, peer, metadata) {
  const { span: parent = {} } = layer.current() || {};
  if (!parent.traceId || metadata.get('traceparent').length) return undefined;
  const span = begin(layer, method, peer);
  if (!span) return undefined;
  const carrying = metadata.clone();
  carrying.set('traceparent', traceparent(span));
  carried.add(span.spanId);
  return { metadata: carrying, span };
}

/** What the function is told goes on where the call was made. */
function listening(listener, span) {
  const told = {};
  for (const name of ['onReceiveMetadata', 'onReceiveMessage', 'onReceiveStatus']) told[name] = AsyncResource.bind(listener[name].bind(listener));
  const { onReceiveStatus } = told;
  told.onReceiveStatus = (status) => {
    carried.delete(span.spanId);
    faults.guard(PART, () => end(span, status.code, status.details));
    return onReceiveStatus(status);
  };
  return told;
}

/** The span of a call of `/package.Service/Method` to somewhere, such as `dns:shop.example:443`. */
function begin(layer, path, target) {
  const method = path.replace(/^\//, '');
  const span = layer.span(method, KIND.CLIENT);
  if (!span) return undefined;
  span.setAttributes({ 'rpc.system.name': 'grpc', 'rpc.method': method });
  const at = /^(?:(?:dns|ipv4|ipv6|xds|passthrough):(?:\/\/[^/]*\/)?)?(.*?)(?::(\d+))?$/.exec(String(target));
  span.setAttribute('server.address', at[1]);
  if (at[2]) span.setAttribute('server.port', Number(at[2]));
  return span;
}

/** @param {number} code of gRPC */
function end(span, code, details) {
  const name = CODES[code] || String(code);
  span.setAttribute('rpc.response.status_code', name);
  if (name !== 'OK') {
    span.setAttribute('error.type', name);
    span.setStatus({ code: STATUS.ERROR, message: details });
  }
  span.end();
}

/** A call of gRPC as HTTP/2 sees it: the status is at the end of the answer, or in its head if there is nothing else. */
class GrpcCall {
  /** @returns {GrpcCall | undefined} nothing if it is told already, or is not to be */
  static begin(layer, { host, path, get }) {
    const parent = String(get('traceparent') || '').split('-')[2];
    if (!layer.settings.hook(PART) || carried.has(parent)) return undefined;
    const span = begin(layer, path, host);
    return span && new GrpcCall(span, get);
  }

  constructor(span, get) {
    this.span = span;
    this.get = get;
    this.status = undefined;
  }

  headers() {
    return this.span.traceId && !this.get('traceparent') ? [['traceparent', traceparent(this.span)]] : [];
  }

  answered(status, get) {
    this.status = status;
    this.trailers(get);
  }

  trailers(get) {
    const code = get('grpc-status');
    if (code === undefined) return;
    end(this.span, Number(code), decoded(get('grpc-message')));
  }

  failed(error) {
    this.span.fail(error);
    this.span.end();
  }

  /** It is over without a status. */
  done() {
    end(this.span, CODES.indexOf('UNKNOWN'), 'ended without a status');
  }

  closed() {
    end(this.span, CODES.indexOf('CANCELLED'), 'closed without an answer');
  }

  sent() {}

  data() {}
}

/** Messages are percent-encoded. */
function decoded(message) {
  try {
    return decodeURIComponent(message || '');
  } catch {
    return message;
  }
}

module.exports = { GrpcCall, install };
