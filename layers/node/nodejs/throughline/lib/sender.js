'use strict';
/**
 * One kept-alive connection to the extension. A request is written into the kernel's buffer and its answer read when it
 * comes: nobody waits for either. If nobody listens when something is sent, this environment sends nothing any more.
 */

const net = require('net');
const { storage } = require('./context.js');

/** What may be on its way without an answer. */
const UNANSWERED_BYTES_MAX = 4 << 20;
/** A connection that broke, as connections do in a freeze, is made anew so often between two answers. */
const RETRIES_MAX = 1;
const HEAD_BYTES_MAX = 16 << 10;

class Sender {
  constructor({ host, port }) {
    this.host = host;
    this.port = port;
    this.head = `POST /v1/traces HTTP/1.1\r\nhost: ${host}:${port}\r\ncontent-type: application/json\r\ncontent-length: `;
    /** @type {net.Socket | undefined} */
    this.socket = undefined;
    this.isOff = false;
    this.retries = 0;
    /** Bodies without an answer, oldest first. */
    this.unanswered = [];
    this.bytes = 0;
    this.dropped = 0;
  }

  /** Connects, if it is not; outside of any invocation's context. */
  open() {
    if (this.socket || this.isOff) return;
    storage.exit(() => this.connect());
  }

  /** @returns {boolean} whether it was taken */
  send(body) {
    if (this.isOff) return false;
    const bytes = Buffer.byteLength(body);
    if (this.bytes + bytes > UNANSWERED_BYTES_MAX) {
      this.dropped += 1;
      return false;
    }
    this.open();
    this.unanswered.push({ body, bytes });
    this.bytes += bytes;
    this.write(body, bytes);
    return true;
  }

  write(body, bytes) {
    this.socket.write(`${this.head}${bytes}\r\n\r\n${body}`);
  }

  connect() {
    const socket = net.connect({ host: this.host, port: this.port });
    let failed = '';
    let answer = Buffer.alloc(0);
    socket.unref();
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      answer = answer.length ? Buffer.concat([answer, data]) : data;
      for (let length = answerLength(answer); length !== undefined; length = answerLength(answer)) {
        if (length === -1) return void socket.destroy();
        answer = answer.subarray(length);
        this.answered();
      }
    });
    socket.on('error', (error) => (failed = error.code || 'failed'));
    socket.on('close', () => this.closed(socket, failed));
    this.socket = socket;
  }

  answered() {
    const first = this.unanswered.shift();
    this.bytes -= first ? first.bytes : 0;
    this.retries = 0;
  }

  closed(socket, failed) {
    if (this.socket !== socket) return;
    this.socket = undefined;
    // While the function is loaded, the extension may not listen yet.
    if (this.unanswered.length === 0) return;
    if (failed === 'ECONNREFUSED' || this.retries >= RETRIES_MAX) {
      this.isOff = failed === 'ECONNREFUSED';
      this.dropped += this.unanswered.length;
      this.unanswered = [];
      this.bytes = 0;
      this.retries = 0;
      return;
    }
    this.retries += 1;
    this.open();
    for (const { body, bytes } of this.unanswered) this.write(body, bytes);
  }
}

/** How many bytes the first answer takes; undefined if it is not whole, -1 if it cannot be read. */
function answerLength(bytes) {
  if (bytes.length === 0) return undefined;
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return bytes.length > HEAD_BYTES_MAX ? -1 : undefined;
  const head = bytes.toString('latin1', 0, end);
  if (!head.startsWith('HTTP/1.1 ') || /\r\ntransfer-encoding:/i.test(head)) return -1;
  const length = end + 4 + Number((/\r\ncontent-length:\s*(\d+)/i.exec(head) || [0, 0])[1]);
  return bytes.length >= length ? length : undefined;
}

module.exports = { Sender };
