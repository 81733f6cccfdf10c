'use strict';
/** Events that are HTTP requests. */

const { getter } = require('../carriers.js');

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

const key = (kind, value) => (value ? [`${kind}:${value}`] : []);

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
    const keys = [...key('apigw', about.requestId), ...key('apigw', about.extendedRequestId)];
    return { records: [{ get }], keys, attributes: described(get, facts) };
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
    const found = { records: [{ get }], keys: key('apigw', about.requestId), attributes: described(get, facts) };
    return isUrl ? { ...found, type: 'function-url' } : found;
  },

  websocket(event) {
    const { requestContext: about } = event;
    const get = headersOf(event);
    const attributes = { 'http.route': about.routeKey, 'server.address': about.domainName };
    return { records: [{ get }], keys: [...key('ws', about.connectionId), ...key('apigw', about.requestId)], attributes };
  },

  alb(event) {
    const get = headersOf(event);
    const facts = { method: event.httpMethod, path: event.path, client: (get('x-forwarded-for') || '').split(',')[0] || undefined };
    return { records: [{ get }], attributes: described(get, facts) };
  },

  lattice(event) {
    const get = headersOf(event);
    const facts = { method: event.method, path: (event.path || '').split('?')[0] };
    return { records: [{ get }], attributes: described(get, facts) };
  },

  authorizer(event) {
    return { records: [{ get: headersOf(event) }], keys: key('apigw', (event.requestContext || {}).requestId) };
  },

  objectLambda(event) {
    return { records: [{ get: getter(event.userRequest.headers) }], keys: key('s3r', event.xAmzRequestId) };
  },
};

/** A batch resolver gets an array of the events that a resolver gets. */
const appsync = {
  first(event) {
    const one = Array.isArray(event) ? event[0] : event;
    return one && one.info && one.info.fieldName && one.request ? one : undefined;
  },
  read(event) {
    const one = appsync.first(event);
    const get = getter(one.request.headers);
    const attributes = { 'graphql.operation.type': String(one.info.parentTypeName || '').toLowerCase(), 'graphql.operation.name': one.info.fieldName };
    return { records: [{ get }], keys: key('apigw', get('x-amzn-requestid')), attributes };
  },
};

module.exports = { appsync, http };
