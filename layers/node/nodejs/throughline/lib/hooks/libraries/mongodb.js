'use strict';

const faults = require('../../faults.js');
const { KIND } = require('../../span.js');
const { settled, wrap } = require('../client.js');

const METHODS = ['insertOne', 'insertMany', 'updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany', 'findOne',
  'findOneAndUpdate', 'findOneAndReplace', 'findOneAndDelete', 'countDocuments', 'estimatedDocumentCount', 'distinct', 'bulkWrite'];
const CURSORS = [['FindCursor', 'find'], ['AggregationCursor', 'aggregate']];
/** What everything else that reads a cursor is made of: `forEach`, `for await` and streams. */
const STEPS = ['next', 'tryNext', 'hasNext'];

/** @param {import('../../layer.js').Layer} layer */
function install(layer, mongodb) {
  /** Cursors that are read by `toArray`, which takes the same steps. */
  const whole = new WeakSet();
  const follow = (target, name, operationOf, place) => wrap('mongodb', target, name, (original) => function (...args) {
    const span = faults.guard('mongodb', () => begin(layer, operationOf(this), place(this)));
    const result = original.apply(this, args);
    if (!span) return result;
    if (result && typeof result.then === 'function') return settled(span, result);
    span.end();
    return result;
  });
  const { prototype } = mongodb.Collection || {};
  for (const name of METHODS) follow(prototype, name, () => name, (collection) => ({ database: collection.dbName, collection: collection.collectionName }));
  for (const [cursor, operation] of CURSORS) {
    const kind = mongodb[cursor] && mongodb[cursor].prototype;
    const place = ({ namespace = {} }) => ({ database: namespace.db, collection: namespace.collection });
    wrap('mongodb', kind, 'toArray', (original) => async function (...args) {
      whole.add(this);
      try {
        return await original.apply(this, args);
      } finally {
        whole.delete(this);
      }
    });
    follow(kind, 'toArray', () => operation, place);
    for (const step of STEPS) follow(kind, step, (cursor) => (whole.has(cursor) ? undefined : asked(cursor, operation)), place);
  }
}

/** What a step asks the server for, if it does: most of them take what is here already. */
function asked(cursor, operation) {
  if (cursor.closed || cursor.bufferedCount() > 0) return undefined;
  const { id } = cursor;
  if (!id) return operation;
  // The server has no more of it.
  return id.isZero() ? undefined : 'getMore';
}

function begin(layer, operation, { database, collection }) {
  const span = operation && layer.span(collection ? `${operation} ${collection}` : operation, KIND.CLIENT);
  if (!span) return undefined;
  span.setAttributes({ 'db.system.name': 'mongodb', 'db.operation.name': operation, 'db.namespace': database, 'db.collection.name': collection });
  return span;
}

module.exports = { install };
