'use strict';
/** What is measured: what the process has used when its first invocation begins, and how long an invocation with twenty calls of AWS's SDK takes. */

let client;

exports.handler = async (event) => {
  if (!event.calls) {
    const { user, system } = process.cpuUsage();
    return { cpu: (user + system) / 1000, wall: performance.now() };
  }
  const { DynamoDBClient, GetItemCommand } = require('@aws-sdk/client-dynamodb');
  client ??= new DynamoDBClient({ endpoint: process.env.FAKE_AWS });
  const before = performance.now();
  const cpu = process.cpuUsage();
  for (let n = 0; n < event.calls; n++) {
    await client.send(new GetItemCommand({ TableName: 'orders', Key: { id: { N: String(n) } } }));
  }
  const used = process.cpuUsage(cpu);
  return { wall: performance.now() - before, cpu: (used.user + used.system) / 1000 };
};
