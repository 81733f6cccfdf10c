// What detection must have seen before it judges, made of some minutes that were recorded: the hours of this time of day on
// each of three days before, which it compares with, and the last two hours, where it looks for causes. A new call is new
// after three days; silence too.
import { Recording } from './replay.mjs';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DAYS = 3;
const HOURS_TODAY = 2;
/** How long something is judged at most. */
const RUN_MILLIS = 20 * MINUTE;
/** Bytes of one request, which is many that were recorded one after the other. */
const REQUEST_BYTES = 2 << 20;
/** Odd, so that each of 65,536 copies has another key. */
const KEY_STEP = 40_503;

/** @typedef {{ sent: import('./intake.mjs').Sent[], from: number, to: number }} Take some minutes that were recorded */

/**
 * Sends what fills the past to a server.
 * @param {string} otlp
 * @param {Take} normal
 * @param {{ take: Take, minutes: number } | undefined} leak what has been so for some minutes already
 * @returns {Promise<number>} the bytes that were sent
 */
export async function replay(otlp, normal, leak) {
  const recordings = recordingsOf(normal);
  const end = normal.from - (leak?.minutes ?? 0) * MINUTE;
  const length = normal.to - normal.from;
  const copies = shifts(normal, end, Date.now());
  let [key, bytes] = [0, 0];
  for (const shift of copies) {
    bytes += await send(otlp, recordings, shift, (key += 1));
  }
  if (leak) {
    const leaking = recordingsOf(leak.take);
    const each = leak.take.to - leak.take.from;
    const last = leak.take.from - normal.from;
    for (let shift = last + each; shift - last <= leak.minutes * MINUTE; shift += each) {
      bytes += await send(otlp, leaking, shift, (key += 1));
    }
  }
  if (key * length < 9 * HOUR) throw new Error(`${key} copies are no history`);
  return bytes;
}

/**
 * By how much each copy is earlier, the oldest first.
 * @param {Take} take @param {number} end when today's last copy ends @param {number} now
 */
function shifts({ from, to }, end, now) {
  const length = to - from;
  const spans = [[end - HOURS_TODAY * HOUR, end]];
  const hour = Math.floor(now / HOUR) * HOUR;
  for (let day = 1; day <= DAYS; day += 1) {
    // The hour that this one is compared with and those beside it; one more if this one ends meanwhile.
    const last = now - hour > HOUR - RUN_MILLIS ? 3 : 2;
    spans.push([hour - day * DAY - HOUR, hour - day * DAY + last * HOUR]);
  }
  const found = spans.flatMap(([first = 0, last = 0]) => {
    const count = Math.floor((last - first) / length);
    return Array.from({ length: count }, (_, nth) => to - (last - nth * length));
  });
  return found.toSorted((a, b) => b - a);
}

/** @param {Take} take */
function recordingsOf({ sent }) {
  return ['/v1/traces', '/v1/logs'].flatMap((path) => {
    /** @type {Buffer[][]} */
    const groups = [[]];
    let bytes = 0;
    for (const { body } of sent.filter((it) => it.path === path)) {
      bytes += body.length;
      if (bytes > REQUEST_BYTES) {
        groups.push([]);
        bytes = body.length;
      }
      groups.at(-1)?.push(body);
    }
    return groups.map((group) => ({ path, recording: new Recording(path, Buffer.concat(group)) }));
  });
}

/**
 * @param {string} otlp @param {{ path: string, recording: Recording }[]} recordings
 * @param {number} shift @param {number} key
 */
async function send(otlp, recordings, shift, key) {
  let bytes = 0;
  for (const { path, recording } of recordings) {
    const body = recording.earlier(shift, (key * KEY_STEP) & 0xffff);
    const headers = { 'content-type': 'application/x-protobuf' };
    const answer = await fetch(`${otlp}${path}`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`history is refused: ${answer.status} ${await answer.text()}`);
    bytes += body.length;
  }
  return bytes;
}
