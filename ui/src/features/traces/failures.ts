/** What went wrong in a span, gathered from the places where it may be written. */
import type { Attributes, Log, Span } from '../../api/model';

export interface Failure {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  /** The line of the function's own code, where a layer or the SDK tells it. */
  readonly place: { readonly file: string; readonly line: number; readonly name: string } | null;
}

/** Exceptions recorded as events, then those in its logs, then the bare status. */
export function failuresOf(span: Span, logs: readonly Log[]): readonly Failure[] {
  const found: Failure[] = [];
  for (const event of span.events) {
    if (event.name === 'exception') add(found, exceptionIn(event.attributes));
  }
  for (const log of logs) add(found, exceptionIn(log.attributes) ?? lambdaErrorIn(log));
  if (found.length === 0 && span.status === 'error') {
    found.push({
      type: text(span.attributes['error.type']),
      message: span.statusMessage,
      stack: '',
      place: placeIn(span.attributes),
    });
  }
  return found;
}

function exceptionIn(attributes: Attributes): Failure | null {
  const failure = {
    type: text(attributes['exception.type']),
    message: text(attributes['exception.message']),
    stack: text(attributes['exception.stacktrace']).trimEnd(),
    place: placeIn(attributes),
  };
  return failure.type === '' && failure.message === '' && failure.stack === '' ? null : failure;
}

/** What a runtime client prints when a handler throws. */
function lambdaErrorIn(log: Log): Failure | null {
  const { body } = log;
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return null;
  const record = body as Attributes;
  const type = text(record['errorType']);
  const message = text(record['errorMessage']);
  if (type === '' && message === '') return null;
  const lines = record['stackTrace'] ?? record['stack'];
  const stack = Array.isArray(lines) ? lines.map(text).join('\n') : text(lines);
  return { type, message, stack: stack.trimEnd(), place: null };
}

function placeIn(attributes: Attributes): Failure['place'] {
  const file = text(attributes['code.file.path']);
  const line = Number(attributes['code.line.number'] ?? Number.NaN);
  const name = text(attributes['code.function.name']);
  return file === '' || Number.isNaN(line) ? null : { file, line, name };
}

/** The same exception is often written twice, as an event and as a log: the fuller one stays. */
function add(found: Failure[], failure: Failure | null): void {
  if (failure === null) return;
  const same = found.findIndex((other) => alike(other, failure));
  if (same === -1) found.push(failure);
  else {
    const held = found[same]!;
    const fuller = failure.stack.length > held.stack.length ? failure : held;
    found[same] = { ...fuller, place: held.place ?? failure.place };
  }
}

function alike(a: Failure, b: Failure): boolean {
  return a.message === b.message && lastWord(a.type) === lastWord(b.type);
}

/** `botocore.errorfactory.NotFound` and `NotFound` are the same type. */
function lastWord(type: string): string {
  return type.slice(Math.max(type.lastIndexOf('.'), type.lastIndexOf(':')) + 1);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
