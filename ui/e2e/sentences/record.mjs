// Records incidents whose cause is known: what Big Mouth sends while all is well, and while each thing goes wrong.
//
//   THROUGHLINE_BIN=... node e2e/sentences/record.mjs DIR [MISBEHAVIOUR...]
//
// DIR/normal and DIR/MISBEHAVIOUR get `traces.binpb` and `logs.binpb`, a request of OTLP each, and `take.json`, which
// says from when to when it was and the nodes that are the cause.
import { join } from 'node:path';
import { causes, recovery, write } from './planted.mjs';
import { Shop } from './shop.mjs';
import { note, pause, take } from './take.mjs';

/** @param {string} name @param {number} usual */
const told = (name, usual) => Number(process.env[name] ?? usual);
const RATE = told('RECORD_RATE', 12);
const NORMAL_MINUTES = told('RECORD_NORMAL_MINUTES', 12);
const MINUTES = told('RECORD_MINUTES', 4);
const WARM_MILLIS = 60_000;

/** @param {Shop} shop @param {string} folder @param {string[]} names */
async function record(shop, folder, names) {
  await shop.open();
  note('the shop is open');
  await pause(WARM_MILLIS);
  keep(folder, 'normal', await take(shop, NORMAL_MINUTES), []);
  const planted = causes(await provider(shop));
  for (const [nth, name] of names.entries()) {
    const begin = () => {
      shop.begin(name);
      note(`${name} begins`);
    };
    const recover = async () => {
      shop.end(name);
      await pause(recovery(name));
    };
    begin();
    const taken = await take(shop, MINUTES, () => recover().then(begin));
    keep(folder, name, taken, planted[name] ?? []);
    if (nth + 1 < names.length) await recover();
  }
}

/** The only host that orders are paid at; which address it has for a function is the sandbox's affair. @param {Shop} shop */
async function provider(shop) {
  const { edges } = /** @type {{ edges: { from: string, to: string }[] }} */ (
    await shop.ask('/api/v1/edges')
  );
  const isIt = ({ from = '', to = '' }) =>
    from === 'function:place-order' && to.startsWith('host:');
  const found = edges.find(isIt);
  if (!found) throw new Error('no order was paid');
  return found.to;
}

/** @param {string} folder @param {string} name @param {import('./history.mjs').Take} taken @param {string[]} causes */
function keep(folder, name, taken, causes) {
  const bytes = write(join(folder, name), taken, causes);
  note(`${name}: ${(bytes / 1e6).toFixed(1)} MB are kept`);
}

const [folder, ...wanted] = process.argv.slice(2);
const program = process.env['THROUGHLINE_BIN'];
const all = Object.keys(causes('host:pay'));
const unknown = wanted.filter((it) => !all.includes(it));
if (!folder || !program || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no such misbehaviour: ${unknown.join(', ')}`);
  console.error('THROUGHLINE_BIN=PROGRAM node e2e/sentences/record.mjs DIR [MISBEHAVIOUR...]');
  console.error(`misbehaviours: ${all.join(', ')}`);
  process.exit(2);
}
const shop = new Shop(program, { rate: RATE });
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => void shop.close().finally(() => process.exit(1)));
}
try {
  await record(shop, folder, wanted.length > 0 ? wanted : all);
} finally {
  await shop.close();
}
