'use strict';
/** What the environment says to the layer. */

const PORT = 4318;
const PAYLOAD_MODES = ['off', 'metadata', 'on-error', 'all'];

/**
 * @typedef {object} Settings
 * @property {string} host where the extension listens
 * @property {number} port
 * @property {string} functionName
 * @property {string} service the name that spans are filed under
 * @property {string} region
 * @property {'off'|'metadata'|'on-error'|'all'} payloads
 * @property {boolean} bodies whether what calls send and are answered is kept
 * @property {string[]} attributes the services whose messages get an attribute that carries the trace
 * @property {string[]} payloadContext the destinations whose payloads get a member that does, as `bus:orders`
 * @property {boolean} sqlcommenter whether queries end with a comment that does
 * @property {boolean} logIds whether log lines say their span
 * @property {(name: string) => boolean} hook whether a hook is on
 */

/**
 * @param {Record<string, string | undefined>} env
 * @returns {Settings}
 */
function readSettings(env) {
  const off = words(env.THROUGHLINE_HOOKS_OFF);
  const functionName = env.AWS_LAMBDA_FUNCTION_NAME || '';
  const payloads = (env.THROUGHLINE_PAYLOADS || '').trim().toLowerCase();
  return {
    ...listener(env),
    functionName,
    service: env.OTEL_SERVICE_NAME || functionName || 'unknown_service:node',
    region: env.AWS_REGION || '',
    payloads: PAYLOAD_MODES.includes(payloads) ? payloads : 'metadata',
    secretKeys: words(env.THROUGHLINE_SCRUB_KEYS),
    allowedKeys: words(env.THROUGHLINE_SCRUB_ALLOW),
    bodies: payloads === 'on-error' || payloads === 'all',
    attributes: words(env.THROUGHLINE_ATTRIBUTES),
    payloadContext: (env.THROUGHLINE_PAYLOAD_CONTEXT || '').split(',').map((word) => word.trim()).filter(Boolean),
    sqlcommenter: (env.THROUGHLINE_SQLCOMMENTER || '').trim().toLowerCase() === 'on',
    logIds: ['on', '1', 'true'].includes((env.THROUGHLINE_LOG_IDS || '').trim().toLowerCase()),
    hook: (name) => !off.includes(name) && !off.includes('all'),
  };
}

/** The extension's own variable; else OpenTelemetry's, if it is an address of this machine. */
function listener(env) {
  const own = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d+)$/.exec((env.THROUGHLINE_OTLP_LISTEN || '').trim());
  const theirs = /^http:\/\/(127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d+)/.exec(env.OTEL_EXPORTER_OTLP_ENDPOINT || '');
  const [, host, port] = own || theirs || [null, '127.0.0.1', PORT];
  return { host: host === 'localhost' ? '127.0.0.1' : host.replace(/[[\]]/g, ''), port: Number(port) };
}

function words(text) {
  return (text || '').toLowerCase().split(',').map((word) => word.trim()).filter(Boolean);
}

module.exports = { readSettings };
