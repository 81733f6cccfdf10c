'use strict';
/** Lambda's Runtime API for one function, and its real runtime client, with the layer or without. */

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

/** The layer as it lies here, or as it was packed. */
const LAYER = path.resolve(process.env.THROUGHLINE_LAYER_FOLDER || path.join(__dirname, '../..'));
const CACHE = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'throughline', 'runtimes');
const ROOT = '1-5f35ae12-0c0fec141ab77a00bc047aa2';
const PARENT = '2be948a625588e32';

/** The client that the sandbox installed, or that the example has. */
function client() {
  const kept = fs.existsSync(CACHE) ? fs.readdirSync(CACHE).filter((name) => /^aws-lambda-ric[\d.]+$/.test(name)) : [];
  const folders = [...kept.map((name) => path.join(CACHE, name)), path.resolve(__dirname, '../../../../examples/checkout/notify')];
  const files = folders.map((folder) => path.join(folder, 'node_modules/aws-lambda-ric/index.mjs'));
  return files.find((file) => fs.existsSync(file) && fs.existsSync(path.join(path.dirname(file), 'rapid-client.node')));
}

/**
 * Runs `events` through the function and stops it.
 * @param {{code: string, handler: string, events: unknown[], layer: boolean, env?: object, timeoutMs?: number}} options
 */
async function run({ code, handler, events, layer, env = {}, timeoutMs = 3_000 }) {
  const answers = [];
  const left = [...events];
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  // A stream that fails is ended without anybody waiting for it: the next event is asked for before.
  let asked = false;
  const done = () => asked && answers.length === events.length && finish();
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      if (request.url.endsWith('/next')) {
        const at = events.length - left.length;
        if (left.length === 0) return void done((asked = true));
        response.setHeader('Lambda-Runtime-Aws-Request-Id', `00000000-0000-4000-8000-00000000000${at}`);
        response.setHeader('Lambda-Runtime-Deadline-Ms', String(Date.now() + timeoutMs));
        response.setHeader('Lambda-Runtime-Invoked-Function-Arn', 'arn:aws:lambda:us-east-1:123456789012:function:shop:live');
        response.setHeader('Lambda-Runtime-Trace-Id', `Root=${ROOT};Parent=${PARENT};Sampled=0;Lineage=1:a:0`);
        response.setHeader('Content-Type', 'application/json');
        return void response.end(JSON.stringify(left.shift()));
      }
      answers.push({ path: request.url.split('/').pop(), body, trailers: decoded(request.trailers), cause: request.headers['lambda-runtime-function-xray-error-cause'] });
      response.statusCode = 202;
      response.end('{"status":"OK"}');
      done();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const runtimeApi = `127.0.0.1:${server.address().port}`;
  const command = layer ? [path.join(LAYER, 'throughline'), process.execPath, client()] : [process.execPath, client()];
  const child = spawn(command[0], command.slice(1), {
    cwd: code,
    env: {
      PATH: process.env.PATH,
      AWS_LAMBDA_RUNTIME_API: runtimeApi,
      AWS_LAMBDA_FUNCTION_NAME: 'shop',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/shop',
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/21/[$LATEST]abc',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'example',
      LAMBDA_TASK_ROOT: code,
      _HANDLER: handler,
      TZ: ':UTC',
      ...env,
    },
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const exited = new Promise((resolve) => child.on('close', (status, signal) => resolve(status === null ? signal : status)));
  const status = await Promise.race([finished.then(() => undefined), exited]);
  if (status === undefined) child.kill('SIGKILL');
  await exited;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  // Times differ from run to run.
  output = output.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').replaceAll(runtimeApi, 'API');
  return { answers, output, status };
}

/** The trailer with the error is JSON in base64. */
function decoded(trailers) {
  const text = (value) => (/^eyJ/.test(value) ? Buffer.from(value, 'base64').toString() : value);
  return Object.fromEntries(Object.entries(trailers).map(([name, value]) => [name, text(value)]));
}

/** @type {string[]} */
const made = [];
process.on('exit', () => made.forEach((at) => fs.rmSync(at, { recursive: true, force: true })));

/** A folder with these files, which goes with the process. */
function folder(files) {
  const at = fs.mkdtempSync(path.join(os.tmpdir(), 'throughline-node-'));
  made.push(at);
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(at, name)), { recursive: true });
    fs.writeFileSync(path.join(at, name), text);
  }
  return at;
}

module.exports = { LAYER, PARENT, ROOT, client, folder, run };
