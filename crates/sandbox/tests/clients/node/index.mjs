// Does what each event's "do" says, as the functions of the other languages beside it.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

if (process.env.FAIL_INIT) throw new RangeError("no init today");

function report(event, context) {
  console.log("two\nlines");
  return {
    request: context.awsRequestId,
    arn: context.invokedFunctionArn,
    function: context.functionName,
    memory_mb: Number(context.memoryLimitInMB),
    remaining_ms: context.getRemainingTimeInMillis(),
    trace: process.env._X_AMZN_TRACE_ID,
    custom: context.clientContext?.custom ?? null,
    node: process.version,
  };
}

function log() {
  console.debug("a detail");
  console.info("for the record");
  console.error("it broke");
  return null;
}

// Four times what the function may have, and no danger to a machine that does not stop it.
const memory = () => Array.from({ length: 512 }, () => Buffer.alloc(1024 * 1024, "x")).length;

// Ends when as many invocations as asked for are in it.
async function meet(event, context) {
  writeFileSync(`${event.folder}/${context.awsRequestId}`, "");
  while (readdirSync(event.folder).length < event.count) await sleep(5);
  return process.env.AWS_LAMBDA_LOG_STREAM_NAME;
}

export const handler = async (event, context) => {
  switch (event.do) {
    case "throw":
      throw new TypeError("on purpose");
    case "log":
      return log();
    case "big":
      return "x".repeat(7 * 1024 * 1024);
    case "memory":
      return memory();
    case "kill":
      return process.kill(process.pid, "SIGKILL");
    case "hang":
      return sleep(600_000);
    case "meet":
      return meet(event, context);
    default:
      return report(event, context);
  }
};

// The second half waits for a file, so that whoever reads can tell a stream from an answer in one piece.
export const stream = globalThis.awslambda?.streamifyResponse(async (event, response) => {
  if (event.rawPath) {
    const head = { statusCode: 201, headers: { "x-own": "yes" }, cookies: ["a=1"] };
    response = globalThis.awslambda.HttpResponseStream.from(response, head);
  }
  response.write("first half, ");
  while (event.wait && !existsSync(event.wait)) await sleep(5);
  if (event.fail) throw new TypeError("too late");
  response.write("second half");
  response.end();
});
