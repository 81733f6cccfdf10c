/** GET /restaurants: all of them, without menus. GET /restaurants/{id}: one, with its menu. */
import { DynamoDBClient, GetItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";

import { brief, whole } from "./restaurant.mjs";

const table = process.env.RESTAURANTS_TABLE;
const db = new DynamoDBClient();

export async function handler(event) {
  const id = event.pathParameters?.id;
  return id ? one(id) : all();
}

async function all() {
  const { Items: items } = await db.send(new ScanCommand({ TableName: table, Limit: 100 }));
  console.info(`restaurants found count=${items.length}`);
  return json(200, { restaurants: items.map(brief) });
}

async function one(id) {
  const { Item: item } = await db.send(new GetItemCommand({ TableName: table, Key: { id: { S: id } } }));
  if (!item) {
    console.warn(`no such restaurant restaurant=${id}`);
    return json(404, { error: `no restaurant ${id}` });
  }
  return json(200, whole(item));
}

function json(statusCode, body) {
  return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
