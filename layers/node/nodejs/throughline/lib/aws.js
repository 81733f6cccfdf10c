'use strict';
/**
 * Which operation of AWS a request is, from the request alone: AWS's own signature names service and region, at AWS and
 * at whatever stands in for it, in bundled code and in any SDK.
 */

const { KIND } = require('./span.js');
const { parsed } = require('./carriers.js');

const SIGNED = /Credential=[^/,]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/;
/** What is signed for these is somebody's own API, or too much like HTTP to be anything else. */
const FOREIGN = new Set(['execute-api', 'vpc-lattice-svcs', 'es', 'aoss', 'appsync']);
const BODY_CHARS_MAX = 256 << 10;
const NAMES = {
  dynamodb: 'DynamoDB', sqs: 'SQS', sns: 'SNS', events: 'EventBridge', kinesis: 'Kinesis', firehose: 'Firehose', s3: 'S3',
  lambda: 'Lambda', states: 'SFN', secretsmanager: 'SecretsManager', ssm: 'SSM', kms: 'KMS', sts: 'STS', monitoring: 'CloudWatch',
  logs: 'CloudWatchLogs', ses: 'SES', scheduler: 'Scheduler', iot: 'IoT', iotdata: 'IoTDataPlane', 'cognito-idp': 'CognitoIdentityProvider',
};

/**
 * @param {import('./call.js').Request} request
 */
function recognise(request) {
  const signed = signature(request);
  if (!signed || FOREIGN.has(signed.service) || /\.lambda-url\./.test(request.host)) return undefined;
  const { describe } = require('./aws/operations.js');
  const { service, region } = signed;
  const name = NAMES[service] || service;
  const sent = contents(request, service);
  const method = operationOf(request, service, sent);
  const found = describe(service, method, { ...request, ...sent, region });
  return {
    name: `${name}.${method}`,
    kind: found.sends ? KIND.PRODUCER : KIND.CLIENT,
    attributes: {
      'rpc.system': 'aws-api',
      'rpc.system.name': 'aws-api',
      'rpc.service': name,
      'rpc.method': method,
      'cloud.region': region,
      ...found.attributes,
    },
    reads: Boolean(found.keysIn),
    keysOf: found.keysOf || (() => []),
    keysIn: (text) => (found.keysIn ? found.keysIn(text, parsed(text) || {}) : []),
  };
}

function signature({ get, path, host }) {
  const inHeader = SIGNED.exec(String(get('authorization') || ''));
  const inQuery = inHeader ? undefined : SIGNED.exec(/X-Amz-Credential=/.test(path) ? decodeURIComponent(path.replace('X-Amz-Credential', 'Credential')) : '');
  const found = inHeader || inQuery;
  if (found) return { region: found[1], service: found[2] };
  const named = /^(?:[^.]+\.)?(sts|cognito-idp|cognito-identity)\.([a-z0-9-]+)\.amazonaws\.com/.exec(host);
  return named ? { service: named[1], region: named[2] } : undefined;
}

/** What the request says: `json`, or `form` of the older protocol. */
function contents({ body, get }) {
  if (body === undefined || body.length > BODY_CHARS_MAX) return { json: {}, form: new Map() };
  const type = String(get('content-type') || '');
  const text = () => (typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  if (type.includes('json')) return { json: parsed(text()) || {}, form: new Map() };
  if (type.includes('x-www-form-urlencoded')) return { json: {}, form: new Map(new URLSearchParams(text())) };
  return { json: {}, form: new Map() };
}

function operationOf({ get, path, method }, service, { form }) {
  const target = get('x-amz-target');
  if (target) return String(target).split('.').pop();
  if (form.has('Action')) return form.get('Action');
  const rpc = /^\/service\/[^/]+\/operation\/([^/?]+)/.exec(path);
  if (rpc) return rpc[1];
  const { rest } = require('./aws/rest.js');
  return rest(service, method, path, get) || method;
}

/** What an error answer says, in JSON or XML. */
function errorOf(header, text) {
  const json = parsed(text) || {};
  const xml = (name) => (new RegExp(`<${name}>([^<]*)</${name}>`).exec(text) || [])[1];
  const type = header || json.__type || json.code || xml('Code');
  const message = json.message || json.Message || xml('Message');
  return { type: type && String(type).split('#').pop().split(':')[0], message };
}

module.exports = { errorOf, recognise };
