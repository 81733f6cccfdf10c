// How often a page that is open draws, and what its main thread does for it.

/**
 * Frames of so many milliseconds. What is drawn by software on another thread shows in them too: the
 * browser begins no frame before those before it have come through.
 * @param {import('playwright-core').Page} page
 * @param {number} millis
 * @param {{ scroll: string, pixels: number } | null} [act] what is scrolled, and how far in each frame
 */
export async function frames(page, millis, act = null) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const before = await spent(session);
  const between = await page.evaluate(collect, { millis, act });
  const after = await spent(session);
  await session.detach();
  const took = between.reduce((sum, each) => sum + each, 0);
  const sorted = [...between].sort((a, b) => a - b);
  return {
    perSecond: (between.length / took) * 1000,
    /** Milliseconds of the processor that the main thread used for each: scripts, styles, layout, painting. */
    main: ((after.processor - before.processor) * 1000) / between.length,
    /** The same by the clock: with what it waited for, for others and for what draws. */
    clock: ((after.clock - before.clock) * 1000) / between.length,
    /** Milliseconds from one to the next. */
    p99: sorted[Math.floor(between.length * 0.99)] ?? Number.NaN,
    longest: sorted.at(-1) ?? Number.NaN,
  };
}

/** Seconds of the main thread so far. @param {import('playwright-core').CDPSession} session */
async function spent(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  const read = (/** @type {string} */ wanted) =>
    metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
  return { processor: read('ThreadTime'), clock: read('TaskDuration') };
}

/**
 * In the page: milliseconds between frames.
 * @param {{ millis: number, act: { scroll: string, pixels: number } | null }} how
 */
async function collect({ millis, act }) {
  const target = act === null ? null : document.querySelector(act.scroll);
  if (act !== null && target === null) throw new Error(`there is no ${act.scroll}`);
  const frame = () =>
    new Promise((/** @type {(time: number) => void} */ on) => requestAnimationFrame(on));
  /** @type {number[]} */
  const between = [];
  const began = await frame();
  for (let last = began; last - began < millis;) {
    const now = await frame();
    between.push(now - last);
    last = now;
    if (target !== null && act !== null) target.scrollTop += act.pixels;
  }
  return between;
}
