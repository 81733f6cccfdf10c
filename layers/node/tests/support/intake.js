'use strict';
/** A listener in the extension's place: keeps the spans that it is sent, with plain values. */

const http = require('node:http');

class Intake {
  constructor() {
    this.spans = [];
    this.resources = [];
    this.requests = 0;
    this.connections = 0;
    this.waiting = [];
  }

  async start(port = 0) {
    this.server = http.createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        this.requests += 1;
        this.keep(JSON.parse(Buffer.concat(chunks).toString()));
        response.end('{}');
      });
    });
    this.server.on('connection', () => (this.connections += 1));
    await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    return this;
  }

  keep({ resourceSpans }) {
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resources.push(plain(resource.attributes));
      for (const { scope, spans } of scopeSpans) {
        for (const span of spans) this.spans.push(read(span, scope));
      }
    }
    for (const check of [...this.waiting]) check();
  }

  /** The first `count` spans that are `wanted`, once they are here. */
  async until(count, wanted = () => true) {
    const found = () => this.spans.filter(wanted);
    if (found().length < count) {
      await new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`only ${found().length} of ${count} spans came: ${this.spans.map((span) => span.name)}`)), 10_000);
        const check = () => {
          if (found().length < count) return;
          clearTimeout(late);
          resolve();
        };
        this.waiting.push(check);
      });
    }
    return found();
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

function read(span, scope) {
  return {
    ...span,
    scope: scope.name,
    attributes: plain(span.attributes),
    events: (span.events || []).map((event) => ({ name: event.name, ...plain(event.attributes) })),
    links: (span.links || []).map((link) => ({ ...link, attributes: plain(link.attributes) })),
  };
}

const plain = (pairs) => Object.fromEntries((pairs || []).map(({ key, value }) => [key, plainValue(value)]));

function plainValue(value) {
  if ('intValue' in value) return Number(value.intValue);
  if ('arrayValue' in value) return (value.arrayValue.values || []).map(plainValue);
  return Object.values(value)[0];
}

module.exports = { Intake };
