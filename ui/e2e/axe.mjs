// What axe has against a page.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** WCAG 2.2 AA and what axe's authors recommend beside it. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const BAD = ['serious', 'critical'];
/** Colours move for a moment when something appears; contrast is looked at when they rest. */
const SETTLE_MILLIS = 300;

/** What is serious or critical once the page rests, in words. @param {import('playwright-core').Page} page */
export async function violations(page) {
  await page.waitForTimeout(SETTLE_MILLIS);
  await page.evaluate(AXE);
  const found = await page.evaluate(async (tags) => {
    const axe = /** @type {any} */ (window).axe;
    const { violations } = await axe.run({ runOnly: tags });
    return violations.map((/** @type {any} */ each) => ({
      impact: each.impact,
      words: `${each.id}: ${each.help}`,
      nodes: each.nodes.slice(0, 5).map(
        (/** @type {any} */ node) =>
          node.html.slice(0, 160) +
          ' ' +
          node.any
            .map((/** @type {any} */ any) => any.message)
            .join('; ')
            .slice(0, 160),
      ),
    }));
  }, TAGS);
  return found
    .filter((/** @type {any} */ each) => BAD.includes(each.impact))
    .map((/** @type {any} */ each) => [each.words, ...each.nodes].join('\n    '));
}
