'use strict';
/** What was thrown, by OpenTelemetry's names, with the line of the function's own code. */

const path = require('path');

const LAYER = path.dirname(__dirname) + path.sep;
const CAUSES_MAX = 8;
const STACK_CHARS_MAX = 16_384;
const FRAMES_MAX = 50;

const typeOf = (error) => (error instanceof Error ? String(error.name || error.constructor.name) : error === null ? 'null' : typeof error);

function messageOf(error) {
  if (error instanceof Error) return String(error.message);
  if (error && typeof error === 'object' && 'message' in error) return String(error.message);
  try {
    return typeof error === 'string' ? error : String(JSON.stringify(error));
  } catch {
    return String(error);
  }
}

/** Attributes of an exception event. */
function describe(error) {
  if (typeof error === 'string') return { 'exception.message': error };
  const attributes = { 'exception.type': typeOf(error), 'exception.message': messageOf(error) };
  if (error && typeof error.stack === 'string') {
    const stack = withoutLayer(error.stack);
    attributes['exception.stacktrace'] = (stack + causes(error)).slice(0, STACK_CHARS_MAX);
    Object.assign(attributes, position(stack));
  }
  return attributes;
}

function causes(error) {
  let text = '';
  const seen = new Set([error]);
  let cause = error.cause;
  for (let n = 0; n < CAUSES_MAX && cause !== undefined && cause !== null && !seen.has(cause); n++) {
    seen.add(cause);
    const stack = typeof cause.stack === 'string' ? withoutLayer(cause.stack) : `${typeOf(cause)}: ${messageOf(cause)}`;
    text += `\nCaused by: ${stack}`;
    cause = cause.cause;
  }
  return text;
}

/** The stack without the frames of the layer. */
function withoutLayer(stack) {
  if (!stack.includes(LAYER)) return stack;
  return stack.split('\n').filter((line) => !(line.includes(LAYER) && /^\s+at /.test(line))).join('\n');
}

/** Takes the layer's frames out of what the runtime will print and answer. */
function clean(error) {
  try {
    if (error instanceof Error && typeof error.stack === 'string' && error.stack.includes(LAYER)) {
      error.stack = withoutLayer(error.stack);
    }
  } catch {
    // A stack that cannot be written stays.
  }
}

/** Where the function's own code threw, or called what threw: the first frame that is neither Node's nor a package's. */
function position(stack) {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line)).slice(0, FRAMES_MAX).map(frame).filter(Boolean);
  const own = frames.find(({ file }) => !isForeign(file)) || frames.find(({ file }) => !file.startsWith('node:'));
  if (!own) return {};
  const mapped = original(own) || own;
  const attributes = { 'code.file.path': mapped.file, 'code.line.number': mapped.line };
  if (mapped.name || own.name) attributes['code.function.name'] = mapped.name || own.name;
  return attributes;
}

/** `    at async Object.name [as x] (file:///a/b.js:1:2)` */
function frame(line) {
  const match = /^\s+at (?:async )?(?:(.*?) \()?(.+?):(\d+):(\d+)\)?$/.exec(line);
  if (!match) return undefined;
  const file = match[2].startsWith('file://') ? decodeURIComponent(match[2].slice('file://'.length)) : match[2];
  return { name: (match[1] || '').replace(/ \[as .*\]$/, '').replace(/^new /, ''), file, line: Number(match[3]), column: Number(match[4]) };
}

function isForeign(file) {
  return file.startsWith('node:') || file.includes('/node_modules/') || file.startsWith('/var/runtime/') || file.includes(LAYER);
}

function original(frame) {
  try {
    return require('./sourcemap.js').original(frame);
  } catch {
    return undefined;
  }
}

module.exports = { clean, describe, frame, messageOf, position, typeOf };
