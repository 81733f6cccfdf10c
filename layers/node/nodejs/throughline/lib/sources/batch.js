'use strict';
/** Events that are batches of records. Every record is read, never only the first. */

const { getter, parsed } = require('../carriers.js');
const { KEYS_MAX } = require('../invocation.js');

/** A record beyond this is not searched for a trace inside of its data. */
const DATA_CHARS_MAX = 64 << 10;

const lastOf = (arn, by) => String(arn || '').split(by).pop();
const each = (records, read) => records.slice(0, KEYS_MAX).map(read);

function processed(system, destination, count) {
  const attributes = { 'messaging.system': system, 'messaging.operation.type': 'process', 'messaging.batch.message_count': count };
  if (destination) attributes['messaging.destination.name'] = destination;
  return attributes;
}

/** Attributes of SQS (`stringValue`) and SNS (`Value`). */
function attribute(attributes, name) {
  const found = getter(attributes)(name);
  if (!found || typeof found !== 'object') return undefined;
  return found.stringValue || found.StringValue || found.Value || found.binaryValue || found.BinaryValue;
}

function sqs(event) {
  const records = each(event.Records, (record) => {
    const inner = wrapped(record.body);
    const get = (name) => attribute(record.messageAttributes, name) || (name === 'x-amzn-trace-id' && (record.attributes || {}).AWSTraceHeader) || inner.get(name);
    const keys = [`sqs:${record.messageId}`, ...inner.keys];
    if (record.md5OfBody) keys.push(`sqsbody:${record.md5OfBody}`);
    return { get, keys, id: record.messageId };
  });
  return { records, isBatch: true, attributes: processed('aws_sqs', lastOf(event.Records[0].eventSourceARN, ':'), event.Records.length) };
}

/** A queue's message may be what a topic or a bus delivered. */
function wrapped(body) {
  const none = { get: () => undefined, keys: [] };
  if (typeof body !== 'string' || body.length > DATA_CHARS_MAX || !/"TopicArn"|"detail-type"/.test(body)) return none;
  const message = parsed(body);
  if (message && message.TopicArn && message.MessageId) {
    return { get: (name) => attribute(message.MessageAttributes, name), keys: [`sns:${message.MessageId}`] };
  }
  if (message && message['detail-type'] && message.id) return { get: getter(message.detail), keys: [`eb:${message.id}`] };
  return none;
}

function sns(event) {
  const records = each(event.Records, ({ Sns: message }) => ({
    get: (name) => attribute(message.MessageAttributes, name),
    keys: [`sns:${message.MessageId}`],
    id: message.MessageId,
  }));
  const { TopicArn: topic } = event.Records[0].Sns;
  return { records, isBatch: true, attributes: { ...processed('aws.sns', lastOf(topic, ':'), event.Records.length), 'aws.sns.topic.arn': topic } };
}

function kinesis(event) {
  const stream = lastOf(event.Records[0].eventSourceARN, '/');
  const records = each(event.Records, (record) => ({
    get: inData(record.kinesis.data),
    // `shardId-000000000000:SEQUENCE`
    keys: [`kin:${stream}/${String(record.eventID).replace(':', '/')}`],
    id: record.kinesis.sequenceNumber,
  }));
  return { records, isBatch: true, attributes: { ...processed('aws_kinesis', stream, event.Records.length), 'aws.kinesis.stream_name': stream } };
}

/** Data that is JSON may name its trace at its top. */
function inData(data) {
  if (typeof data !== 'string' || data.length > DATA_CHARS_MAX) return () => undefined;
  let get;
  return (name) => {
    if (!get) {
      const text = Buffer.from(data, 'base64').toString();
      get = getter(/traceparent|_datadog|x-amzn-trace-id/i.test(text) ? parsed(text) : undefined);
    }
    return get(name);
  };
}

function dynamodb(event) {
  const { itemKey, keysKey } = require('../dynamo.js');
  const table = (String(event.Records[0].eventSourceARN).split('/')[1] || '');
  const records = each(event.Records, ({ dynamodb: change }) => {
    const image = getter(change.NewImage);
    const get = (name) => (image(name) || {}).S;
    const keys = [keysKey(table, change.Keys)];
    if (change.NewImage) keys.push(itemKey(table, change.NewImage));
    return { get, keys, id: change.SequenceNumber };
  });
  const attributes = { 'faas.document.collection': table, 'aws.dynamodb.table_names': [table], 'messaging.batch.message_count': event.Records.length };
  return { records, isBatch: true, attributes };
}

const OPERATIONS = { ObjectCreated: 'insert', ObjectRemoved: 'delete' };

function s3(event) {
  const records = each(event.Records, (record) => {
    const { bucket, object } = record.s3;
    const key = decoded(object.key);
    const request = (record.responseElements || {})['x-amz-request-id'];
    const keys = request ? [`s3r:${request}`] : [];
    if (object.eTag) keys.push(`s3o:${bucket.name}/${key}/${object.eTag}${object.versionId ? `/${object.versionId}` : ''}`);
    return { keys };
  });
  const [{ s3: first, eventName, eventTime }] = event.Records;
  const attributes = {
    'faas.document.collection': first.bucket.name,
    'faas.document.name': decoded(first.object.key),
    'faas.document.operation': OPERATIONS[String(eventName).replace('s3:', '').split(':')[0]] || 'edit',
    'faas.document.time': eventTime,
    'aws.s3.bucket': first.bucket.name,
  };
  return { records, attributes };
}

function decoded(key) {
  try {
    return decodeURIComponent(String(key).replace(/\+/g, ' '));
  } catch {
    return String(key);
  }
}

function ses(event) {
  const records = each(event.Records, ({ ses: { mail } }) => {
    const headers = {};
    for (const { name, value } of mail.headers || []) headers[name] = value;
    return { get: getter(headers), keys: mail.messageId ? [`ses:${mail.messageId}`] : [], id: mail.messageId };
  });
  return { records };
}

function cloudfront(event) {
  const [{ cf }] = event.Records;
  const headers = getter(cf.request.headers);
  const get = (name) => ((headers(name) || [])[0] || {}).value;
  const attributes = { 'http.request.method': cf.request.method, 'url.path': cf.request.uri };
  return { records: [{ get }], keys: cf.config && cf.config.requestId ? [`cf:${cf.config.requestId}`] : [], attributes };
}

/** Header values are arrays of bytes, some of them written as text, or objects with numbers as keys. */
function bytesText(value) {
  if (value === undefined || value === null || typeof value === 'string') return value;
  const bytes = Array.isArray(value) ? value : Object.keys(value).map((at) => value[at]);
  return Buffer.from(bytes.map(Number)).toString();
}

function kafka(event) {
  const lists = Object.values(event.records).filter(Array.isArray);
  const all = lists.flat();
  const records = each(all, (record) => {
    const headers = getter(Object.assign({}, ...(record.headers || [])));
    return {
      get: (name) => bytesText(headers(name)),
      keys: [`kafka:${record.topic}/${record.partition}/${record.offset}`],
      id: `${record.topic}/${record.partition}/${record.offset}`,
    };
  });
  return { records, isBatch: true, attributes: processed('kafka', (all[0] || {}).topic, all.length) };
}

function rabbitmq(event) {
  const queues = Object.keys(event.rmqMessagesByQueue);
  const all = queues.flatMap((queue) => event.rmqMessagesByQueue[queue] || []);
  const records = each(all, ({ basicProperties: about = {} }) => {
    const headers = getter(about.headers);
    const get = (name) => bytesText((headers(name) || {}).bytes);
    const ids = [about.messageId, about.correlationId].filter(Boolean);
    return { get, keys: ids.map((id) => `mq:${id}`), id: about.messageId || undefined };
  });
  return { records, isBatch: true, attributes: processed('rabbitmq', (queues[0] || '').split('::')[0], all.length) };
}

function activemq(event) {
  const records = each(event.messages, (message) => ({
    get: getter(message.properties),
    keys: [message.messageID, message.correlationId].filter(Boolean).map((id) => `mq:${id}`),
    id: message.messageID,
  }));
  const destination = ((event.messages[0] || {}).destination || {}).physicalName;
  return { records, isBatch: true, attributes: processed('activemq', destination, event.messages.length) };
}

function firehose(event) {
  const records = each(event.records, (record) => {
    const from = record.kinesisRecordMetadata;
    const stream = lastOf(event.sourceKinesisStreamArn, '/');
    const keys = [`fh:${record.recordId}`];
    if (from && stream) keys.push(`kin:${stream}/${from.shardId}/${from.sequenceNumber}`);
    return { get: inData(record.data), keys, id: record.recordId };
  });
  return { records, isBatch: true, attributes: processed('aws_firehose', lastOf(event.deliveryStreamArn, '/'), event.records.length) };
}

function documentdb(event) {
  const records = each(event.events || [], ({ event: change }) => ({ get: getter(change.fullDocument) }));
  const first = ((event.events || [])[0] || {}).event || {};
  const attributes = { 'faas.document.collection': (first.ns || {}).coll, 'faas.document.operation': first.operationType };
  return { records, isBatch: true, attributes };
}

module.exports = { activemq, cloudfront, documentdb, dynamodb, firehose, kafka, kinesis, rabbitmq, s3, ses, sns, sqs };
