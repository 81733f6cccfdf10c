'use strict';

const faults = require('../../faults.js');
const { called, emitted, querySpan, wrap } = require('../client.js');

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
      const at = args.findIndex((value, n) => n > 0 && typeof value === 'function');
      if (at > 0) args[at] = called(span, args[at]);
      const command = original.apply(this, args);
      if (at < 0 && command && typeof command.emit === 'function') emitted(span, command);
      return command;
    });
  }
}

module.exports = { install };
