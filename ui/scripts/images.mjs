// Pictures of every view in both themes, for the documents:
//   npm run images -- http://127.0.0.1:4300      of a demo that has run for some minutes
//   npm run images -- URL --width 390 --to DIR   of another width, elsewhere
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launch } from '../e2e/browser.mjs';
import { openPage, overflow } from '../e2e/page.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    width: { type: 'string', default: '1440' },
    to: { type: 'string', default: fileURLToPath(new URL('../../docs/images', import.meta.url)) },
    only: { type: 'string', default: '' },
  },
});
const url = positionals[0]?.replace(/\/$/, '');
if (!url) throw new Error('say where the demo listens: npm run images -- http://127.0.0.1:4300');
const width = Number(values.width);
const HEIGHTS = /** @type {Record<number, number>} */ ({ 390: 844, 2560: 1300 });
const height = HEIGHTS[width] ?? 900;
/** Somewhat less than what a document should have to load for one picture. */
const BYTES_MAX = 150_000;
const SETTLE_MILLIS = 2_500;

const SPAN = '[role=treegrid] [role=row][aria-level]';

/** A story of an order: the one of the newest hundred that most functions took part in. */
async function newestOrder() {
  const list = await fetch(`${url}/api/v1/traces?service=place-order&limit=100`);
  const { traces } = /** @type {any} */ (await list.json());
  const known = traces.filter((/** @type {any} */ each) => each.root_name !== 'init');
  known.sort((/** @type {any} */ a, /** @type {any} */ b) => b.services.length - a.services.length);
  if (!known[0]) throw new Error(`nobody has ordered anything at ${url} yet`);
  return known[0].trace_id;
}

/** The worst incident there is, or null. */
async function worstIncident() {
  const list = await fetch(`${url}/api/v1/incidents`);
  const { incidents } = /** @type {any} */ (await list.json());
  const rank = ['critical', 'warning', 'note'];
  incidents.sort(
    (/** @type {any} */ a, /** @type {any} */ b) =>
      rank.indexOf(a.severity) - rank.indexOf(b.severity),
  );
  return incidents[0]?.id ?? null;
}

const order = await newestOrder();
const incident = await worstIncident();

const QUERY = `MATCH (f {name: 'place-order'})-[:CALLS|TRIGGERS*1..6]->(n)
RETURN DISTINCT n, n.calls AS calls, n.error_rate AS error_rate, n.p99 AS p99
ORDER BY calls DESC`;
const QUESTION = 'place-order was slow in the last 20 minutes';

/** What each view is called, where it is, and what is there when it is ready. */
/** @type {readonly (readonly [string, string, string])[]} */
const VIEWS = [
  ['traces', '/', 'a[data-trace]'],
  ['trace', `/traces/${order}`, SPAN],
  ['graph', `/traces/${order}?view=graph`, '[data-node]'],
  ['compare', `/traces/${order}?view=compare`, 'table'],
  ['wall', '/wall', 'article'],
  ['function', '/functions/place-order', 'dl dd'],
  ['map', '/map', 'button[data-node]'],
  ['logs', '/logs', 'button[data-log]'],
  ['explore', '/explore', '.u-over'],
  ['incidents', '/incidents', 'main li a, .empty'],
  ...(incident === null
    ? []
    : [/** @type {const} */ (['incident', `/incidents/${incident}`, 'article'])]),
  ['completeness', '/completeness', 'tbody tr'],
  ['dependencies', `/graph?${new URLSearchParams({ q: QUERY })}`, '.drawn'],
  ['investigate', `/investigate?${new URLSearchParams({ q: QUESTION })}`, 'h2.title'],
  ['alerts', '/alerts', 'main h1'],
  ['notifications', '/notifications', 'main h1'],
  ['audit', '/audit', 'main h1'],
];

const browser = await launch();
await mkdir(resolve(values.to), { recursive: true });
for (const scheme of /** @type {const} */ (['light', 'dark'])) {
  const { page, complaints, close } = await openPage(browser, { width, height, scheme });
  const session = await page.context().newCDPSession(page);
  for (const [name, path, ready] of VIEWS) {
    if (!name.includes(values.only)) continue;
    await page.goto(url + path);
    await page.locator(ready).first().waitFor();
    // Charts, and what comes second, are there then.
    await page.waitForTimeout(SETTLE_MILLIS);
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
    const bytes = Buffer.from(data, 'base64');
    const file = join(values.to, `${name}-${scheme}.webp`);
    await writeFile(file, bytes);
    const wide = await overflow(page);
    console.log(
      `${file} ${(bytes.length / 1000).toFixed(0)} kB${bytes.length > BYTES_MAX ? ', TOO LARGE' : ''}` +
        `${wide > 0 ? `, SCROLLS SIDEWAYS by ${wide}` : ''}`,
    );
  }
  for (const complaint of complaints) console.error(`the page complained: ${complaint}`);
  await close();
}
await browser.close();
