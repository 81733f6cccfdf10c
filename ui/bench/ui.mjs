// How quick the page is, in Chromium without a window: `node bench/ui.mjs THROUGHLINE OUT [DATA]`.
//
// THROUGHLINE is the program with the page inside, DATA a data directory with many spans, as `make
// bench-store KEEP=1` leaves it. Run it with nothing else on the machine.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHROMIUM, launch } from '../e2e/browser.mjs';
import { largest, stored } from './asked.mjs';
import { drawn } from './drawn.mjs';
import { atMost, load, table, write } from './figures.mjs';

const [program = '', out = '', data = ''] = process.argv.slice(2);
if (!existsSync(program) || out === '') throw new Error('usage: ui.mjs THROUGHLINE OUT [DATA]');

const before = load();
const folder = mkdtempSync(join(tmpdir(), 'throughline-ui-'));
try {
  /** @type {import('./figures.mjs').Figure[]} */
  const figures = [
    ...bytes(),
    ...(await drawn()),
    ...(await largest(program, folder)),
    ...(existsSync(join(data, 'catalog.sqlite')) ? await stored(program, data) : [noStore()]),
  ];
  const browser = await launch();
  write(out, figures, browser.version());
  await browser.close();
  console.log(`${CHROMIUM}, load before it ${before}\n\n${table(figures)}\n\nwritten to ${out}`);
} finally {
  rmSync(folder, { recursive: true });
}

/** What the build has weighed: the page with each view opened first. @returns {import('./figures.mjs').Figure[]} */
function bytes() {
  const sizes = new URL('../test-results/sizes.json', import.meta.url);
  const { views, goal } = JSON.parse(readFileSync(sizes, 'utf8'));
  return views.map((/** @type {{ view: string, bytes: number }} */ { view, bytes }) =>
    atMost(
      {
        name: `bytes_${view.toLowerCase()}`,
        value: bytes / 1000,
        unit: 'kB',
        note: 'gzipped: the page, its styles and all that is loaded to draw this view first',
      },
      goal / 1000,
    ),
  );
}

/** @returns {import('./figures.mjs').Figure} */
function noStore() {
  return {
    name: 'list_first',
    value: null,
    unit: 'ms',
    note: `no store at "${data}": make bench-store KEEP=1, or STORE=FOLDER of a server's data`,
  };
}
