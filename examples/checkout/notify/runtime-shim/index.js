/**
 * Stands in for the native addon of aws-lambda-ric, so that the runtime client needs no C++ compiler.
 *
 * `make build` puts this folder at node_modules/aws-lambda-ric/rapid-client.node/, where the runtime client requires
 * its addon. It calls four functions of it, these.
 */
"use strict";

const http = require("node:http");

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const INVOCATION = "/2018-06-01/runtime/invocation";

// One socket, so that an answer is sent before the next invocation is asked for. Where several invocations run at once
// (Lambda Managed Instances) the next one is asked for all the time, and an answer must not wait for it.
const maxSockets = process.env.AWS_LAMBDA_MAX_CONCURRENCY ? Infinity : 1;
const agent = new http.Agent({ keepAlive: true, maxSockets });

function call(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, agent, method, path: INVOCATION + path, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ bodyJson: Buffer.concat(chunks).toString(), headers: response.headers }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

function post(path, body, headers = {}) {
  const length = Buffer.byteLength(body);
  return call("POST", path, { "Content-Type": "application/json", "Content-Length": length, ...headers }, body);
}

module.exports = {
  initializeClient() {},

  next: () => call("GET", "/next", {}),

  // The runtime client does not wait for these two. One that fails ends the process, as an unhandled rejection does:
  // without its Runtime API there is nothing left to run for.
  done(id, body) {
    void post(`/${id}/response`, body);
  },

  error(id, body, xrayCause) {
    void post(`/${id}/error`, body, xrayCause ? { "Lambda-Runtime-Function-XRay-Error-Cause": xrayCause } : {});
  },
};
