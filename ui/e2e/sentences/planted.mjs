// Incidents whose cause is known, since it was planted: what goes wrong in Big Mouth, the nodes that are its cause as the
// server names them, and how what was sent meanwhile is kept.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const USUAL_MILLIS = 40_000;
const LONG_MILLIS = 90_000;
/** What leaves work behind: messages that come again, invocations that hang, records that wait. */
const LEAVES_WORK = ['poison-message', 'cost-leak', 'timeout', 'retry-storm', 'silent-consumer'];
const FILES = { '/v1/traces': 'traces.binpb', '/v1/logs': 'logs.binpb' };

/**
 * The causes of each misbehaviour, in the order of `traffic/misbehave.py`.
 * @param {string} pay the payment provider, as the server names it
 * @returns {Record<string, string[]>}
 */
export const causes = (pay) => ({
  'slow-payment': [pay],
  'throttled-user-table': ['table:users'],
  'poison-message': ['function:notify-restaurant', 'queue:notifications', 'queue:undeliverable'],
  'bad-deploy': ['function:place-order'],
  // Users come all at once to the first three; the others are deployed with them.
  'cold-start-storm': [
    'function:get-restaurants',
    'function:search-restaurants',
    'function:place-order',
    'function:accept-order',
    'function:update-stats',
    'function:notify-user',
  ],
  'memory-leak': ['function:place-order'],
  'unexpected-write': ['function:update-stats'],
  'cost-leak': ['function:update-stats'],
  timeout: ['function:place-order'],
  'retry-storm': ['table:orders'],
  'silent-consumer': ['topic:orders-placed', 'queue:notifications', 'function:notify-restaurant'],
});

/** How it is played again, where not for half an hour and in any part of an application. @type {Record<string, object>} */
const PLAYED = {
  // What costs more is told by the hour.
  'cost-leak': { minutes: 90 },
  'silent-consumer': { everywhere: true },
};

/** How long it takes until all is as it was. @param {string} misbehaviour */
export const recovery = (misbehaviour) =>
  LEAVES_WORK.includes(misbehaviour) ? LONG_MILLIS : USUAL_MILLIS;

/**
 * Writes what was sent: requests one after the other, which are one in protobuf, and when and why it was.
 * @param {string} folder
 * @param {import('./history.mjs').Take} take
 * @param {string[]} causes
 * @returns {number} the bytes that were sent
 */
export function write(folder, { sent, from, to }, causes) {
  mkdirSync(folder, { recursive: true });
  let bytes = 0;
  for (const [path, file] of Object.entries(FILES)) {
    const body = Buffer.concat(sent.filter((it) => it.path === path).map((it) => it.body));
    if (body.length === 0) throw new Error(`nothing was sent to ${path} for ${folder}`);
    writeFileSync(join(folder, file), body);
    bytes += body.length;
  }
  const times = { from_unix_millis: from, to_unix_millis: to };
  const said = { ...times, causes, ...PLAYED[basename(folder)] };
  writeFileSync(join(folder, 'take.json'), `${JSON.stringify(said, null, 2)}\n`);
  return bytes;
}
