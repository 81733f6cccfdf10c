// A copy is earlier, has ids of its own, and is the same otherwise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recording } from './replay.mjs';

/** @param {number} field @param {...Buffer} parts */
const message = (field, ...parts) => {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([field * 8 + 2, bytes.length]), bytes]);
};
/** @param {number} field @param {bigint} nanos */
const time = (field, nanos) => {
  const bytes = Buffer.alloc(9, field * 8 + 1);
  bytes.writeBigUInt64LE(nanos, 1);
  return bytes;
};
/** @param {number} field @param {string} words */
const text = (field, words) => message(field, Buffer.from(words));

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const HOUR = 3_600_000;

/** @param {string} trace @param {string} said @param {bigint} start */
const request = (trace, said, start) =>
  message(
    1,
    message(
      2,
      message(
        2,
        message(1, Buffer.from(trace, 'hex')),
        message(2, Buffer.from(trace.slice(0, 16), 'hex')),
        text(5, 'pay'),
        time(7, start),
        time(8, start + 5n),
        text(9, said),
        message(11, time(1, start + 1n)),
      ),
    ),
  );

test('a copy is an hour earlier, with its ids turned in bytes and in texts alike', () => {
  const start = 1_795_305_600_000_000_000n;
  const recorded = request(TRACE, `id ${TRACE} at 123456789012`, start);
  const copy = new Recording('/v1/traces', recorded).earlier(HOUR, 0x3012);
  const turned = [...TRACE]
    .map((digit, nth) => ((parseInt(digit, 16) + Number('2103'[nth % 4])) & 15).toString(16))
    .join('');
  assert.deepEqual(
    copy,
    request(turned, `id ${turned} at 123456789012`, start - BigInt(HOUR) * 1_000_000n),
  );
});

test('the code of a copy is the same, and an id of as many digits is not', () => {
  /** @param {string} key */
  const said = (key) =>
    message(
      1,
      message(2, message(2, message(9, text(1, key), message(2, text(1, TRACE.slice(0, 16)))))),
    );
  const copy = (/** @type {Buffer} */ it) => new Recording('/v1/traces', it).earlier(0, 7);
  assert.deepEqual(copy(said('throughline.code.digest')), said('throughline.code.digest'));
  assert.notDeepEqual(copy(said('throughline.other.digest')), said('throughline.other.digest'));
});

test('requests one after the other are one, and what was recorded stays as it is', () => {
  const [one, other] = [request(TRACE, 'a', 9n), request(TRACE, 'b', 8n)];
  const both = new Recording('/v1/traces', Buffer.concat([one, other]));
  assert.deepEqual(both.earlier(0, 0), Buffer.concat([one, other]));
  both.earlier(HOUR, 5);
  assert.deepEqual(both.earlier(0, 0), Buffer.concat([one, other]));
});
