'use strict';

const faults = require('../../faults.js');
const { called, commented, emitted, querySpan, settled, wrap } = require('../client.js');

/** @param {import('../../layer.js').Layer} layer */
function install(layer, pg) {
  wrap('pg', pg.Client && pg.Client.prototype, 'query', (query) => function (...args) {
    const [first] = args;
    const text = typeof first === 'string' ? first : first && first.text;
    const span = faults.guard('pg', () => text && querySpan(layer, 'postgresql', text, this));
    if (!span) return query.apply(this, args);
    // A statement with a name is prepared; what has its own `submit` is sent by somebody else's code.
    if (typeof first === 'string') args[0] = commented(layer, first, span);
    else if (!first.name && typeof first.submit !== 'function') args[0] = withText(first, commented(layer, text, span));
    const at = args.findIndex((value, n) => n > 0 && typeof value === 'function');
    const inside = args[0] && typeof args[0] === 'object' && typeof args[0].callback === 'function';
    if (at > 0) args[at] = called(span, args[at]);
    else if (inside) args[0].callback = called(span, args[0].callback);
    const result = query.apply(this, args);
    if (at > 0 || inside) return result;
    if (result && typeof result.then === 'function') return settled(span, result);
    if (result && typeof result.emit === 'function') emitted(span, result);
    return result;
  });
  // Who waits for a connection is called by whoever gives one back.
  wrap('pg', pg.Pool && pg.Pool.prototype, 'connect', (connect) => function (callback) {
    if (typeof callback !== 'function') return connect.apply(this, arguments);
    const { AsyncResource } = require('async_hooks');
    return connect.call(this, AsyncResource.bind(callback));
  });
}

/** A copy, if there is a change: a query's description may be used again. */
const withText = (query, text) => (text === query.text ? query : { ...query, text });

module.exports = { install };
