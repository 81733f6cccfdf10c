// Replayed time: telemetry that came a few minutes ago, as if it had come hours or days before.
//
// A request in OTLP's protobuf is walked through once, for where its times and its ids are. A copy of it has the
// same bytes but for those: times are earlier, and each hexadecimal digit of an id is turned by a key, in bytes and in
// texts alike, so that what belonged together in one copy still does, and belongs to no other.

/**
 * Which fields of which message are what, by their numbers.
 * @typedef {{ times?: number[], ids?: number[], inside?: Record<number, Message> }} Message
 */

/** @type {Message} */
const SPAN = {
  times: [7, 8],
  ids: [1, 2, 4],
  inside: { 11: { times: [1] }, 13: { ids: [1, 2] } },
};
/** @type {Message} */
const RECORD = { times: [1, 11], ids: [9, 10] };
/** Requests, by the path that they are sent to. @type {Record<string, Message>} */
const REQUESTS = {
  '/v1/traces': { inside: { 1: { inside: { 2: { inside: { 2: SPAN } } } } } },
  '/v1/logs': { inside: { 1: { inside: { 2: { inside: { 2: RECORD } } } } } },
};
/**
 * Ids in texts: of requests, messages, orders, environments. An account has twelve digits, and stays; so does what code is
 * known by, which is four bytes behind its name.
 */
const TEXT_IDS =
  /(?<!throughline\.code\.digest[\s\S]{4})(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|o-[0-9a-f]{12}|[0-9a-f]{16,})/g;
const DIGITS = '0123456789abcdef';
const KEY_LENGTH = 8;

/** Whether there is something to replay in what is sent to this path. @param {string} path */
export const isReplayed = (path) => path in REQUESTS;

/** What is known of the places in a request. */
export class Recording {
  /** @type {number[]} */
  #times = [];
  /** Pieces of ids as bytes. @type {[number, number][]} */
  #ids = [];
  /** Pieces of ids as texts. @type {[number, number][]} */
  #texts = [];
  #bytes;

  /** @param {string} path @param {Buffer} bytes one request, or several one after the other, which are one as well */
  constructor(path, bytes) {
    this.#bytes = bytes;
    const request = REQUESTS[path];
    if (!request) throw new Error(`nothing is known of ${path}`);
    this.#walk(request, 0, bytes.length);
    for (const found of bytes.toString('latin1').matchAll(TEXT_IDS)) {
      this.#texts.push([found.index, found.index + found[0].length]);
    }
  }

  /** The same, so much earlier. @param {number} millis @param {number} key another for each copy */
  earlier(millis, key) {
    const copy = Buffer.from(this.#bytes);
    const nanos = BigInt(Math.round(millis)) * 1_000_000n;
    for (const at of this.#times) {
      const time = copy.readBigUInt64LE(at);
      if (time > nanos) copy.writeBigUInt64LE(time - nanos, at);
    }
    const turn = keyOf(key);
    for (const [from, to] of this.#ids) {
      for (let at = from; at < to; at += 1) {
        const [high, low] = [turn((at - from) * 2), turn((at - from) * 2 + 1)];
        const byte = copy.readUInt8(at);
        copy.writeUInt8(((((byte >> 4) + high) & 15) << 4) | (((byte & 15) + low) & 15), at);
      }
    }
    for (const [from, to] of this.#texts) {
      let nth = 0;
      for (let at = from; at < to; at += 1) {
        const digit = DIGITS.indexOf(String.fromCharCode(copy.readUInt8(at)));
        if (digit < 0) continue;
        copy.writeUInt8(DIGITS.charCodeAt((digit + turn(nth)) & 15), at);
        nth += 1;
      }
    }
    return copy;
  }

  /** @param {Message} message @param {number} from @param {number} to */
  #walk(message, from, to) {
    let at = from;
    const varint = () => {
      let [value, scale] = [0, 1];
      for (;;) {
        const byte = this.#bytes.readUInt8(at);
        at += 1;
        value += (byte & 127) * scale;
        if (byte < 128) return value;
        scale *= 128;
      }
    };
    while (at < to) {
      const tag = varint();
      const [field, kind] = [Math.floor(tag / 8), tag % 8];
      if (kind === 0) varint();
      else if (kind === 5) at += 4;
      else if (kind === 1) {
        if (message.times?.includes(field)) this.#times.push(at);
        at += 8;
      } else if (kind === 2) {
        const length = varint();
        const inner = message.inside?.[field];
        if (inner) this.#walk(inner, at, at + length);
        else if (message.ids?.includes(field)) this.#ids.push([at, at + length]);
        at += length;
      } else throw new Error(`no request of OTLP: a field of kind ${kind} at ${at}`);
    }
  }
}

/** By how much the nth digit of an id is turned. @param {number} key @returns {(nth: number) => number} */
function keyOf(key) {
  const turns = Array.from({ length: KEY_LENGTH }, (_, nth) => (key >> (4 * (nth % 4))) & 15);
  return (nth) => turns[nth % KEY_LENGTH] ?? 0;
}
