// The server as it is delivered, on free ports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * Starts it over a data directory; resolves when it listens.
 * @param {string} program
 * @param {string} data
 */
export async function serve(program, data) {
  const free = ['--http', '--otlp-http', '--otlp-grpc'].flatMap((door) => [door, '127.0.0.1:0']);
  const child = spawn(program, ['serve', '--json', '--data-dir', data, ...free], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, RUST_LOG: 'warn' },
  });
  const ended = once(child, 'exit');
  const line = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  if (child.exitCode !== null) throw new Error(`${program} did not start over ${data}`);
  const { http, otlp_http: otlp } = JSON.parse(String(line[0]));
  return {
    url: `http://${http}`,
    otlp: `http://${otlp}`,
    /** It seals what it has first. */
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** An answer of its API. @param {string} url */
export async function ask(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} is answered with ${answer.status}`);
  return /** @type {Promise<any>} */ (answer.json());
}
