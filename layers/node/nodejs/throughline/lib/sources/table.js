'use strict';
/** The event sources, each with how its events are recognised and read. The first that recognises an event reads it. */

/** A reader is loaded with the first event that is for it. */
const batch = (name) => (event) => require('./batch.js')[name](event);
const http = (name) => (event) => require('./http.js')[name](event);
const single = (name) => (event) => require('./single.js')[name](event);

const source = (name) => (event) => {
  const first = Array.isArray(event.Records) ? event.Records[0] : undefined;
  return Boolean(first) && (first.eventSource === name || first.EventSource === name);
};
const has = (...names) => (event) => names.every((name) => event[name] !== undefined && event[name] !== null);

/** A batch resolver gets an array of the events that a resolver gets. */
function resolved(event) {
  const one = Array.isArray(event) ? event[0] : event;
  return one && one.info && one.info.fieldName && one.request;
}

/** Whether it may have the context object of a state machine, at the top or one below. */
const hasExecution = (event) => Boolean(event.Execution || event.Context || event.Payload) && Boolean(require('./single.js').executionOf(event));

/**
 * @type {{type: string, trigger: 'http'|'pubsub'|'datasource'|'timer'|'other', is: (event: any) => boolean,
 *   read: (event: any) => {records?: {get?: Function, keys?: string[], id?: string, path?: string}[], isBatch?: boolean, keys?: string[],
 *   attributes?: Record<string, unknown>, trigger?: string, type?: string}}[]}
 */
const TABLE = [
  { type: 'sqs', trigger: 'pubsub', is: source('aws:sqs'), read: batch('sqs') },
  { type: 'sns', trigger: 'pubsub', is: source('aws:sns'), read: batch('sns') },
  { type: 'kinesis', trigger: 'datasource', is: source('aws:kinesis'), read: batch('kinesis') },
  { type: 'dynamodb', trigger: 'datasource', is: source('aws:dynamodb'), read: batch('dynamodb') },
  { type: 's3', trigger: 'datasource', is: source('aws:s3'), read: batch('s3') },
  { type: 'ses', trigger: 'other', is: source('aws:ses'), read: batch('ses') },
  { type: 'cloudfront', trigger: 'http', is: (event) => Array.isArray(event.Records) && Boolean(event.Records[0] && event.Records[0].cf), read: batch('cloudfront') },
  { type: 'kafka', trigger: 'pubsub', is: (event) => /kafka/i.test(event.eventSource || '') && Boolean(event.records), read: batch('kafka') },
  { type: 'rabbitmq', trigger: 'pubsub', is: has('rmqMessagesByQueue'), read: batch('rabbitmq') },
  { type: 'activemq', trigger: 'pubsub', is: (event) => event.eventSource === 'aws:mq' && Array.isArray(event.messages), read: batch('activemq') },
  { type: 'firehose', trigger: 'datasource', is: has('deliveryStreamArn', 'records'), read: batch('firehose') },
  { type: 'documentdb', trigger: 'datasource', is: (event) => event.eventSource === 'aws:docdb', read: batch('documentdb') },
  { type: 'authorizer', trigger: 'http', is: (event) => Boolean(event.methodArn || event.routeArn), read: http('authorizer') },
  { type: 'lattice', trigger: 'http', is: (event) => Boolean(event.requestContext && event.requestContext.serviceNetworkArn), read: http('lattice') },
  { type: 'alb', trigger: 'http', is: (event) => Boolean(event.requestContext && event.requestContext.elb), read: http('alb') },
  { type: 'websocket', trigger: 'http', is: (event) => Boolean(event.requestContext && event.requestContext.connectionId), read: http('websocket') },
  { type: 'http-api', trigger: 'http', is: (event) => Boolean(event.requestContext && event.requestContext.http), read: http('v2') },
  { type: 'rest-api', trigger: 'http', is: (event) => Boolean(event.requestContext && event.httpMethod), read: http('v1') },
  { type: 'appsync', trigger: 'http', is: (event) => Boolean(resolved(event)), read: http('appsync') },
  { type: 's3-object-lambda', trigger: 'http', is: has('userRequest', 'getObjectContext'), read: http('objectLambda') },
  { type: 'cognito', trigger: 'other', is: has('triggerSource', 'userPoolId'), read: single('cognito') },
  { type: 'schedule', trigger: 'timer', is: (event) => event['detail-type'] === 'Scheduled Event' || event.source === 'aws.scheduler', read: single('schedule') },
  { type: 'eventbridge', trigger: 'pubsub', is: has('detail-type', 'source'), read: single('eventbridge') },
  { type: 'logs', trigger: 'datasource', is: (event) => Boolean(event.awslogs && event.awslogs.data), read: () => ({}) },
  { type: 'durable', trigger: 'other', is: has('DurableExecutionArn'), read: single('durable') },
  { type: 'destination', trigger: 'pubsub', is: (event) => Boolean(event.requestContext && event.requestContext.condition), read: single('destination') },
  { type: 'step-functions', trigger: 'other', is: (event) => hasExecution(event), read: single('stepFunctions') },
];

module.exports = { TABLE };
