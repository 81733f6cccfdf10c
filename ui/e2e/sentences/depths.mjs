// What CloudWatch tells of queues: how much lies in them, and where they give up to.
const EVERY_MILLIS = 20_000;
const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
];

/**
 * Tells it to the server of a shop, until what it returns is called.
 * @param {{ outside: Record<string, string>, otlp: string }} shop
 */
export function tellDepths(shop) {
  const tell = async () => {
    const { QueueUrls } = await sqs(shop.outside.aws ?? '', 'ListQueues', {});
    const metrics = [];
    for (const url of QueueUrls ?? []) {
      const asked = { QueueUrl: url, AttributeNames: ['All'] };
      const { Attributes } = await sqs(shop.outside.aws ?? '', 'GetQueueAttributes', asked);
      const dead = JSON.parse(Attributes.RedrivePolicy ?? '{}').deadLetterTargetArn;
      const attributes = [text('QueueName', url.split('/').at(-1))];
      if (dead) attributes.push(text('throughline.queue.gives_up_to', dead.split(':').at(-1)));
      const timeUnixNano = `${Date.now()}000000`;
      for (const count of COUNTS) {
        const point = { timeUnixNano, asInt: Attributes[count] ?? '0', attributes };
        // CloudWatch calls those that wait visible.
        const name = count.replace(/Messages$/, 'MessagesVisible');
        metrics.push({ name, unit: '{Count}', gauge: { dataPoints: [point] } });
      }
    }
    const resource = { attributes: [text('cloud.provider', 'aws')] };
    await fetch(`${shop.otlp}/v1/metrics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] }),
    });
  };
  // What could not be told, because the server is being started again, is told the next time.
  const timer = setInterval(() => void tell().catch(() => {}), EVERY_MILLIS);
  return () => clearInterval(timer);
}

/** @param {string} key @param {string} value */
const text = (key, value) => ({ key, value: { stringValue: value } });

/** @param {string} aws @param {string} operation @param {object} body @returns {Promise<any>} */
async function sqs(aws, operation, body) {
  const answer = await fetch(aws, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${operation}`,
      authorization:
        'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(body),
  });
  return answer.json();
}
