// Big Mouth as `throughline demo` runs it, with each part by itself: what is outside, the server, the sandbox, users.
// So the server can be started anew beside functions that go on, and what they tell can be recorded.
import {
  cpSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Intake } from './intake.mjs';
import { start } from './player.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const EXAMPLE = 'examples/big-mouth';
/** Orders a minute. Enough that five minutes say something of a median, and little enough for two cores. */
const RATE = 24;
/** Small functions take seconds to start on their share of a core. */
const INIT_SECONDS = 120;
/** Whoever asks moto says whom. */
const TO_LAMBDA = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0',
};
/** A day of users in half a minute is the same load in every minute. */
const DAY_MINUTES = 0.5;

/** @typedef {Awaited<ReturnType<typeof start>>} Player */

export class Shop {
  #intake = new Intake();
  /** @type {Player[]} in the order in which they were started */
  #players = [];
  /** @type {Player | undefined} */
  #server;
  /** @type {Player | undefined} */
  #sandbox;
  /** @type {Player | undefined} */
  #users;
  #how;
  #program;
  /** Where the extensions send to. */
  #telemetry = '';
  #place = mkdtempSync(join(tmpdir(), 'throughline-sentences-'));
  /** What is outside: `aws`, `pay`, `smtp`, `mail`. @type {Record<string, string>} */
  outside = {};
  /** The page and the API. */
  url = '';
  /** Where orders are placed. */
  api = '';
  /** Where OTLP is sent to. */
  otlp = '';

  /**
   * @param {string} program the binary
   * @param {{ cpuShare?: boolean, rate?: number, memory?: Record<string, number> }} [how] whether functions have the
   *   share of a core that their memory brings, orders a minute, and which functions have how many MB instead of theirs
   */
  constructor(program, how = {}) {
    this.#program = program;
    this.#how = how;
  }

  get #folder() {
    return join(this.#place, EXAMPLE);
  }

  get #data() {
    return join(this.#place, 'data');
  }

  async open() {
    this.#copy();
    const outside = await this.#play('outside', ['--any-port', '--functions']);
    this.outside = outside.first;
    await this.#serve();
    this.#telemetry = await this.#intake.listen();
    await this.#invoke();
    const where = ['--shop', this.api, '--aws', this.outside.aws, '--pay', this.outside.pay];
    this.#users = await this.#play('traffic', [
      ...where.map(String),
      ...['--rate', String(this.#how.rate ?? RATE), '--day-minutes', String(DAY_MINUTES)],
      ...['--ground-truth', join(this.#place, 'ground-truth.jsonl')],
    ]);
  }

  /** Something begins to go wrong. @param {string} misbehaviour */
  begin(misbehaviour) {
    this.#users?.tell(`begin ${misbehaviour}`);
  }

  /** And ends. @param {string} misbehaviour */
  end(misbehaviour) {
    this.#users?.tell(`end ${misbehaviour}`);
  }

  /**
   * What the release of update-stats that is deployed does with one order: `written`, or why it fails.
   * @returns {Promise<string>}
   */
  async writes() {
    const order = { id: 'o-probe', user: 'u-1', email: 'u@example.com', restaurant: 'r-1' };
    const data = Buffer.from(JSON.stringify({ ...order, total_cents: 100 })).toString('base64');
    const url = `${this.#sandbox?.first.api}/2015-03-31/functions/update-stats/invocations`;
    const body = JSON.stringify({ Records: [{ kinesis: { data } }] });
    const answer = await fetch(url, { method: 'POST', body });
    const said = await answer.text();
    const isWell = answer.ok && !answer.headers.has('x-amz-function-error');
    return isWell ? 'written' : said;
  }

  /** The memory of a function in the account. @param {string} name */
  async size(name) {
    const url = `${this.outside.aws}/2015-03-31/functions/${name}/configuration`;
    const answer = await fetch(url, { headers: TO_LAMBDA });
    if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
    return Number(/** @type {any} */ (await answer.json()).MemorySize);
  }

  /** The function runs with the memory that the account says, as it would there. @param {string} name */
  async resize(name) {
    this.#give(name, await this.size(name));
    await this.#sandbox?.stop();
    await this.#invoke();
  }

  record() {
    this.#intake.record();
  }

  recorded() {
    return this.#intake.recorded();
  }

  /** The server again, which has never watched: it learns from what is stored, and judges what comes. */
  async watchAnew() {
    this.#intake.to = undefined;
    await this.#server?.stop();
    rmSync(join(this.#data, 'detection'), { recursive: true, force: true });
    await this.#serve();
  }

  /** @param {string} path @param {unknown} [body] what is put there, if something is */
  async ask(path, body) {
    const how = body === undefined ? {} : { method: 'PUT', body: JSON.stringify(body) };
    const answer = await fetch(`${this.url}${path}`, how);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return /** @type {any} */ (JSON.parse(text));
  }

  async close() {
    await this.#users?.stop();
    await this.#sandbox?.stop();
    for (const player of this.#players.toReversed()) await player.stop();
    await this.#server?.stop();
    await this.#intake.stop();
    rmSync(this.#place, { recursive: true, force: true });
  }

  async #invoke() {
    const file = join(this.#folder, 'throughline.toml');
    const share = ['--cpu-share', '--init-timeout', `${INIT_SECONDS}s`];
    this.#sandbox = await start(this.#program, [
      ...['sandbox', '--json', '--api', '127.0.0.1:0', '--app', file],
      ...(this.#how.cpuShare ? share : []),
      ...['--extension', join(dirname(this.#program), 'throughline-extension')],
      ...['--aws-endpoint', this.outside.aws ?? ''],
      ...['--env', `THROUGHLINE_ENDPOINT=${this.#telemetry}`],
      ...['--env', `PAY_URL=${this.outside.pay}`, '--env', `SMTP_URL=${this.outside.smtp}`],
    ]);
    this.api = this.#sandbox.first.apis[0].url;
    // Users know no other address, should it be started again.
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('127.0.0.1:0', new URL(this.api).host));
  }

  /** What goes wrong is released into a copy, so that a run that is killed leaves nothing behind. */
  #copy() {
    mkdirSync(dirname(this.#folder), { recursive: true });
    const isSmall = (/** @type {string} */ path) => !path.includes('node_modules');
    const links = { verbatimSymlinks: true, recursive: true, filter: isSmall };
    cpSync(join(ROOT, EXAMPLE), this.#folder, links);
    for (const beside of ['layers', 'scripts']) {
      symlinkSync(join(ROOT, beside), join(this.#place, beside));
    }
    const file = join(this.#folder, 'throughline.toml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('127.0.0.1:4310', '127.0.0.1:0'));
    for (const [name, memory] of Object.entries(this.#how.memory ?? {})) this.#give(name, memory);
  }

  /** @param {string} name @param {number} memory in MB */
  #give(name, memory) {
    const file = join(this.#folder, 'throughline.toml');
    const [before = '', section = '', after = ''] = readFileSync(file, 'utf8').split(
      new RegExp(`(?<=\\[functions\\.${name}\\]\n(?:.+\n)*)(memory_mb = \\d+)`),
    );
    if (section === '') throw new Error(`${file} does not say how much memory ${name} has`);
    writeFileSync(file, `${before}memory_mb = ${memory}${after}`);
  }

  /** @param {string} name @param {string[]} words */
  async #play(name, words) {
    const player = await start(join(this.#folder, 'play'), [name, ...words]);
    if (name !== 'traffic') this.#players.push(player);
    return player;
  }

  async #serve() {
    const anywhere = ['--http', '--otlp-http', '--otlp-grpc'].flatMap((it) => [it, '127.0.0.1:0']);
    const words = ['serve', '--json', '--actions', 'local', '--data-dir', this.#data, ...anywhere];
    const env = {
      AWS_ENDPOINT_URL: this.outside.aws ?? '',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      RUST_LOG: 'warn',
    };
    // Elsewhere it has a machine of its own: while it learns from days, functions here must not become slow.
    this.#server = await start('nice', ['-n', '19', this.#program, ...words], { env });
    this.url = `http://${this.#server.first.http}`;
    this.otlp = `http://${this.#server.first.otlp_http}`;
    this.#intake.to = this.otlp;
  }
}
