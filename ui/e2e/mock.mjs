// Serves the built page and recorded answers, as the server would.
import { Actions } from './actions.mjs';
import { readFile } from 'node:fs/promises';
import { adviceOf } from './advice.mjs';
import { alerts } from './alerts.mjs';
import { waits } from './waits.mjs';
import { wallOf } from './wall.mjs';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { checkoutTrace } from '../fixtures/checkout.mjs';
import {
  answerQuery,
  answerSql,
  completeness,
  contrast,
  edgeMap,
  heatmapOf,
  largeMap,
  logLine,
  logPage,
  operations,
  searchPage,
} from './answers.mjs';
import {
  incident,
  incidentPage,
  investigation,
  notifications,
  outerIncident,
} from './incidents.mjs';
import { graphAnswer, LANGUAGE } from './graph.mjs';
import { functionEdges, functionSql, newestSpan } from './function.mjs';
import { largeTrace, traceSummaries } from '../fixtures/list.mjs';

const DIST = new URL('../dist/', import.meta.url);
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
export const LONG_INTEGER = '1234567890123456789';
/** The server's own, so that the page cannot come to need more than it allows. */
const POLICY =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";
const PAGE_ROWS = 50;
const TRACES = 120;

export const CHECKOUT_ID = '6740a1f09c3b5d2e8f7a4b1c0d9e8f7a';
export const LARGE_ID = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';

/** Like the real one in what it refuses, so that the page cannot ask for what does not exist. */
const OPENAPI = JSON.parse(
  await readFile(new URL('../../crates/server/openapi.json', import.meta.url), 'utf8'),
);

export class MockServer {
  constructor() {
    const now = BigInt(Date.now()) * 1_000_000n;
    const checkout = checkoutTrace(now - 4_000_000_000n, CHECKOUT_ID);
    this.traces = new Map([[CHECKOUT_ID, checkout]]);
    this.list = [summaryOf(checkout), ...traceSummaries(now - 5_000_000_000n, TRACES - 1)];
    this.key = '';
    this.failing = false;
    /** @type {string[]} */
    this.refused = [];
    /** A node that the map does not know yet. */
    this.newNode = '';
    this.large = false;
    /** What is done about them. */
    this.actions = new Actions();
    /** How many incidents there were. */
    this.incidents = 60;
    /** Others, which go on. @type {ReturnType<typeof import('./incidents.mjs').openIncident>[]} */
    this.open = [];
    /** Others, which are over. @type {ReturnType<typeof import('./incidents.mjs').overIncident>[]} */
    this.over = [];
    /** What was set to be watched; what the answers have if nothing was. @type {any} */
    this.watched = null;
    /** The settings of notifications that were set; those of the answers if none were. @type {any} */
    this.notified = null;
    /** How often they were set. */
    this.edition = 0;
    /** Why settings are refused when they are set; empty if they are taken. */
    this.refusing = '';
    /** Questions that are kept under names. @type {any[]} */
    this.saved = [];
    /** How often they were set. */
    this.savedEdition = 0;
    /** How often it was asked what is watched. */
    this.watchedAsked = 0;
    /** Whether a selection has anything that the rest has not. */
    this.differs = true;
    /** @type {string[]} */
    this.environments = [];
    /** Which functions were called in which of them. @type {Record<string, string[]>} */
    this.functionsIn = {};
    /** Statements of SQL. @type {string[]} */
    this.stated = [];
    /** Who was called; of others nothing is known. */
    this.functions = ['inventory', 'checkout', 'notify'];
    /** @type {URL[]} */
    this.asked = [];
    /** Questions in JSON. @type {any[]} */
    this.posted = [];
    /** @type {import('node:http').ServerResponse[]} */
    this.followers = [];
    /** @type {import('node:http').ServerResponse[]} */
    this.watchers = [];
    this.wall = wallOf(12);
    this.server = createServer(async (request, response) => {
      const { url = '/', method = 'GET', headers } = request;
      if (url.startsWith('/api/v1/logs/tail')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(': following\n\n');
        this.followers.push(response);
        return;
      }
      if (url.startsWith('/api/v1/live')) {
        const asked = this.note(url, 'get');
        const environment = asked.searchParams.get('environment');
        const isThere = (/** @type {{ function: string }} */ card) =>
          environment === null || this.functionsIn[environment]?.includes(card.function);
        const functions = this.wall.functions.filter(isThere);
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`event: wall\ndata: ${JSON.stringify({ ...this.wall, functions })}\n\n`);
        this.watchers.push(response);
        return;
      }
      let text = '';
      for await (const part of request) text += part;
      const { status, type, body } = await this.answer(
        url,
        headers.authorization ?? '',
        method.toLowerCase(),
        text,
      );
      response.writeHead(status, { 'content-type': type, 'content-security-policy': POLICY });
      response.end(body);
    });
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve(null)));
    const address = /** @type {import('node:net').AddressInfo} */ (this.server.address());
    this.url = `http://127.0.0.1:${address.port}`;
    return this.url;
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  addLarge() {
    const large = largeTrace(BigInt(Date.now() - 3_600_000) * 1_000_000n, 10_000, LARGE_ID);
    this.traces.set(LARGE_ID, large);
  }

  /** A log record that has just arrived. @param {string} body */
  write(body) {
    const record = { ...logLine(BigInt(Date.now()) * 1_000_000n, 1), body };
    for (const follower of this.followers)
      follower.write(`id: 1\nevent: log\ndata: ${JSON.stringify(record)}\n\n`);
  }

  /** What functions do now. @param {ReturnType<typeof wallOf>} wall */
  tell(wall) {
    this.wall = wall;
    for (const watcher of this.watchers)
      watcher.write(`event: wall\ndata: ${JSON.stringify(wall)}\n\n`);
  }

  /** A trace that has just arrived. @param {string} traceId */
  arrive(traceId) {
    const first = this.list[0];
    const start = String(BigInt(Date.now()) * 1_000_000n);
    this.list.unshift({ ...first, trace_id: traceId, root_name: 'fresh', start_unix_nanos: start });
  }

  /** What was asked for, and what of it the server does not know. @param {string} url @param {string} method */
  note(url, method) {
    const asked = new URL(url, 'http://mock');
    this.asked.push(asked);
    this.refused.push(...unknownParameters(method, asked.pathname, asked.searchParams));
    return asked;
  }

  /** @param {string} url @param {string} authorization @param {string} method @param {string} body */
  async answer(url, authorization, method, body) {
    const { pathname } = new URL(url, 'http://mock');
    const acts = pathname.startsWith('/act/') && method !== 'get';
    if (!pathname.startsWith('/api/') && !acts) return this.file(pathname);
    const { searchParams } = this.note(url, method);
    const unknown = unknownParameters(method, pathname, searchParams);
    if (unknown.length > 0) {
      return json(400, { code: 'TL0201', message: `unknown parameter ${unknown.join(', ')}` });
    }
    if (this.failing)
      return json(500, { code: 'TL0208', message: 'stored data could not be read' });
    if (this.key !== '' && authorization !== `Bearer ${this.key}`) {
      return json(401, { code: 'TL0206', message: 'this server needs a key' });
    }
    const acted = this.actions.answer(pathname, searchParams, body);
    if (acted !== null) return json(...acted);
    if (pathname === '/api/v1/traces') return this.page(searchParams);
    if (pathname === '/api/v1/services') return json(200, services(this.list));
    if (pathname === '/api/v1/edges' && searchParams.has('function'))
      return json(200, functionEdges(searchParams));
    if (pathname === '/api/v1/edges') {
      const callers = this.functionsIn[searchParams.get('environment') ?? ''];
      const map = this.large
        ? largeMap(searchParams)
        : edgeMap(searchParams, this.newNode, callers);
      return json(200, map);
    }
    if (pathname === '/api/v1/waits') return json(200, waits());
    const advised = /^\/api\/v1\/functions\/([^/]+)\/advice$/.exec(pathname)?.[1];
    if (advised) return json(200, adviceOf(decodeURIComponent(advised)));
    if (pathname === '/api/v1/completeness') return json(200, completeness());
    if (pathname === '/api/v1/logs') return json(200, logPage(searchParams));
    if (pathname === '/api/v1/sql') {
      const { sql } = JSON.parse(body);
      this.stated.push(sql);
      const trace = this.traces.get(CHECKOUT_ID);
      return json(200, functionSql(sql, this.functions, trace) ?? answerSql(sql));
    }
    if (pathname === '/api/v1/operations') return json(200, operations(searchParams));
    if (pathname === '/api/v1/query') {
      const spec = JSON.parse(body);
      this.posted.push(spec);
      const isHeat = (/** @type {any} */ each) => each.op === 'HEATMAP';
      const heatmaps = (spec.calculations ?? []).filter(isHeat).map(() => heatmapOf(spec));
      return json(200, { ...answerQuery(spec), heatmaps });
    }
    if (pathname === '/api/v1/incidents')
      return json(200, incidentPage(searchParams, this.incidents, [...this.open, ...this.over]));
    if (pathname.startsWith('/api/v1/incidents/')) {
      const known = { 7: incident, 59: outerIncident };
      const one = known[/** @type {7 | 59} */ (Number(pathname.split('/').at(-1)))]?.() ?? null;
      return one === null
        ? json(404, { code: 'TL0213', message: 'there is no such incident' })
        : json(200, one);
    }
    if (pathname === '/api/v1/alerts') {
      if (method === 'put' && this.refusing !== '')
        return json(400, { code: 'TL0218', message: this.refusing });
      if (method === 'put') this.watched = JSON.parse(body);
      else this.watchedAsked += 1;
      return json(200, alerts(this.watched));
    }
    if (pathname === '/api/v1/saved') {
      if (method === 'put' && searchParams.get('edition') !== String(this.savedEdition))
        return json(409, { code: 'TL0221', message: 'somebody else has changed them' });
      if (method === 'put' && this.refusing !== '')
        return json(400, { code: 'TL0218', message: this.refusing });
      if (method === 'put') {
        this.saved = JSON.parse(body).queries;
        this.savedEdition += 1;
      }
      return json(200, { queries: this.saved, edition: String(this.savedEdition) });
    }
    if (pathname === '/api/v1/notifications') {
      if (method === 'put' && searchParams.get('edition') !== String(this.edition))
        return json(409, { code: 'TL0221', message: 'somebody else has changed the settings' });
      if (method === 'put' && this.refusing !== '')
        return json(400, { code: 'TL0218', message: this.refusing });
      if (method === 'put') {
        this.notified = JSON.parse(body);
        this.edition += 1;
      }
      return json(200, notifications(this.notified, String(this.edition)));
    }
    if (pathname === '/api/v1/notifications/test')
      return json(200, { answers: [{ address: null, outcome: 'sent', said: '200 OK: ok' }] });
    if (pathname === '/api/v1/graph') return json(200, LANGUAGE);
    if (pathname === '/api/v1/graph/query') {
      const question = JSON.parse(body);
      this.posted.push(question);
      const { status, body: answer } = graphAnswer(question);
      return json(status, answer);
    }
    if (pathname === '/api/v1/investigations') {
      const question = JSON.parse(body);
      this.posted.push(question);
      return json(200, investigation(question));
    }
    if (pathname === '/api/v1/contrast') {
      this.posted.push(JSON.parse(body));
      return json(200, contrast(this.differs));
    }
    if (pathname === '/api/v1/search') {
      const question = JSON.parse(body);
      this.posted.push(question);
      return json(200, newestSpan(question) ?? searchPage(question));
    }
    if (pathname === '/api/v1/attributes')
      return json(200, {
        attributes: [{ key: 'http.route', types: ['text'], rows: 9 }],
        truncated: false,
      });
    if (pathname === '/api/v1/attributes/deployment.environment.name/values')
      return json(200, {
        values: this.environments.map((value) => ({ value, type: 'text', rows: 9 })),
        truncated: false,
      });
    if (/^\/api\/v1\/attributes\/[^/]+\/values$/.test(pathname))
      return json(200, { values: [{ value: '/pay', type: 'text', rows: 9 }], truncated: false });
    const trace = this.traces.get(pathname.slice('/api/v1/traces/'.length));
    return trace
      ? withLongInteger(json(200, trace))
      : json(404, { code: 'TL0203', message: 'no such trace is stored' });
  }

  /** @param {URLSearchParams} search */
  page(search) {
    const found = this.list.filter((trace) => matches(trace, search));
    const from = Number(search.get('cursor') ?? 0);
    const limit = Number(search.get('limit') ?? PAGE_ROWS);
    const next = from + limit < found.length ? String(from + limit) : null;
    return json(200, {
      traces: found.slice(from, from + limit),
      total: found.length - from,
      truncated: false,
      next_cursor: next,
    });
  }

  /** @param {string} pathname */
  async file(pathname) {
    const wanted = extname(pathname) === '' ? 'index.html' : pathname.slice(1);
    try {
      const body = await readFile(new URL(wanted, DIST));
      const type =
        TYPES[/** @type {keyof typeof TYPES} */ (extname(wanted))] ?? 'application/octet-stream';
      return { status: 200, type, body };
    } catch {
      return json(404, { code: 'TL0204', message: 'not found' });
    }
  }
}

/** @param {string} method @param {string} pathname @param {URLSearchParams} search */
function unknownParameters(method, pathname, search) {
  const path = Object.keys(OPENAPI.paths).find((each) =>
    new RegExp(`^${each.replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  );
  const operation = path === undefined ? null : OPENAPI.paths[path][method];
  if (!operation) return [`${method} ${pathname}`];
  const known = (operation.parameters ?? []).map((/** @type {any} */ each) => each.name);
  return [...search.keys()].filter((key) => !known.includes(key));
}

/** @param {any} trace @param {URLSearchParams} search */
function matches(trace, search) {
  const service = search.get('service');
  const operation = search.get('operation');
  const status = search.get('status');
  const min = Number(search.get('min_duration_ms') ?? 0) * 1e6;
  return (
    (service === null || trace.services.some((/** @type {any} */ each) => each.name === service)) &&
    (operation === null || trace.root_name === operation) &&
    (status === null || trace.status === status) &&
    Number(trace.duration_nanos) >= min &&
    search
      .getAll('attribute')
      .every((each) => each === 'faas.coldstart=true' && trace.cold_start_count > 0) &&
    BigInt(trace.start_unix_nanos) >= BigInt(search.get('from') ?? 0)
  );
}

/** @param {any[]} list */
function services(list) {
  const names = [
    ...new Set(list.flatMap((trace) => trace.services.map((/** @type {any} */ each) => each.name))),
  ].sort();
  return {
    services: names.map((name) => ({
      name,
      span_count: 10,
      error_count: 0,
      operations: [
        ...new Set(
          list.filter((trace) => trace.root_service === name).map((trace) => trace.root_name),
        ),
      ],
      last_seen_unix_nanos: list[0]?.start_unix_nanos ?? '0',
    })),
    total: names.length,
    truncated: false,
  };
}

/** @param {any} trace */
function summaryOf({ spans: _spans, logs: _logs, resources: _resources, ...summary }) {
  return summary;
}

/** @param {number} status @param {unknown} body */
function json(status, body) {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}

/** An integer of 64 bits, which JSON.stringify cannot write. @param {{ status: number, type: string, body: string }} answer */
function withLongInteger(answer) {
  return {
    ...answer,
    body: answer.body.replace('"basket.serial":0', `"basket.serial":${LONG_INTEGER}`),
  };
}
