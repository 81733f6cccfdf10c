// What is waited for: a large trace that was really sent, and a store that is full.
import { launch } from '../e2e/browser.mjs';
import { largeTrace } from '../fixtures/list.mjs';
import { FRAMES_MIN } from './drawn.mjs';
import { atLeast, atMost, median } from './figures.mjs';
import { frames } from './frames.mjs';
import { opening } from './opening.mjs';
import { send } from './otlp.mjs';
import { ask, serve } from './product.mjs';

const SPAN = '[role=treegrid] [role=row][aria-level]';
const SPANS = 100_000;
const TRACE_ID = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';
const OPEN_MILLIS_MAX = 2_000;
const OPENINGS = 5;
const SCROLL_MILLIS = 5_000;
const MIB = 1024 * 1024;

/**
 * A trace of a hundred thousand spans, sent by OTLP, sealed, and opened.
 * @param {string} program @param {string} folder for its data, empty
 * @returns {Promise<import('./figures.mjs').Figure[]>}
 */
export async function largest(program, folder) {
  const intake = await serve(program, folder);
  const start = BigInt(Date.now() - 3_600_000) * 1_000_000n;
  await send(intake.otlp, largeTrace(start, SPANS, TRACE_ID));
  await intake.stop();

  const server = await serve(program, folder);
  const browser = await launch();
  try {
    const url = `${server.url}/traces/${TRACE_ID}`;
    const rows = `[role=treegrid][aria-rowcount="${SPANS + 1}"] [role=row][aria-level]`;
    const found = [];
    for (let nth = 0; nth < OPENINGS; nth += 1) found.push(await opening(browser, url, rows));
    let scrolled = /** @type {Awaited<ReturnType<typeof frames>> | null} */ (null);
    await opening(browser, url, SPAN, async (page) => {
      scrolled = await frames(page, SCROLL_MILLIS, { scroll: '[role=treegrid]', pixels: 78 });
    });
    if (scrolled === null) throw new Error('nothing was scrolled');
    const { perSecond, main, longest } = scrolled;
    return [
      atMost(
        {
          name: 'trace_100k_open',
          value: median(found.map((each) => each.shown)),
          unit: 'ms',
          beside: {
            most: Math.max(...found.map((each) => each.shown)),
            'until its answer was there': median(found.map((each) => each.whole)),
            'of it for the answer': median(found.map((each) => each.answer)),
            MiB: (found[0]?.bytes ?? 0) / MIB,
          },
          note: `${SPANS} spans with 10,000 log records, sent by OTLP and sealed; from the address until rows are drawn, median of ${OPENINGS} browsers that were never there`,
        },
        OPEN_MILLIS_MAX,
      ),
      atLeast(
        {
          name: 'trace_100k_scroll',
          value: perSecond,
          unit: 'frames/s',
          beside: { 'main thread ms/frame': main, 'most ms between frames': longest },
          note: 'three rows further in each frame',
        },
        FRAMES_MIN,
      ),
    ];
  } finally {
    await browser.close();
    await server.stop();
  }
}

/** What is opened over a full store, and when it is there; `{from}` and `{to}` are the last hour of `{function}`. */
const VIEWS = /** @type {const} */ ([
  ['function', '/functions/{function}?from={from}&to={to}', 'main dl dd'],
  ['map', '/map?from={from}&to={to}', 'button[data-node]'],
  ['logs', '/logs?from={from}&to={to}', 'button[data-log]'],
  ['explore', '/explore?from={from}&to={to}', '.u-over'],
]);

/**
 * Views over a store that bench-store has left.
 * @param {string} program @param {string} data @returns {Promise<import('./figures.mjs').Figure[]>}
 */
export async function stored(program, data) {
  const server = await serve(program, data);
  const browser = await launch();
  try {
    const list = `${server.url}/`;
    const first = await opening(browser, list, 'a[data-trace]');
    const again = [];
    for (let nth = 0; nth < OPENINGS; nth += 1)
      again.push(await opening(browser, list, 'a[data-trace]'));
    const { spans, ...words } = await about(server.url);
    const million = `${Math.round(spans / 1e6)} M spans stored`;
    /** @type {import('./figures.mjs').Figure[]} */
    const figures = [
      {
        name: 'list_first',
        value: median(again.map((each) => each.shown)),
        unit: 'ms',
        beside: { 'right after a start': first.shown },
        note: `${million}; from the address until the newest traces are drawn, median of ${OPENINGS} browsers that were never there`,
      },
    ];
    for (const [name, path, ready] of VIEWS) {
      const url =
        server.url + path.replace(/\{(\w+)\}/g, (_, key) => encodeURIComponent(words[key]));
      const found = [];
      for (let nth = 0; nth < OPENINGS; nth += 1) found.push(await opening(browser, url, ready));
      figures.push({
        name: `${name}_first`,
        value: median(found.map((each) => each.shown)),
        unit: 'ms',
        beside: {
          'the first of them': found[0]?.shown ?? Number.NaN,
          'until all is there': median(found.map((each) => each.whole)),
        },
        note: `${million}; the last hour of them`,
      });
    }
    return figures;
  } finally {
    await browser.close();
    await server.stop();
  }
}

/**
 * How many spans there are, who sent most of them, and the last hour of that function.
 * @param {string} url @returns {Promise<{ spans: number } & Record<string, any>>}
 */
async function about(url) {
  const { services } = await ask(`${url}/api/v1/services`);
  const counts = services.map((/** @type {any} */ each) => each.span_count);
  const largest = services[counts.indexOf(Math.max(...counts))];
  if (largest === undefined) throw new Error('the store has no spans');
  const name = encodeURIComponent(largest.name);
  const { traces } = await ask(`${url}/api/v1/traces?service=${name}&limit=1`);
  const to = Number(BigInt(traces[0].start_unix_nanos) / 1_000_000n);
  return {
    spans: counts.reduce((/** @type {number} */ sum, /** @type {number} */ each) => sum + each, 0),
    from: new Date(to - 3_600_000).toISOString(),
    to: new Date(to).toISOString(),
    function: largest.name,
  };
}
