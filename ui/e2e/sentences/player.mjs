// Programs that run beside the test, each of which says where it is by a first line of JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** How much of what a program complains of is kept. */
const SAID_MAX = 20_000;
const GRACE_MILLIS = 20_000;

/**
 * Starts a program and waits for its first line.
 * @param {string} command
 * @param {readonly string[]} words
 * @param {{ cwd?: string, env?: Record<string, string> }} [how]
 */
export async function start(command, words, { cwd, env = {} } = {}) {
  const child = spawn(command, words, { cwd, env: { ...process.env, ...env } });
  let said = '';
  child.stderr.on('data', (text) => (said = (said + text).slice(-SAID_MAX)));
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const line = await Promise.race([once(lines, 'line'), ended.then(() => undefined)]);
  if (line === undefined) throw new Error(`${command} ${words[0]} stopped: ${said}`);
  // Whatever else it prints is read, so that it does not wait for a reader.
  lines.on('line', () => {});
  return {
    first: /** @type {any} */ (JSON.parse(String(line[0]))),
    said: () => said,
    /** @param {string} text one line for its standard input */
    tell: (text) => child.stdin.write(`${text}\n`),
    /** Lets it end: its input ends, or it is asked to. */
    async stop() {
      child.stdin.end();
      child.kill('SIGTERM');
      const hurry = setTimeout(() => child.kill('SIGKILL'), GRACE_MILLIS);
      if (child.exitCode === null && child.signalCode === null) await ended;
      clearTimeout(hurry);
    },
  };
}
