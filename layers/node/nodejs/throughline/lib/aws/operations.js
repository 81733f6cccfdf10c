'use strict';
/** What a call touches, and the keys under which what it sends is known on the other side. */

const { entryKey, itemKey, keysKey } = require('../digest.js');
const { decoded, place } = require('./rest.js');

const last = (text, by) => String(text || '').split(by).pop();
const list = (value) => (Array.isArray(value) ? value : []);
const xmlAll = (text, name) => [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, value]) => value);

const messaging = (system, type, destination) => {
  const attributes = { 'messaging.system': system, 'messaging.operation.type': type };
  if (destination) attributes['messaging.destination.name'] = destination;
  return attributes;
};

/** By the name under which the service's requests are signed. */
const SERVICES = { dynamodb, events, firehose, kinesis, lambda, s3, secretsmanager, sns, sqs, ssm, states };

/**
 * @returns {{attributes?: object, sends?: boolean, keysOf?: (answer: {id?: string, get: Function}) => string[],
 *   keysIn?: (text: string, json: any) => string[]}}
 */
function describe(service, operation, request) {
  const read = SERVICES[service];
  return read ? read(operation, request) : {};
}

function sqs(operation, { json, form }) {
  const url = json.QueueUrl || form.get('QueueUrl');
  const sends = operation === 'SendMessage' || operation === 'SendMessageBatch';
  const type = sends ? 'send' : operation === 'ReceiveMessage' ? 'receive' : 'settle';
  const attributes = messaging('aws_sqs', type, last(url, '/'));
  if (url) attributes['aws.sqs.queue.url'] = url;
  const entries = list(json.Entries).length;
  if (entries) attributes['messaging.batch.message_count'] = entries;
  const sent = ({ MessageId: id, MD5OfMessageBody: md5 }) => (id ? [`sqs:${id}`, ...(md5 ? [`sqsbody:${md5}`] : [])] : []);
  const keysIn = (text, answer) => (text.startsWith('<') ? xmlAll(text, 'MessageId').map((id) => `sqs:${id}`) : [...sent(answer), ...list(answer.Successful).flatMap(sent)]);
  return { attributes, sends, keysIn: sends ? keysIn : undefined };
}

function sns(operation, { form, json }) {
  const topic = form.get('TopicArn') || form.get('TargetArn') || json.TopicArn;
  const sends = operation === 'Publish' || operation === 'PublishBatch';
  const attributes = sends ? messaging('aws.sns', 'send', last(topic, ':')) : {};
  if (topic) attributes['aws.sns.topic.arn'] = topic;
  const keysIn = (text) => xmlAll(text, 'MessageId').map((id) => `sns:${id}`);
  return { attributes, sends, keysIn: sends ? keysIn : undefined };
}

function events(operation, { json }) {
  if (operation !== 'PutEvents') return {};
  const entries = list(json.Entries);
  const bus = last((entries[0] || {}).EventBusName || 'default', '/');
  const attributes = { ...messaging('aws_eventbridge', 'send', bus), 'messaging.batch.message_count': entries.length };
  // The answer has an entry for each that was sent, in the same order.
  const keysIn = (text, answer) => list(answer.Entries).flatMap(({ EventId: id }, at) => (id ? [`eb:${id}`, entryKey(entries[at])].filter(Boolean) : []));
  return { attributes, sends: true, keysIn };
}

function kinesis(operation, { json }) {
  const stream = json.StreamName || last(json.StreamARN, '/');
  const sends = operation === 'PutRecord' || operation === 'PutRecords';
  const attributes = sends ? messaging('aws_kinesis', 'send', stream) : {};
  if (stream) attributes['aws.kinesis.stream_name'] = stream;
  const key = ({ ShardId: shard, SequenceNumber: number }) => (number ? [`kin:${stream}/${shard}/${number}`] : []);
  const keysIn = (text, answer) => [...key(answer), ...list(answer.Records).flatMap(key)];
  return { attributes, sends, keysIn: sends ? keysIn : undefined };
}

function firehose(operation, { json }) {
  const sends = operation === 'PutRecord' || operation === 'PutRecordBatch';
  if (!sends) return {};
  const key = ({ RecordId: id }) => (id ? [`fh:${id}`] : []);
  const keysIn = (text, answer) => [...key(answer), ...list(answer.RequestResponses).flatMap(key)];
  return { attributes: messaging('aws_firehose', 'send', json.DeliveryStreamName), sends, keysIn };
}

function dynamodb(operation, { json }) {
  const changes = list(json.TransactItems).flatMap((item) => Object.values(item));
  const batch = json.RequestItems && typeof json.RequestItems === 'object' ? json.RequestItems : {};
  const tables = [...new Set([json.TableName, ...Object.keys(batch), ...changes.map((change) => change.TableName)].filter(Boolean).map((name) => last(name, '/')))];
  const attributes = { 'db.system.name': 'aws.dynamodb', 'db.operation.name': operation };
  if (tables.length) attributes['aws.dynamodb.table_names'] = tables;
  if (tables.length === 1) attributes['db.collection.name'] = tables[0];
  if (json.IndexName) attributes['aws.dynamodb.index_name'] = json.IndexName;
  const writes = [];
  const write = (table, { Key: key, Item: item }) => {
    if (key) writes.push(keysKey(last(table, '/'), key));
    if (item) writes.push(itemKey(last(table, '/'), item));
  };
  if (/^(Put|Update|Delete)Item$/.test(operation)) write(json.TableName, json);
  if (operation === 'TransactWriteItems') changes.forEach((change) => write(change.TableName, change));
  if (operation === 'BatchWriteItem') {
    for (const [table, requests] of Object.entries(batch)) list(requests).forEach((one) => Object.values(one).forEach((change) => write(table, change)));
  }
  return { attributes, keysOf: () => writes };
}

const S3_WRITES = /^(PutObject|CopyObject|CompleteMultipartUpload|DeleteObjects?)$/;

function s3(operation, { path, host }) {
  const { bucket, key } = place({ path, host });
  const attributes = {};
  if (bucket) attributes['aws.s3.bucket'] = bucket;
  if (key) attributes['aws.s3.key'] = key;
  if (!S3_WRITES.test(operation)) return { attributes };
  const keysOf = ({ id, get }) => {
    const tag = String(get('etag') || '').replace(/"/g, '');
    const version = get('x-amz-version-id');
    return [...(id ? [`s3r:${id}`] : []), ...(tag ? [`s3o:${bucket}/${key}/${tag}${version ? `/${version}` : ''}`] : [])];
  };
  return { attributes, keysOf };
}

function lambda(operation, { path, region }) {
  const named = /\/functions\/([^/?]+)\//.exec(path);
  if (!/^Invoke/.test(operation) || !named) return {};
  // A name, a name with its alias, or an ARN in any of its lengths.
  const parts = decoded(named[1]).split(':');
  const at = parts.indexOf('function');
  const attributes = { 'faas.invoked_name': at >= 0 ? parts[at + 1] : parts[0], 'faas.invoked_provider': 'aws', 'faas.invoked_region': region };
  return { attributes, keysOf: ({ id }) => (id ? [`lam:${id}`] : []) };
}

function states(operation, { json }) {
  const attributes = {};
  if (json.stateMachineArn) attributes['aws.step_functions.state_machine.arn'] = json.stateMachineArn;
  if (json.activityArn) attributes['aws.step_functions.activity.arn'] = json.activityArn;
  const starts = operation === 'StartExecution' || operation === 'StartSyncExecution';
  return { attributes, keysIn: starts ? (text, answer) => (answer.executionArn ? [`sfn:${answer.executionArn}`] : []) : undefined };
}

function secretsmanager(operation, { json }) {
  return { attributes: json.SecretId ? { 'aws.secretsmanager.secret.arn': json.SecretId } : {} };
}

function ssm(operation, { json }) {
  const name = json.Name || json.Path || list(json.Names).join(',');
  return { attributes: name ? { 'aws.ssm.parameter': name } : {} };
}

module.exports = { describe };
