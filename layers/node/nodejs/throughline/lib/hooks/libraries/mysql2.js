'use strict';

const faults = require('../../faults.js');
const { called, commented, emitted, querySpan, wrap } = require('../client.js');

/** The promises of mysql2 end in the same methods as its callbacks. */
function install(layer, mysql2) {
  const { Connection } = mysql2;
  const target = Connection && Connection.prototype;
  for (const name of ['query', 'execute']) {
    wrap('mysql2', target, name, (original) => function (...args) {
      const [first] = args;
      const text = typeof first === 'string' ? first : first && first.sql;
      const span = faults.guard('mysql2', () => text && querySpan(layer, 'mysql', text, this.config || {}));
      if (!span) return original.apply(this, args);
      // What is executed is prepared.
      if (name === 'query' && typeof first === 'string') args[0] = commented(layer, first, span);
      else if (name === 'query' && typeof first.on !== 'function') args[0] = withSql(first, commented(layer, text, span));
      // A pool's own, made for this call.
      else if (name === 'query') first.sql = commented(layer, text, span);
      const at = args.findIndex((value, n) => n > 0 && typeof value === 'function');
      if (at > 0) args[at] = called(span, args[at]);
      const command = original.apply(this, args);
      if (at < 0 && command && typeof command.emit === 'function') emitted(span, command);
      return command;
    });
  }
}

/** A copy, if there is a change: a query's description may be used again. */
const withSql = (query, sql) => (sql === query.sql ? query : { ...query, sql });

module.exports = { install };
