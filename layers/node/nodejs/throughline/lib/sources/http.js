'use strict';
/** Events that are HTTP requests. */

const { getter } = require('../carriers.js');
const { lastOf } = require('./enclosed.js');
const { hop, keyOf } = require('./path.js');

/** Reads single and multi-value headers. */
function headersOf(event) {
  const one = getter(event.headers);
  const many = getter(event.multiValueHeaders);
  return (name) => {
    const value = one(name) || many(name);
    return Array.isArray(value) ? value[0] : value;
  };
}

function described(get, facts) {
  const attributes = {
    'http.request.method': facts.method,
    'http.route': facts.route,
    'url.path': facts.path,
    'url.scheme': get('x-forwarded-proto'),
    'server.address': facts.host || get('host'),
    'client.address': facts.client,
    'user_agent.original': get('user-agent'),
    'network.protocol.version': (facts.protocol || '').replace(/^HTTP\//, '') || undefined,
  };
  for (const key in attributes) if (attributes[key] === undefined || attributes[key] === null) delete attributes[key];
  return attributes;
}

const some = (...keys) => keys.filter(Boolean);

/** A context that an authorizer handed over counts where the request itself brought none. */
const handedOver = (get, authorizer) => (name) => get(name) || (name === '_datadog' ? getter(authorizer)(name) : undefined);

/** @param {any} about of a request to an API */
const atApi = (about, time) => hop('api', about.apiId || about.domainName, time, keyOf('apigw', about.requestId));

const http = {
  v1(event) {
    const get = headersOf(event);
    const { requestContext: about } = event;
    const facts = {
      method: event.httpMethod,
      route: event.resource,
      path: event.path,
      host: about.domainName,
      client: (about.identity || {}).sourceIp,
      protocol: about.protocol,
    };
    const keys = some(keyOf('apigw', about.requestId), keyOf('apigw', about.extendedRequestId));
    const record = { get: handedOver(get, about.authorizer), path: atApi(about, about.requestTimeEpoch) };
    return { records: [record], keys, attributes: described(get, facts) };
  },

  v2(event) {
    const get = headersOf(event);
    const { requestContext: about } = event;
    const route = /^\S+ (\/.*)$/.exec(event.routeKey || '');
    const facts = {
      method: about.http.method,
      route: route ? route[1] : undefined,
      path: event.rawPath || about.http.path,
      host: about.domainName,
      client: about.http.sourceIp,
      protocol: about.http.protocol,
    };
    const isUrl = /\.lambda-url\./.test(about.domainName || '');
    const record = { get: handedOver(get, (about.authorizer || {}).lambda), path: atApi(about, about.timeEpoch) };
    const found = { records: [record], keys: some(keyOf('apigw', about.requestId)), attributes: described(get, facts) };
    return isUrl ? { ...found, type: 'function-url' } : found;
  },

  websocket(event) {
    const { requestContext: about } = event;
    const get = headersOf(event);
    const attributes = {
      ...described(get, { route: about.routeKey, host: about.domainName, client: (about.identity || {}).sourceIp }),
      'throughline.event.type': about.eventType,
      'throughline.websocket.connection_id': about.connectionId,
    };
    const keys = some(keyOf('ws', about.connectionId), keyOf('apigw', about.requestId));
    return { records: [{ get, path: atApi(about, about.requestTimeEpoch) }], keys, attributes };
  },

  alb(event) {
    const get = headersOf(event);
    const facts = { method: event.httpMethod, path: event.path, client: (get('x-forwarded-for') || '').split(',')[0] || undefined };
    // `...:targetgroup/NAME/ID`
    const group = String(event.requestContext.elb.targetGroupArn || '').split('/')[1];
    return { records: [{ get, path: hop('balancer', group) }], attributes: described(get, facts) };
  },

  lattice(event) {
    const get = headersOf(event);
    const { requestContext: about = {} } = event;
    const facts = { method: event.method, path: (event.path || '').split('?')[0] };
    const service = lastOf(about.serviceArn || about.serviceNetworkArn, '/');
    return { records: [{ get, path: hop('balancer', service, about.timeEpoch) }], attributes: described(get, facts) };
  },

  authorizer(event) {
    const { requestContext: about = {} } = event;
    // `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/...`
    const [api] = String(event.methodArn || event.routeArn).split(':').slice(5).join(':').split('/');
    const path = atApi({ apiId: api, ...about }, about.requestTimeEpoch || about.timeEpoch);
    return { records: [{ get: headersOf(event), path }], keys: some(keyOf('apigw', about.requestId)) };
  },

  objectLambda(event) {
    const key = keyOf('s3r', event.xAmzRequestId);
    const point = lastOf((event.configuration || {}).accessPointArn, '/');
    return { records: [{ get: getter((event.userRequest || {}).headers), path: hop('bucket', point, undefined, key) }], keys: some(key) };
  },
};

function appsync(event) {
  const one = Array.isArray(event) ? event[0] : event;
  const get = getter(one.request.headers);
  const attributes = { 'graphql.operation.type': String(one.info.parentTypeName || '').toLowerCase(), 'graphql.operation.name': one.info.fieldName };
  const key = keyOf('apigw', get('x-amzn-requestid'));
  return { records: [{ get, path: hop('api', get('host'), undefined, key) }], keys: some(key), attributes };
}

module.exports = { appsync, ...http };
