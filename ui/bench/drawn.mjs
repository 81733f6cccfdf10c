// What moves: the map and the wall, over made-up answers, so that nothing else uses the processor.
import { launch } from '../e2e/browser.mjs';
import { MockServer } from '../e2e/mock.mjs';
import { openPage } from '../e2e/page.mjs';
import { wallOf } from '../e2e/wall.mjs';
import { atLeast, atMost, median } from './figures.mjs';
import { frames } from './frames.mjs';

/** A browser draws 60 frames a second at the most; what is counted may begin or end within one. */
export const FRAMES_MIN = 59.5;
const MAIN_MILLIS_MAX = 4;
const MEASURED_MILLIS = 10_000;
const CARDS = 300;

/** @returns {Promise<import('./figures.mjs').Figure[]>} */
export async function drawn() {
  const server = new MockServer();
  const url = await server.listen();
  const browser = await launch();
  try {
    return [...(await map(browser, url, server)), ...(await wall(browser, url, server))];
  } finally {
    await browser.close();
    await server.close();
  }
}

/**
 * @param {import('playwright-core').Browser} browser @param {string} url @param {MockServer} server
 * @returns {Promise<import('./figures.mjs').Figure[]>}
 */
async function map(browser, url, server) {
  server.large = true;
  const { page, close } = await openPage(browser);
  await page.goto(`${url}/map`);
  await page.locator('canvas[data-work]').waitFor();
  const nodes = await page.locator('button[data-node]').count();
  const edges = await page.locator('[data-edge]').count();
  const particles = await page.locator('canvas').getAttribute('data-particles');
  const found = await frames(page, MEASURED_MILLIS);
  const script = await page.evaluate(scriptOfFrames, 2_000);
  await close();
  const what = `${nodes} nodes, ${edges} edges, ${particles} particles, 1280 x 800, made-up answers`;
  return [
    {
      name: 'map_frames',
      value: found.perSecond,
      unit: 'frames/s',
      beside: { 'p99 ms between frames': found.p99 },
      note: `${what}; WebGL drawn by SwiftShader on the processor, there is no graphics card`,
    },
    atMost(
      {
        name: 'map_main_thread',
        value: found.main,
        unit: 'ms/frame',
        beside: {
          'of it to draw particles': median(script),
          'by the clock, with waiting for SwiftShader': found.clock,
        },
        note: "processor time of all that the main thread does, asking for new numbers and copying SwiftShader's picture included",
      },
      MAIN_MILLIS_MAX,
    ),
  ];
}

/** In the page: what drawing has cost the main thread in each frame. @param {number} millis */
async function scriptOfFrames(millis) {
  const canvas = document.querySelector('canvas');
  /** @type {number[]} */
  const work = [];
  const began = performance.now();
  while (performance.now() - began < millis) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    work.push(Number(canvas?.dataset['work']));
  }
  return work;
}

/**
 * @param {import('playwright-core').Browser} browser @param {string} url @param {MockServer} server
 * @returns {Promise<import('./figures.mjs').Figure[]>}
 */
async function wall(browser, url, server) {
  server.wall = wallOf(CARDS);
  const { page, close } = await openPage(browser);
  await page.goto(`${url}/wall`);
  await page
    .locator('article')
    .nth(CARDS - 1)
    .waitFor();
  let second = 0;
  const telling = setInterval(() => server.tell(wallOf(CARDS, (second += 1))), 1_000);
  const still = await frames(page, MEASURED_MILLIS);
  const scrolled = await frames(page, MEASURED_MILLIS, { scroll: 'main', pixels: 12 });
  clearInterval(telling);
  await close();
  const what = `${CARDS} cards that all change every second, 1280 x 800, made-up seconds`;
  /** @param {string} name @param {Awaited<ReturnType<typeof frames>>} found @param {string} note */
  const figure = (name, found, note) =>
    atLeast(
      {
        name,
        value: found.perSecond,
        unit: 'frames/s',
        beside: {
          'main thread ms/frame': found.main,
          'p99 ms between frames': found.p99,
          'most ms': found.longest,
        },
        note,
      },
      FRAMES_MIN,
    );
  return [
    figure('wall_frames', still, what),
    figure('wall_frames_scrolled', scrolled, 'the same, 720 pixels a second down'),
  ];
}
