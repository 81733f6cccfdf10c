// Stands between the extensions and the server: hands everything on as it is, and can record it.
import { createServer, request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { isReplayed } from './replay.mjs';

/** @typedef {{ path: string, body: Buffer }} Sent */

export class Intake {
  #server = createServer((asked, answer) => this.#take(asked, answer));
  /** Where the server listens for OTLP; while nobody does, senders are asked to come again. @type {string | undefined} */
  to;
  /** @type {Sent[] | undefined} */
  #recorded;

  async listen() {
    await new Promise((listens) => this.#server.listen(0, '127.0.0.1', () => listens(undefined)));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `http://127.0.0.1:${address.port}`;
  }

  /** From now on what comes is kept. */
  record() {
    this.#recorded = [];
  }

  /** What came since it was recorded. */
  recorded() {
    const recorded = this.#recorded ?? [];
    this.#recorded = undefined;
    return recorded;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  /** @param {import('node:http').IncomingMessage} asked @param {import('node:http').ServerResponse} answer */
  async #take(asked, answer) {
    /** @type {Buffer[]} */
    const pieces = [];
    try {
      for await (const piece of asked) pieces.push(piece);
    } catch {
      return; // An environment that is gone before it has said all will not be answered.
    }
    const body = Buffer.concat(pieces);
    const { method, url: path = '/', headers } = asked;
    if (!this.to) return answer.writeHead(503).end();
    const onward = request(`${this.to}${path}`, { method, headers }, (told) => {
      answer.writeHead(told.statusCode ?? 502, told.headers);
      told.pipe(answer);
      const isTaken = told.statusCode === 200 && isReplayed(path);
      if (isTaken) this.#recorded?.push({ path, body: plain(headers, body) });
    });
    onward.on('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(503).end()));
    onward.end(body);
  }
}

/** @param {import('node:http').IncomingHttpHeaders} headers @param {Buffer} body */
function plain(headers, body) {
  return headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}
