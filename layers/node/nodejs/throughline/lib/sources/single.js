'use strict';
/** Events that are one thing, and no HTTP request. */

const { getter } = require('../carriers.js');
const { onBus } = require('./enclosed.js');
const { hop, keyOf } = require('./path.js');

function eventbridge(event) {
  const attributes = { 'messaging.system': 'aws_eventbridge', 'messaging.operation.type': 'process', 'throughline.event.source': event.source, 'throughline.event.type': event['detail-type'] };
  if (event['replay-name']) attributes['throughline.event.replay'] = event['replay-name'];
  const { hops, keys } = onBus(event);
  return { records: [{ get: getter(event.detail), path: hops.join('>') }], keys, attributes };
}

function schedule(event) {
  const rule = Array.isArray(event.resources) ? event.resources[0] : undefined;
  const attributes = { 'faas.time': event.time };
  if (rule) attributes['throughline.schedule'] = rule;
  const { hops, keys } = onBus(event);
  return { records: [{ get: getter(event.detail), path: hops.join('>') }], keys, attributes };
}

function cognito(event) {
  const get = getter((event.request || {}).clientMetadata);
  return { records: [{ get }], attributes: { 'throughline.event.type': event.triggerSource } };
}

/** The context object of a state machine, if its definition passes it, at the top or one below. */
function executionOf(event) {
  const is = (about) => about && typeof about === 'object' && about.Execution && /:execution:|:express:/.test(about.Execution.Id || '');
  if (is(event)) return event;
  return is(event.Context) ? event.Context : is(event.Payload) ? event.Payload : undefined;
}

function stepFunctions(event) {
  const { Execution: execution, State: state, StateMachine: machine } = executionOf(event);
  const attributes = { 'aws.step_functions.execution.arn': execution.Id };
  if (state && state.Name) attributes['aws.step_functions.state.name'] = state.Name;
  const key = keyOf('sfn', execution.Id);
  // `...:execution:MACHINE:NAME`
  const name = (machine && machine.Name) || execution.Id.split(':')[6];
  return { records: [{ get: getter(event), path: hop('workflow', name, execution.StartTime, key) }], keys: [key], attributes };
}

/** The outcome of an invocation that nobody waited for, delivered to this function. */
function destination(event) {
  const key = keyOf('lam', event.requestContext.requestId);
  return { keys: key ? [key] : [] };
}

/** Operations may carry what Datadog's tracer kept there for the next invocation. */
function durable(event) {
  const operations = (event.InitialExecutionState || {}).Operations || [];
  const kept = operations.find((operation) => /^_datadog_\d+$/.test(operation.Name || ''));
  const payload = kept && (kept.Payload || (kept.StepDetails || {}).Result);
  return { records: [{ get: getter(payload ? { _datadog: payload } : {}) }], attributes: { 'throughline.durable.execution': event.DurableExecutionArn } };
}

module.exports = { cognito, destination, durable, eventbridge, executionOf, schedule, stepFunctions };
