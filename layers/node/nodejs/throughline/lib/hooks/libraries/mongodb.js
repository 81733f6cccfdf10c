'use strict';

const faults = require('../../faults.js');
const { KIND } = require('../../span.js');
const { settled, wrap } = require('../client.js');

const METHODS = ['insertOne', 'insertMany', 'updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany', 'findOne',
  'findOneAndUpdate', 'findOneAndReplace', 'findOneAndDelete', 'countDocuments', 'estimatedDocumentCount', 'distinct', 'bulkWrite'];

/** @param {import('../../layer.js').Layer} layer */
function install(layer, mongodb) {
  const follow = (target, name, operation, place) => wrap('mongodb', target, name, (original) => function (...args) {
    const span = faults.guard('mongodb', () => begin(layer, operation, place(this)));
    const result = original.apply(this, args);
    if (!span) return result;
    if (result && typeof result.then === 'function') return settled(span, result);
    span.end();
    return result;
  });
  const { prototype } = mongodb.Collection || {};
  for (const name of METHODS) follow(prototype, name, name, (collection) => ({ database: collection.dbName, collection: collection.collectionName }));
  for (const [cursor, operation] of [['FindCursor', 'find'], ['AggregationCursor', 'aggregate']]) {
    const kind = mongodb[cursor] && mongodb[cursor].prototype;
    follow(kind, 'toArray', operation, ({ namespace = {} }) => ({ database: namespace.db, collection: namespace.collection }));
  }
}

function begin(layer, operation, { database, collection }) {
  const span = layer.span(collection ? `${operation} ${collection}` : operation, KIND.CLIENT);
  if (!span) return undefined;
  span.setAttributes({ 'db.system.name': 'mongodb', 'db.operation.name': operation, 'db.namespace': database, 'db.collection.name': collection });
  return span;
}

module.exports = { install };
