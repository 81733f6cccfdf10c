'use strict';
/** One call over HTTP, of AWS or of somebody else, as a span. */

const { traceparent, xray } = require('./ids.js');
const context = require('./context.js');
const faults = require('./faults.js');
const { KIND, STATUS } = require('./span.js');
const aws = require('./aws.js');
const { now } = require('./clock.js');
const { KEYS_MAX } = require('./invocation.js');

/** So much of an answer is read along, for the ids in it. */
const ANSWER_BYTES_MAX = 64 << 10;

/**
 * @typedef {object} Request
 * @property {string} method
 * @property {'http'|'https'} scheme
 * @property {string} host with its port, if it is not the usual one
 * @property {string} path with its query
 * @property {(name: string) => any} get a header
 * @property {string | Uint8Array | undefined} body if it is at hand
 */

class Call {
  /**
   * @param {import('./layer.js').Layer} layer
   * @param {Request} request
   * @returns {Call | undefined} nothing if it is not to be told
   */
  static begin(layer, request) {
    const operation = layer.settings.hook('aws') ? aws.recognise(request) : undefined;
    const span = layer.span(operation ? operation.name : request.method, operation ? operation.kind : KIND.CLIENT);
    if (!span) return undefined;
    const { promised } = context.current() || {};
    // Of attempts that are repeated the first one has it.
    if (promised && operation && operation.attributes['rpc.method'] === promised.operation) {
      span.spanId = promised.spanId;
      promised.operation = '';
    }
    return new Call(span, request, operation, layer.settings);
  }

  constructor(span, request, operation, settings) {
    this.span = span;
    this.request = request;
    this.operation = operation;
    this.chunks = undefined;
    this.bytes = 0;
    if (settings.bodies) this.keep(settings);
    const { host } = request;
    const at = /^(.*?)(?::(\d+))?$/.exec(host);
    span.setAttribute('http.request.method', request.method);
    span.setAttribute('server.address', at[1]);
    if (at[2]) span.setAttribute('server.port', Number(at[2]));
    if (operation) span.setAttributes(operation.attributes);
    else span.setAttribute('url.full', shown(request));
  }

  /** What it sends and is answered is told, too. */
  keep(settings) {
    const { Kept, tell } = require('./bodies.js');
    const { get, body } = this.request;
    const head = { type: get('content-type'), encoding: get('content-encoding') };
    this.outgoing = new Kept();
    this.incoming = new Kept();
    if (body !== undefined) this.outgoing.add(body);
    this.tellBodies = () => faults.guard('bodies', () => {
      tell(this.span, 'request', this.outgoing, head, settings);
      if (this.head) tell(this.span, 'response', this.incoming, this.head, settings);
    });
  }

  /** A piece of what it sends. */
  wrote(chunk) {
    if (this.outgoing && this.span.isRecording()) this.outgoing.add(chunk);
  }

  /** The body came after the call began: what it touches is in it. */
  sent(body) {
    const { operation, request, span } = this;
    this.wrote(body);
    if (!operation || (typeof body !== 'string' && !(body instanceof Uint8Array))) return;
    const again = aws.recognise({ ...request, body });
    span.setAttributes(again.attributes);
    this.operation = again;
  }

  /** The headers that carry the trace: X-Ray's to whatever is AWS, which leaves it out of its signature; W3C's to the rest. */
  headers() {
    const { get, host } = this.request;
    const headers = [];
    // While the function is loaded there is no trace yet.
    if (!this.span.traceId) return headers;
    if (this.operation || isAtAws(host)) headers.push(['x-amzn-trace-id', xray(this.span, get('x-amzn-trace-id') || process.env._X_AMZN_TRACE_ID)]);
    if (!this.operation && !get('traceparent')) headers.push(['traceparent', traceparent(this.span)]);
    return headers;
  }

  /** @param {(name: string) => any} get a header of the answer, by its name in lower case */
  answered(status, get) {
    const { operation, span } = this;
    span.setAttribute('http.response.status_code', status);
    this.status = status;
    if (this.incoming) this.head = { type: get('content-type'), encoding: get('content-encoding') };
    const id = get('x-amzn-requestid') || get('x-amz-request-id') || get('apigw-requestid');
    if (operation) {
      if (id) span.setAttribute('aws.request_id', id);
      if (get('x-amz-id-2')) span.setAttribute('aws.extended_request_id', get('x-amz-id-2'));
      this.keys = operation.keysOf({ id, get });
      this.error = get('x-amzn-errortype');
      if (operation.reads || status >= 400) this.chunks = [];
    } else if (id) {
      this.keys = [`apigw:${id}`];
    }
    this.tell();
    span.answeredAt = now();
  }

  /** What is known of the outcome; more is once the body was read, which not every caller does. */
  tell(text = '') {
    const { keys = [], operation, span, status } = this;
    if (keys.length) span.setAttribute('throughline.link.out', keys.slice(0, KEYS_MAX));
    if (status < 400) return;
    const { type, message } = operation ? aws.errorOf(this.error, text) : {};
    span.setAttribute('error.type', type || String(status));
    span.setStatus({ code: STATUS.ERROR, message });
  }

  /** A piece of the answer, as the function reads it. */
  data(chunk) {
    if (this.incoming) this.incoming.add(chunk);
    if (!this.chunks) return;
    this.bytes += chunk.length;
    if (this.bytes > ANSWER_BYTES_MAX) this.chunks = undefined;
    else this.chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  }

  done() {
    const { operation, span } = this;
    if (!span.isRecording()) return;
    if (this.chunks && this.chunks.length) {
      const text = Buffer.concat(this.chunks).toString();
      if (operation && this.status < 400) this.keys = [...(this.keys || []), ...operation.keysIn(text)];
      this.tell(text);
    }
    if (this.tellBodies) this.tellBodies();
    span.end();
  }

  failed(error) {
    if (this.tellBodies && this.span.isRecording()) this.tellBodies();
    this.span.fail(error);
    this.span.end();
  }

  /** The connection is closed; an answer that is still being read ends by itself. */
  closed() {
    if (this.status === undefined && this.span.isRecording()) {
      this.span.setAttribute('error.type', 'closed');
      this.span.setStatus({ code: STATUS.ERROR, message: 'closed without an answer' });
      this.span.end();
    }
  }
}

const isAtAws = (host) => /\.(amazonaws\.com(\.cn)?|on\.aws|api\.aws)(:\d+)?$/.test(host);

/** The address without credentials and without the values of its query. */
function shown({ scheme, host, path }) {
  const [start, query] = String(path).split('?', 2);
  const names = query ? `?${query.split('&').map((pair) => `${pair.split('=', 1)[0]}=…`).join('&')}` : '';
  return `${scheme}://${host.split('@').pop()}${start.startsWith('/') ? start : ''}${names}`;
}

module.exports = { Call };
