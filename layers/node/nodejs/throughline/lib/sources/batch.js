'use strict';
/** Events that are batches of records. Every record is read, never only the first. */

const { getter, parsed } = require('../carriers.js');
const { KEYS_MAX } = require('../invocation.js');
const { attribute, decoded, enclosed, lastOf, notification, objectHop, objectKeys } = require('./enclosed.js');
const { cameAgain, hop, keyOf } = require('./path.js');

/** A record beyond this is not searched for a trace inside of its data. */
const DATA_CHARS_MAX = 64 << 10;

const each = (records, read) => records.filter((record) => record !== null && typeof record === 'object').slice(0, KEYS_MAX).map(read);
const some = (...keys) => keys.filter(Boolean);

function processed(system, destination, count) {
  const attributes = { 'messaging.system': system, 'messaging.operation.type': 'process', 'messaging.batch.message_count': count };
  if (destination) attributes['messaging.destination.name'] = destination;
  return attributes;
}

function sqs(event) {
  const queue = lastOf(event.Records[0].eventSourceARN, ':');
  const again = [];
  const records = each(event.Records, (record) => {
    const inner = enclosed(record.body);
    const about = record.attributes || {};
    const get = (name) => attribute(record.messageAttributes, name) || (name === 'x-amzn-trace-id' && about.AWSTraceHeader) || inner.get(name);
    const key = keyOf('sqs', record.messageId);
    const path = [...inner.hops, hop('queue', lastOf(record.eventSourceARN, ':'), about.SentTimestamp, key)].join('>');
    again.push(...some(cameAgain(about.ApproximateReceiveCount, key)));
    return { get, keys: some(key, keyOf('sqsbody', record.md5OfBody), ...inner.keys), id: record.messageId, path };
  });
  const attributes = processed('aws_sqs', queue, event.Records.length);
  if (again.length) attributes['throughline.in.again'] = again;
  return { records, isBatch: true, attributes };
}

function sns(event) {
  const records = each(event.Records, ({ Sns: message = {} }) => {
    const { get, hops, keys } = notification(message);
    return { get, keys, id: message.MessageId, path: hops.join('>') };
  });
  const { TopicArn: topic } = event.Records[0].Sns || {};
  return { records, isBatch: true, attributes: { ...processed('aws.sns', lastOf(topic, ':'), event.Records.length), 'aws.sns.topic.arn': topic } };
}

function kinesis(event) {
  const stream = lastOf(event.Records[0].eventSourceARN, '/');
  const records = each(event.Records, ({ eventID, kinesis: about = {} }) => {
    // `shardId-000000000000:SEQUENCE`
    const [shard, number] = String(eventID).split(':');
    const key = keyOf('kin', stream, shard, number);
    return { get: inData(about.data), keys: some(key), id: number, path: hop('stream', stream, about.approximateArrivalTimestamp, key) };
  });
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
  const { itemKey, keysKey } = require('../digest.js');
  const table = (String(event.Records[0].eventSourceARN).split('/')[1] || '');
  const records = each(event.Records, ({ dynamodb: change = {} }) => {
    const image = getter(change.NewImage);
    const get = (name) => (image(name) || {}).S;
    const key = change.Keys ? keysKey(table, change.Keys) : '';
    const item = change.NewImage ? itemKey(table, change.NewImage) : '';
    return { get, keys: some(key, item), id: change.SequenceNumber, path: hop('table', table, change.ApproximateCreationDateTime, key) };
  });
  const operation = CHANGES[event.Records[0].eventName];
  const attributes = { 'faas.document.collection': table, 'faas.document.operation': operation, 'aws.dynamodb.table_names': [table], 'messaging.batch.message_count': event.Records.length };
  return { records, isBatch: true, attributes };
}

const CHANGES = { INSERT: 'insert', MODIFY: 'edit', REMOVE: 'delete' };
const OPERATIONS = { ObjectCreated: 'insert', ObjectRemoved: 'delete' };

function s3(event) {
  const records = each(event.Records, (record) => ({ keys: objectKeys(record), path: objectHop(record) }));
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

function ses(event) {
  const records = each(event.Records, ({ ses: { mail = {} } = {} }) => {
    const headers = {};
    for (const { name, value } of mail.headers || []) headers[name] = value;
    return { get: getter(headers), keys: some(keyOf('ses', mail.messageId)), id: mail.messageId };
  });
  return { records };
}

function cloudfront(event) {
  const [{ cf }] = event.Records;
  const headers = getter(cf.request.headers);
  const get = (name) => ((headers(name) || [])[0] || {}).value;
  const attributes = { 'http.request.method': cf.request.method, 'url.path': cf.request.uri };
  const { distributionId: distribution, requestId } = cf.config || {};
  const key = keyOf('cf', requestId);
  return { records: [{ get, path: hop('balancer', distribution, undefined, key) }], keys: some(key), attributes };
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
    const id = `${record.topic}/${record.partition}/${record.offset}`;
    const key = `kafka:${id}`;
    return { get: (name) => bytesText(headers(name)), keys: [key], id, path: hop('broker', record.topic, record.timestamp, key) };
  });
  return { records, isBatch: true, attributes: processed('kafka', (all[0] || {}).topic, all.length) };
}

function rabbitmq(event) {
  const queues = Object.keys(event.rmqMessagesByQueue);
  const named = queues.flatMap((queue) => (event.rmqMessagesByQueue[queue] || []).map((message) => ({ queue: queue.split('::')[0], message })));
  const records = each(named, ({ queue, message }) => {
    const about = message.basicProperties || {};
    const headers = getter(about.headers);
    const get = (name) => bytesText((headers(name) || {}).bytes);
    const id = about.messageId || about.correlationId || undefined;
    const key = keyOf('mq', id);
    return { get, keys: some(key), id, path: hop('broker', queue, about.timestamp, key) };
  });
  return { records, isBatch: true, attributes: processed('rabbitmq', (queues[0] || '').split('::')[0], named.length) };
}

function activemq(event) {
  const destinationOf = (message) => (message.destination || {}).physicalName;
  const records = each(event.messages, (message) => {
    const key = keyOf('mq', message.messageID);
    const path = hop('broker', destinationOf(message), message.brokerInTime || message.timestamp, key);
    return { get: getter(message.properties), keys: some(key), id: message.messageID, path };
  });
  return { records, isBatch: true, attributes: processed('activemq', destinationOf(event.messages[0] || {}), event.messages.length) };
}

function firehose(event) {
  const delivery = lastOf(event.deliveryStreamArn, '/');
  const stream = lastOf(event.sourceKinesisStreamArn, '/');
  const records = each(event.records, (record) => {
    const from = record.kinesisRecordMetadata;
    const key = keyOf('fh', record.recordId);
    const before = from && stream ? keyOf('kin', stream, from.shardId, from.sequenceNumber) : '';
    const hops = [hop('stream', delivery, record.approximateArrivalTimestamp, key)];
    if (from && stream) hops.unshift(hop('stream', stream, from.approximateArrivalTimestamp, before));
    return { get: inData(record.data), keys: some(key, before), id: record.recordId, path: hops.join('>') };
  });
  return { records, isBatch: true, attributes: processed('aws_firehose', delivery, event.records.length) };
}

function documentdb(event) {
  const all = event.events || [];
  const records = each(all, ({ event: change = {} }) => {
    const { t: seconds } = (change.clusterTime || {}).$timestamp || {};
    const path = hop('table', (change.ns || {}).coll, seconds);
    return { get: getter(change.fullDocument), id: (change._id || {})._data, path };
  });
  const { ns = {}, operationType } = (all[0] || {}).event || {};
  const attributes = { 'db.system.name': 'mongodb', 'faas.document.collection': ns.coll, 'faas.document.operation': operationType, 'messaging.batch.message_count': all.length };
  return { records, isBatch: true, attributes };
}

module.exports = { activemq, cloudfront, documentdb, dynamodb, firehose, kafka, kinesis, rabbitmq, s3, ses, sns, sqs };
