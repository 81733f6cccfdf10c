'use strict';
/**
 * What calls send and are answered, where `THROUGHLINE_PAYLOADS` is `on-error` or `all`; otherwise this is not loaded.
 * Names that are secret have no values, texts are cut, and an invocation has room for so much. The extension looks at
 * values, decides what leaves, and cuts further.
 */

const { plain, text: json } = require('./payload.js');

const TEXT_CHARS_MAX = 8_192;
/** More of a body is not kept, and of what was not kept whole only the size is told. */
const BYTES_MAX = 64 << 10;
/** Of an invocation. The extension lets less leave. */
const ROOM_CHARS = 128 << 10;
const WITHHELD = '[withheld]';
/** What is asked of these is secret, or answers with secrets. */
const SECRET = new Set(['SecretsManager', 'KMS', 'STS', 'CognitoIdentityProvider', 'cognito-identity', 'sso', 'sso-oauth']);
const TEXTS = /^$|^text\/|(json(-[\d.]+)?|xml|x-www-form-urlencoded|graphql|javascript|yaml)$/;

/** The beginning of a body that comes in pieces. */
class Kept {
  constructor() {
    this.chunks = [];
    this.size = 0;
  }

  add(chunk) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (!(bytes instanceof Uint8Array)) return;
    this.size += bytes.byteLength;
    if (this.size <= BYTES_MAX) this.chunks.push(bytes);
    else this.chunks.length = 0;
  }
}

/**
 * @param {import('./span.js').Span} span
 * @param {'request'|'response'} direction
 * @param {Kept} kept
 * @param {{type: unknown, encoding?: unknown}} head what its headers say
 * @param {import('./settings.js').Settings} settings
 */
function tell(span, direction, kept, head, settings) {
  if (kept.size === 0) return;
  const service = span.attributes['rpc.service'];
  const isSecret = SECRET.has(service) || (service === 'SSM' && /^GetParameter/.test(String(span.attributes['rpc.method'])));
  const shown = isSecret ? WITHHELD : show(kept, head, settings);
  put(span, `${service ? 'rpc' : 'http'}.${direction}.body`, shown);
}

/** The body as text; what is binary, or was too long to be kept, is told by its size. */
function show({ chunks, size }, { type, encoding }, settings) {
  const kind = String(type || '').split(';')[0].trim().toLowerCase();
  const bytes = chunks.length ? unpacked(Buffer.concat(chunks), String(encoding || '').toLowerCase()) : undefined;
  if (!bytes || !TEXTS.test(kind)) return `(${size} bytes)`;
  const body = bytes.toString();
  if (/json(-[\d.]+)?$/.test(kind) || (kind === '' && /^[[{]/.test(body))) return json(JSON.parse(body), settings);
  if (kind.endsWith('x-www-form-urlencoded')) return json(Object.fromEntries(new URLSearchParams(body)), settings);
  return plain(body, settings);
}

function unpacked(bytes, encoding) {
  if (encoding === '' || encoding === 'identity') return bytes;
  const zlib = require('zlib');
  const unpack = { gzip: zlib.gunzipSync, deflate: zlib.inflateSync, br: zlib.brotliDecompressSync }[encoding];
  try {
    return unpack && unpack(bytes, { maxOutputLength: BYTES_MAX });
  } catch {
    return undefined;
  }
}

function put(span, name, text) {
  const { invocation } = span;
  const cut = text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…(+${Buffer.byteLength(text.slice(TEXT_CHARS_MAX))} bytes)` : text;
  const shown = invocation.bodyChars + cut.length <= ROOM_CHARS ? cut : '…';
  invocation.bodyChars += shown.length;
  span.setAttribute(name, shown);
}

module.exports = { BYTES_MAX, Kept, ROOM_CHARS, show, tell };
