'use strict';
/** A layer in this process, whose spans end up here. */

const { Layer } = require('../../nodejs/throughline/lib/layer.js');
const { readSettings } = require('../../nodejs/throughline/lib/settings.js');
const { Intake } = require('./intake.js');

/** Hooks are put once into a process. */
function layered(env = {}) {
  const intake = new Intake();
  const sender = { isOff: false, open() {}, send: (body) => intake.keep(JSON.parse(body)) };
  const layer = new Layer(readSettings({ AWS_LAMBDA_FUNCTION_NAME: 'shop', AWS_REGION: 'us-east-1', ...env }), sender);
  layer.install();
  return { layer, intake };
}

let requests = 0;

/** One invocation of `handler`; gives its result and the spans that it made, the invocation's first. */
async function invoke({ layer, intake }, handler, event = {}, more = {}) {
  intake.spans.length = 0;
  const context = {
    awsRequestId: `00000000-0000-4000-8000-${String(++requests).padStart(12, '0')}`,
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:shop',
    xRayTraceId: 'Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=0;Lineage=1:a:0',
    getRemainingTimeInMillis: () => 3_000,
    ...more,
  };
  let result;
  let error;
  try {
    result = await layer.wrap(handler)(event, context);
  } catch (thrown) {
    error = thrown;
  }
  const [span, ...children] = intake.spans;
  return { result, error, span, children };
}

module.exports = { invoke, layered };
