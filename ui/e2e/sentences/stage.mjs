// What every sentence stands on: a shop with a past, somebody who is told, and a place for what was seen.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launch } from '../browser.mjs';
import { openPage } from '../page.mjs';
import { MailCatcher, SlackCatcher, shown } from './catchers.mjs';
import { replay } from './history.mjs';
import { Shop } from './shop.mjs';
import { note, pause, take } from './take.mjs';

export { note, pause };

export const program = process.env['THROUGHLINE_BIN'] ?? '';
/** What was seen of each sentence. */
const SEEN = new URL('../../../target/sentences/', import.meta.url);
/** Everything that is waited for takes as long as the machine lets it. */
const PATIENCE_MILLIS = Number(process.env['SENTENCES_PATIENCE'] ?? 900) * 1000;
const WARM_MILLIS = 45_000;
const NORMAL_MINUTES = 3;
/** Minutes are judged that begin up to two minutes before the server starts to watch. */
const AHEAD_MILLIS = 100_000;

/**
 * What comes of asking again and again, once something does.
 * @template T
 * @param {string} what
 * @param {() => T | undefined | Promise<T | undefined>} look
 * @returns {Promise<T>}
 */
export async function until(what, look) {
  for (const end = Date.now() + PATIENCE_MILLIS; Date.now() < end; await pause(1_000)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  return assert.fail(`${what} does not come`);
}

/** @typedef {{ id: number, title: string, nodes: string[], state: string }} Known an incident in the list */

export class Stage {
  shop;
  mail = new MailCatcher();
  slack = new SlackCatcher();
  /** @type {import('playwright-core').Browser | undefined} */
  #browser;

  /** @param {ConstructorParameters<typeof Shop>[1]} [how] */
  constructor(how) {
    this.shop = new Shop(program, how);
  }

  async open() {
    // Nothing that was started outlives a run that is broken off.
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.once(signal, () => void this.close().finally(() => process.exit(1)));
    }
    mkdirSync(SEEN, { recursive: true });
    await Promise.all([this.mail.listen(), this.slack.listen()]);
    await this.shop.open();
    note('the shop is open');
    this.#browser = await launch();
  }

  async close() {
    await this.#browser?.close();
    await this.shop.close();
    this.mail.stop();
    this.slack.stop();
  }

  /** What comes while all is well. */
  async usual() {
    await pause(WARM_MILLIS);
    return this.take(NORMAL_MINUTES);
  }

  /** Something goes wrong, long enough to be judged once the server watches. @param {string} misbehaviour */
  async begin(misbehaviour) {
    this.shop.begin(misbehaviour);
    note(`${misbehaviour} begins`);
    await pause(AHEAD_MILLIS);
  }

  /** Some minutes of telemetry as it comes; again, if the machine stood still meanwhile. @param {number} minutes */
  take(minutes) {
    return take(this.shop, minutes);
  }

  /** @param {Parameters<typeof replay>[1]} normal @param {Parameters<typeof replay>[2]} [leak] */
  async remember(normal, leak) {
    const bytes = await replay(this.shop.otlp, normal, leak);
    note(`${(bytes / 1e6).toFixed(0)} MB of replayed time are stored`);
  }

  /** The server starts to watch, and tells whom it finds. @param {object[]} [objectives] */
  async watch(objectives = []) {
    await this.shop.watchAnew();
    if (objectives.length > 0) await this.shop.ask('/api/v1/alerts', { objectives, alerts: [] });
    await this.tellBoth();
    note('the server watches');
  }

  /** Somebody is told everything, by mail and in Slack. */
  async tellBoth() {
    const email = {
      type: 'email',
      to: ['ops@example.com'],
      from: 'Throughline <throughline@example.com>',
      smtp: { host: '127.0.0.1', port: this.mail.port, tls: 'none' },
    };
    await this.shop.ask('/api/v1/notifications', {
      environment: 'big-mouth',
      receivers: [
        { name: 'ops', channel: email },
        { name: 'team', channel: { type: 'slack', url: this.slack.url } },
      ],
      routes: [{ name: 'everything', receivers: ['ops', 'team'], severity: 'note' }],
    });
  }

  /**
   * Waits for an incident, and for what is told of it: the newest mail and the newest message that say this.
   * @param {string} name of the sentence
   * @param {(incident: any) => boolean} isIt
   * @param {RegExp} [says]
   */
  async told(name, isIt, says) {
    const incident = await until(`${name}: an incident`, async () => {
      const listed = await this.shop.ask('/api/v1/incidents?state=open');
      for (const { id } of /** @type {Known[]} */ (listed.incidents)) {
        const known = await this.shop.ask(`/api/v1/incidents/${id}`);
        if (isIt(known)) return known;
      }
    });
    note(`${name}: ${incident.title}`);
    return { incident, ...(await this.messages(name, `/incidents/${incident.id}`, says)) };
  }

  /**
   * The newest mail and message with a link to a page, and these words; both are kept as they can be read.
   * @param {string} name @param {string} path @param {RegExp} [says]
   */
  async messages(name, path, says = /./) {
    const leads = (/** @type {string} */ text) =>
      new RegExp(`${path}(?![0-9])`).test(text) && says.test(text);
    const mail = await until(`${name}: a mail`, () =>
      this.mail.mails.findLast((it) => leads(it.text)),
    );
    const message = await until(`${name}: a message`, () =>
      this.slack.messages.findLast((it) => leads(shown(it))),
    );
    const slack = shown(message);
    keep(`${name}.mail.txt`, `Subject: ${mail.subject}\n\n${mail.text}`);
    keep(`${name}.slack.txt`, slack);
    keep(`${name}.slack.json`, JSON.stringify(message, null, 2));
    return { mail, slack };
  }

  /**
   * Opens a page, and keeps what it looks like in the end.
   * @param {string} name @param {string} href
   * @param {(page: import('playwright-core').Page) => Promise<void>} story
   */
  async page(name, href, story) {
    if (!this.#browser) throw new Error('the stage is not open');
    const { page, complaints, close } = await openPage(this.#browser, { height: 1400 });
    page.setDefaultTimeout(120_000);
    try {
      await page.goto(href);
      await story(page);
      assert.deepEqual(complaints, [], 'the page complained');
    } finally {
      keep(
        `${name}.page.txt`,
        await page
          .locator('main')
          .innerText()
          .catch(() => ''),
      );
      await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, SEEN)), fullPage: true });
      await close();
    }
  }

  /** What an incident's page says. @param {string} name @param {string} href */
  async read(name, href) {
    let text = '';
    await this.page(name, href, async (page) => {
      await page.getByRole('region', { name: 'What is unusual' }).waitFor();
      await page
        .getByRole('region', { name: 'What can be done' })
        .getByRole('list')
        .first()
        .waitFor();
      text = await page.getByRole('main').innerText();
    });
    return text;
  }
}

/** @param {string} name @param {string} text */
export function keep(name, text) {
  writeFileSync(new URL(name, SEEN), text);
}

/** The link of a mail whose words are these. @param {import('./catchers.mjs').Mail} mail @param {RegExp} words */
export function linkIn({ text }, words) {
  const found = text.split('\n').find((line) => words.test(line) && line.includes('http'));
  return found?.slice(found.indexOf('http'));
}

/** Whether an incident has a finding. @param {any} incident @param {string} kind @param {string} node */
export const has = (incident, kind, node) =>
  incident.findings.some(
    (/** @type {any} */ it) => it.kind === kind && JSON.stringify(it.subject).includes(`"${node}"`),
  );
