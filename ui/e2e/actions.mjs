// What can be done about incident 7, and what was: as the server tells it.

const ID = '0199aa00bb11cc220199aa00bb11cc22';
const KEY = 'AQAAAABq_ZhA';
/** The link of the action that was proposed. */
export const LINK = `/act/${ID}?k=${KEY}`;
const DENY = { do: 'deny', function: 'pay', resource: 'table:audit', class: 'write', hours: 4 };
const IGNORE = {
  do: 'ignore',
  node: 'function:pay',
  to: 'table:audit',
  class: 'write',
  kind: 'new_edge',
  reason: 'it is all right',
  days: 365,
};
const TITLES = {
  deny: 'deny pay writing to table:audit for 4 hours',
  ignore: 'ignore new edge of function:pay → table:audit (write) for 365 days',
};
const BEFORE = {
  function_arn: 'arn:aws:lambda:eu-west-1:123456789012:function:pay',
  role_arn: 'arn:aws:iam::123456789012:role/pay-role',
  memory_mb: 512,
  revision_id: 'r1',
  reserved: null,
  sources: [],
};
const PUT = {
  service: 'iam',
  operation: 'PutRolePolicy',
  method: 'POST',
  path: '/',
  parameters: { PolicyDocument: '{}', PolicyName: `Throughline-Deny-${ID}`, RoleName: 'pay-role' },
};
const DELETE = {
  ...PUT,
  operation: 'DeleteRolePolicy',
  parameters: { PolicyName: `Throughline-Deny-${ID}`, RoleName: 'pay-role' },
};
/** @type {[number, object]} */
const FORGOTTEN = [
  404,
  { code: 'TL0214', message: `there is no action ${ID}, or nobody confirmed it within a day` },
];
const LATER = '1795320000000000000';
const STOP = { do: 'stop', function: 'notify-restaurant', hours: 1 };
const SIZE = 'give inventory 1728 MB of memory';
const RESIZED = '0199aa00bb11cc220199aa00bb11cc33';

/** An account in which one action was proposed. */
export class Actions {
  state = 'proposed';
  /** Whether nobody confirmed it within a day. */
  isForgotten = false;
  place = 'local';
  /** @type {{ who: string, why: string } | null} */
  stopped = null;
  /** @type {any[]} */
  entries = [];
  /** From where notify-restaurant takes events; without any it is not to be stopped either. @type {any[]} */
  sources = [];
  /** The one that is proposed to be disabled, by its id; then notify-restaurant is not to be stopped. @type {string | null} */
  proposed = null;
  /** What was proposed last. @type {any} */
  asked = null;
  /** Who keeps another memory size. @type {string | null} */
  kept = null;
  /** What came of another memory size of inventory, if it was given one. @type {string | null} */
  resized = null;
  /** What somebody ignores or has muted. @type {any[]} */
  quiet = [];

  standing() {
    const resize = this.asked?.do === 'memory';
    return {
      id: ID,
      title: resize ? `${SIZE} for 7 days` : TITLES.deny,
      action: resize ? { ...this.asked, hours: 168 } : DENY,
      state: this.state,
      incident: 7,
      proposed_unix_nanos: '1795305600000000000',
      done_unix_nanos: this.state === 'done' ? '1795305700000000000' : null,
      until_unix_nanos: this.state === 'done' && this.kept === null ? LATER : null,
      kept_by: this.kept,
      before: this.state === 'proposed' ? null : BEFORE,
      why: null,
      who: this.state === 'proposed' ? null : 'ada',
      verified: null,
    };
  }

  /** Another memory size that is slower than was predicted. */
  memory() {
    return {
      ...this.standing(),
      id: RESIZED,
      title: this.kept === null ? `${SIZE} for 7 days` : SIZE,
      action: { do: 'memory', function: 'inventory', memory_mb: 1728, hours: 168 },
      state: this.resized,
      incident: null,
      until_unix_nanos: this.kept === null ? LATER : null,
      verified: {
        at_unix_nanos: LATER,
        verdict: 'slower',
        sentence: 'slower than predicted: 902 ms → 880 ms instead of 283 to 319 ms, for 40 % more',
      },
    };
  }

  /** What can be undone. */
  inForce() {
    const known = [...this.quiet, ...(this.entries.length === 0 ? [] : [this.standing()])];
    return known.filter(({ state }) => state === 'done');
  }

  /** @param {string} who @param {string} event @param {object} more */
  note(who, event, more = {}) {
    const number = this.entries.length + 1;
    const at = 1795305600 + number;
    const title = 'id' in more ? TITLES.deny : null;
    const when = { at, at_unix_nanos: `${at}000000000` };
    this.entries.unshift({ number, ...when, title, who, event, ...more });
  }

  /** The answer, if the address is one of these. @param {string} pathname @param {URLSearchParams} search @param {string} body @returns {[number, object] | null} */
  answer(pathname, search, body) {
    const { place, stopped } = this;
    const given = body === '' ? {} : JSON.parse(body);
    const known = [
      ...(this.resized === null ? [] : [this.memory()]),
      ...(this.entries.length === 0 ? [] : [this.standing()]),
    ];
    switch (pathname) {
      case '/api/v1/incidents/7/actions': {
        const proposal = { finding: 'pay → audit PutItem is new', destructive: false, why: null };
        const stop = { ...proposal, title: 'stop notify-restaurant for 1 hour', action: STOP };
        const { function: consumer } = STOP;
        const source = this.sources.find(({ id }) => id === this.proposed);
        const disable = {
          ...proposal,
          title: `disable event source ${source?.name} of ${consumer} for 4 hours`,
          action: { do: 'disable', function: consumer, source: this.proposed, hours: 4 },
        };
        const proposals = [
          { ...proposal, title: TITLES.deny, needs_account: true, destructive: true, action: DENY },
          ...(this.sources.length === 0
            ? []
            : [{ ...(source ? disable : stop), needs_account: true, destructive: true }]),
          { ...proposal, title: TITLES.ignore, needs_account: false, action: IGNORE },
        ];
        const consumers = source ? [consumer] : [];
        return [200, { place, stopped, proposals, consumers, actions: known }];
      }
      case '/api/v1/actions/sources':
        return [200, { function: STOP.function, sources: this.sources }];
      case `/api/v1/actions/${RESIZED}/undo`:
        this.resized = 'undone';
        return [200, this.memory()];
      case `/api/v1/actions/${RESIZED}/keep`:
        this.kept = given.who;
        return [200, this.memory()];
      case '/api/v1/actions/propose':
        this.asked = given.action;
        this.note(given.who, 'proposed', { id: ID, action: given.action, incident: 7 });
        return [200, { id: ID, path: LINK, expires_unix_nanos: LATER }];
      case '/api/v1/actions': {
        const all = search.get('in_force') === 'true' ? this.inForce() : known;
        // Two are a page here.
        const begin = all.findIndex(({ id }) => id === search.get('cursor')) + 1;
        const actions = all.slice(begin, begin + 2);
        const next_cursor = begin + 2 < all.length ? (actions.at(-1)?.id ?? null) : null;
        const truncated = next_cursor !== null;
        const total = all.length - begin;
        return [200, { place, stopped, actions, total, truncated, next_cursor }];
      }
      case '/api/v1/actions/switch':
        this.stopped = given.why ? { who: given.who, why: given.why } : null;
        this.note(
          given.who,
          given.why ? 'stopped' : 'resumed',
          given.why ? { why: given.why } : {},
        );
        return [
          200,
          {
            place,
            stopped: this.stopped,
            actions: [],
            total: 1,
            truncated: true,
            next_cursor: null,
          },
        ];
      case '/api/v1/audit': {
        const { entries } = this;
        return [200, { entries, total: entries.length, truncated: false, next_cursor: null }];
      }
      case `/api/v1/actions/${ID}`:
        return this.isForgotten ? FORGOTTEN : [200, this.shown()];
      case `/act/${ID}`:
        return this.act(given);
      case `/api/v1/actions/${ID}/undo`:
        this.state = 'undone';
        this.note(given.who, 'undid', {
          id: ID,
          done: [{ call: 'iam:DeleteRolePolicy', request_id: 'r-2' }],
        });
        return [200, this.standing()];
      default:
        return null;
    }
  }

  shown() {
    const isOpen = this.state === 'proposed';
    const statement = { Sid: `ThroughlineDeny${ID}`, Effect: 'Deny', Action: ['dynamodb:PutItem'] };
    const { title, action } = this.standing();
    const resize = action.do === 'memory';
    const plan = {
      title,
      calls: [PUT],
      policy: resize ? null : { Version: '2012-10-17', Statement: [statement] },
      warnings: ['the calls are refused within seconds', 'others that share the role keep it'],
      undo: [DELETE],
      until: 1795320000,
      confirm: resize ? null : 'pay',
      code: [],
    };
    const permissions = [
      { permission: 'dynamodb:PutItem', before: 'allowed', after: 'explicitDeny' },
    ];
    return {
      place: this.place,
      action: this.standing(),
      made_for: 'page',
      expires_unix_nanos: LATER,
      plan: isOpen ? plan : null,
      problem: isOpen ? null : 'it was done already: links act once',
      before: isOpen ? BEFORE : null,
      seen: isOpen ? 'abc' : null,
      dry_run: isOpen ? { dry_run: 'simulated', permissions } : null,
      touched: [
        {
          node: 'function:pay',
          to: 'table:audit',
          operation: 'PutItem',
          calls: 12,
          errors: 0,
        },
      ],
      behind: [
        {
          node: 'service:web',
          way: 'upstream',
          path: ['function:pay', 'function:order', 'service:web'],
        },
      ],
    };
  }

  /** @param {any} given @returns {[number, object]} */
  act(given) {
    const typed = this.asked?.do === 'memory' ? '' : 'pay';
    if (given.k !== KEY || given.seen !== 'abc' || given.typed !== typed)
      return [409, { code: 'TL0216', message: 'type pay to confirm it' }];
    this.state = 'done';
    this.kept = given.keep ? given.who : null;
    const done = [{ call: 'iam:PutRolePolicy', request_id: 'r-1' }];
    this.note(given.who, 'began', { id: ID, before: BEFORE, by_link_for: 'page' });
    this.note(given.who, 'did', { id: ID, until: 1795320000, done });
    return [200, this.standing()];
  }
}
