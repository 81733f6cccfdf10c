// Makes the calls that the SDKs of the other languages make too, and prints what it got as one JSON object.
import {
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  ListFunctionsCommand,
  paginateListFunctions,
} from "@aws-sdk/client-lambda";

const client = new LambdaClient({
  endpoint: process.argv[2],
  region: "us-east-1",
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "key" },
  maxAttempts: 1,
});

const json = (payload) => JSON.parse(Buffer.from(payload).toString());
const names = (page) => page.Functions.map((one) => one.FunctionName);

async function whole() {
  const context = Buffer.from(JSON.stringify({ custom: { cart: "7" } })).toString("base64");
  const input = { FunctionName: "f", Qualifier: "$LATEST", LogType: "Tail", ClientContext: context, Payload: "{}" };
  const output = await client.send(new InvokeCommand(input));
  const payload = json(output.Payload);
  const log = Buffer.from(output.LogResult, "base64").toString();
  return {
    status: output.StatusCode,
    version: output.ExecutedVersion,
    arn: payload.arn,
    custom: payload.custom,
    log: log.includes("two\nlines\n") && log.includes(`REPORT RequestId: ${payload.request}`),
    id: output.$metadata.requestId === payload.request,
  };
}

async function failing() {
  const output = await client.send(new InvokeCommand({ FunctionName: "f", Payload: '{"do":"throw"}' }));
  return { status: output.StatusCode, error: output.FunctionError, type: json(output.Payload).errorType };
}

async function status(kind) {
  const input = { FunctionName: "later", InvocationType: kind, Payload: "{}" };
  return (await client.send(new InvokeCommand(input))).StatusCode;
}

async function stream(event) {
  const input = { FunctionName: "f", Payload: JSON.stringify(event) };
  const output = await client.send(new InvokeWithResponseStreamCommand(input));
  let text = "";
  let end;
  for await (const event of output.EventStream) {
    if (event.PayloadChunk) text += Buffer.from(event.PayloadChunk.Payload).toString();
    else end = event.InvokeComplete;
  }
  return { body: text.split("\0".repeat(8)).at(-1), error: end.ErrorCode ?? null };
}

async function refused(command) {
  try {
    await client.send(command);
    return null;
  } catch (error) {
    return { status: error.$metadata?.httpStatusCode, type: error.name, modeled: error.constructor.name };
  }
}

async function configuration() {
  const found = await client.send(new GetFunctionConfigurationCommand({ FunctionName: "f" }));
  return [found.FunctionName, found.Runtime, found.MemorySize, found.Timeout, found.State];
}

async function paged() {
  const all = [];
  for await (const page of paginateListFunctions({ client, pageSize: 1 }, {})) all.push(...names(page));
  return all;
}

const tooLarge = Buffer.alloc(6 * 1024 * 1024 + 1, " ");
const told = {
  whole: await whole(),
  failing: await failing(),
  event: await status("Event"),
  "dry run": await status("DryRun"),
  stream: await stream({ do: "stream" }),
  "failing stream": await stream({ do: "throw" }),
  unknown: await refused(new InvokeCommand({ FunctionName: "none" })),
  throttled: await refused(new InvokeCommand({ FunctionName: "busy" })),
  "too large": await refused(new InvokeCommand({ FunctionName: "f", Payload: tooLarge })),
  "no json": await refused(new InvokeCommand({ FunctionName: "f", Payload: "{" })),
  list: names(await client.send(new ListFunctionsCommand({}))),
  paged: await paged(),
  function: (await client.send(new GetFunctionCommand({ FunctionName: "f" }))).Configuration.FunctionArn,
  configuration: await configuration(),
  "unknown function": await refused(new GetFunctionCommand({ FunctionName: "none" })),
  "not offered": await refused(new DeleteFunctionCommand({ FunctionName: "f" })),
};
console.log(JSON.stringify(told));
