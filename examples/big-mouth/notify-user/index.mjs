/** Sends a receipt by e-mail. Invoked by the bucket for each receipt that is put there. */
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createTransport } from "nodemailer";

import { render } from "./mail.mjs";

const s3 = new S3Client();

export async function handler({ Records: records }) {
  for (const { s3: { bucket, object } } of records) {
    const key = decodeURIComponent(object.key.replaceAll("+", " "));
    await send(await receipt(bucket.name, key));
  }
}

async function receipt(bucket, key) {
  const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return JSON.parse(await body.transformToString());
}

async function send(order) {
  const server = createTransport(process.env.SMTP_URL);
  try {
    const { messageId } = await server.sendMail(render(order));
    console.info(`receipt sent order=${order.id} message=${messageId}`);
  } finally {
    server.close();
  }
}
