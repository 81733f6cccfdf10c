'use strict';
/**
 * Ways out that a user has asked for: an attribute of messages, and a member of payloads that are JSON. Inputs are
 * changed in copies, before they are signed and sent. What has no room, has a context already, or is no JSON object goes
 * out as it came.
 */

const NAME = 'traceparent';
/** SQS and SNS take ten; with raw delivery of a topic to a queue what is beyond them is lost with its message. */
const ATTRIBUTES_MAX = 8;
/** Of all that a call sends. The smallest limit of these services is 256 KiB. */
const BYTES_MAX = 240 << 10;
/** What the rest of a message may take. */
const ENVELOPE_BYTES = 256;

/**
 * @param {string} operation
 * @param {any} input
 * @param {string} carrier
 * @param {import('./settings.js').Settings} settings
 * @returns {{service: string, input: any} | undefined} nothing if it goes out as it came
 */
function put(operation, input, carrier, settings) {
  const found = EDITS[operation] && input && typeof input === 'object' ? EDITS[operation](input, carrier, settings) : undefined;
  return found && found.input !== input ? found : undefined;
}

const message = (service, body) => (input, carrier, { attributes }) => {
  if (!attributes.includes(service) || !fits([input[body]], [input])) return undefined;
  return { service, input: withAttribute(input, carrier) };
};

const messages = (service, entries, body) => (input, carrier, { attributes }) => {
  const rows = input[entries];
  if (!attributes.includes(service) || !Array.isArray(rows) || !fits(rows.map((row) => row[body]), rows)) return undefined;
  return { service, input: { ...input, [entries]: rows.map((row) => withAttribute(row, carrier)) } };
};

function withAttribute(one, carrier) {
  const known = one.MessageAttributes || {};
  const names = Object.keys(known);
  if (names.length > ATTRIBUTES_MAX || names.some((name) => name.toLowerCase() === NAME)) return one;
  return { ...one, MessageAttributes: { ...known, [NAME]: { DataType: 'String', StringValue: carrier } } };
}

/** Whether there is room, with what attributes there are. */
function fits(bodies, rows = []) {
  let size = 0;
  for (const body of bodies) size += sizeOf(body) + ENVELOPE_BYTES;
  for (const { MessageAttributes: known = {} } of rows) {
    for (const [name, value] of Object.entries(known || {})) size += name.length + Object.values(value || {}).reduce((sum, part) => sum + sizeOf(part), 0);
  }
  return size <= BYTES_MAX;
}

const sizeOf = (text) => (typeof text === 'string' ? Buffer.byteLength(text) : text instanceof Uint8Array ? text.byteLength : 0);

function events(input, carrier, { payloadContext }) {
  const rows = input.Entries;
  if (!Array.isArray(rows) || !fits(rows.map((row) => row.Detail))) return undefined;
  const changed = rows.map((row) => (payloadContext.includes(`bus:${tail(row.EventBusName || 'default')}`) ? withMember(row, 'Detail', carrier) : row));
  return changed.some((row, at) => row !== rows[at]) ? { service: 'events', input: { ...input, Entries: changed } } : undefined;
}

const isToStream = (input, { payloadContext }) => payloadContext.includes(`stream:${tail(input.StreamName || input.StreamARN)}`);

function record(input, carrier, settings) {
  if (!isToStream(input, settings) || !fits([input.Data])) return undefined;
  return { service: 'kinesis', input: withMember(input, 'Data', carrier) };
}

function records(input, carrier, settings) {
  const rows = input.Records;
  if (!isToStream(input, settings) || !Array.isArray(rows) || !fits(rows.map((row) => row.Data))) return undefined;
  return { service: 'kinesis', input: { ...input, Records: rows.map((row) => withMember(row, 'Data', carrier)) } };
}

function invoke(input, carrier, { payloadContext }) {
  // A name, a name with its alias, or an ARN in any of its lengths.
  const parts = String(input.FunctionName || '').split(':');
  const at = parts.indexOf('function');
  const name = at >= 0 ? parts[at + 1] : parts[0];
  if (!payloadContext.includes(`function:${name}`) || !fits([input.Payload])) return undefined;
  return { service: 'lambda', input: withMember(input, 'Payload', carrier) };
}

function withMember(holder, name, carrier) {
  const changed = inJson(holder[name], carrier);
  return changed === undefined ? holder : { ...holder, [name]: changed };
}

/** The JSON object with one more member, all else as it was. */
function inJson(value, carrier) {
  const text = value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString() : value;
  if (typeof text !== 'string' || !/^\s*\{/.test(text)) return undefined;
  let known;
  try {
    known = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (NAME in known) return undefined;
  const start = text.indexOf('{') + 1;
  const changed = `${text.slice(0, start)}"${NAME}":"${carrier}"${Object.keys(known).length ? ',' : ''}${text.slice(start)}`;
  return value === text ? changed : Buffer.from(changed);
}

const tail = (name) => String(name || '').split('/').pop();

const EDITS = {
  SendMessage: message('sqs', 'MessageBody'),
  SendMessageBatch: messages('sqs', 'Entries', 'MessageBody'),
  Publish: message('sns', 'Message'),
  PublishBatch: messages('sns', 'PublishBatchRequestEntries', 'Message'),
  PutEvents: events,
  PutRecord: record,
  PutRecords: records,
  Invoke: invoke,
};

module.exports = { inJson, put };
