// The demo as it is run by hand: big-mouth in the sandbox, the server, users.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ORDER = { user: 'u-1', restaurant: 'r-1', items: [{ dish: 'miso ramen', quantity: 2 }] };

/** @param {string} program @param {number} rate orders a minute */
export async function startDemo(program, rate) {
  const data = mkdtempSync(join(tmpdir(), 'throughline-demo-'));
  const words = ['demo', '--any-port', '--json', '--rate', String(rate), '--data-dir', data];
  const child = spawn(program, words, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  const ended = once(child, 'exit');
  const line = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  if (child.exitCode !== null) throw new Error(`the demo stopped: ${said}`);
  const { http, shop, mail } = JSON.parse(String(line[0]));
  return {
    url: `http://${http}`,
    /** Orders, under a number of one's own; the status of the answer. @param {string} number @param {object} change */
    async order(number, change = {}) {
      const answer = await fetch(`${shop}orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': number },
        body: JSON.stringify({ ...ORDER, ...change }),
      });
      return answer.status;
    },
    /** The e-mails so far, as text. */
    async mails() {
      const answer = await fetch(`${mail}/mails`);
      return answer.text();
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(data, { recursive: true });
    },
  };
}
