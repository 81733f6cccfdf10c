// The demo of every widget comes up without a complaint, so that it does not rot.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { launch } from './browser.mjs';
import { openPage, overflow, screenshot } from './page.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

test('the demo of the widgets', async () => {
  const server = await createServer({
    root,
    logLevel: 'warn',
    server: { port: 0, host: '127.0.0.1' },
  });
  await server.listen();
  const browser = await launch();
  try {
    const url = server.resolvedUrls?.local[0] ?? '';
    for (const scheme of /** @type {const} */ (['light', 'dark'])) {
      const { page, complaints, close } = await openPage(browser, { scheme, height: 1400 });
      await page.goto(`${url}demo.html`);
      await page.getByRole('heading', { name: 'Waterfall' }).waitFor();
      await page.getByText('parent missing').last().waitFor();
      await page.getByRole('tab', { name: 'Two' }).click();
      await page.getByText('The second side').waitFor();
      await page.locator('[data-node="queue:mails"]').getByText('up to 6.4 s old').waitFor();
      await page.locator('label', { hasText: 'Variable' }).click();
      await page.getByLabel('Secret', { exact: true }).fill('NOTIFY_KEY');
      await page.getByText('an environment variable of the server', { exact: false }).waitFor();
      await page.getByRole('button', { name: 'Keys' }).click();
      await page.getByRole('dialog').getByText('next').waitFor();
      await page.keyboard.press('Escape');
      assert.equal(await overflow(page), 0);
      await screenshot(page, `widgets-${scheme}`);
      assert.deepEqual(complaints, []);
      await close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
});
