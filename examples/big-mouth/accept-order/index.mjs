/**
 * The restaurant accepts what it was told of. Invoked by the bus with "restaurant notified"; the order's new state goes
 * into its table, and the order into the stream of accepted ones.
 */
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { KinesisClient, PutRecordCommand } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

const db = new DynamoDBClient();
// HTTP/1.1 instead of HTTP/2, which a record at a time gains nothing from.
const stream = new KinesisClient({ requestHandler: new NodeHttpHandler() });

export async function handler({ detail: order }) {
  await db.send(
    new UpdateItemCommand({
      TableName: process.env.ORDERS_TABLE,
      Key: { id: { S: order.id } },
      UpdateExpression: "SET #status = :accepted",
      ExpressionAttributeNames: { "#status": "status" },
      ExpressionAttributeValues: { ":accepted": { S: "accepted" } },
    }),
  );
  await stream.send(
    new PutRecordCommand({
      StreamName: process.env.ACCEPTED_STREAM,
      PartitionKey: order.id,
      Data: Buffer.from(JSON.stringify({ ...order, status: "accepted" })),
    }),
  );
  console.info(`order accepted order=${order.id} restaurant=${order.restaurant}`);
}
