'use strict';
/** The operations of services that are told by method and path. */

const TABLE = {
  lambda: [
    ['POST', /^\/2015-03-31\/functions\/[^/]+\/invocations/, 'Invoke'],
    ['POST', /^\/2021-11-15\/functions\/[^/]+\/response-streaming-invocations/, 'InvokeWithResponseStream'],
    ['POST', /^\/2014-11-13\/functions\/[^/]+\/invoke-async/, 'InvokeAsync'],
    ['GET', /^\/2015-03-31\/functions\/[^/]+\/?$/, 'GetFunction'],
  ],
  scheduler: [
    ['POST', /^\/schedules\//, 'CreateSchedule'],
    ['PUT', /^\/schedules\//, 'UpdateSchedule'],
    ['GET', /^\/schedules\//, 'GetSchedule'],
    ['DELETE', /^\/schedules\//, 'DeleteSchedule'],
  ],
  iotdata: [['POST', /^\/topics\//, 'Publish']],
  ses: [['POST', /^\/v2\/email\/outbound-emails/, 'SendEmail']],
};

/** Of S3, by method, whether a key is named, and what is in the query. */
const S3 = [
  ['GET', true, '', 'GetObject'],
  ['HEAD', true, '', 'HeadObject'],
  ['PUT', true, 'partNumber', 'UploadPart'],
  ['PUT', true, '', 'PutObject'],
  ['DELETE', true, 'uploadId', 'AbortMultipartUpload'],
  ['DELETE', true, '', 'DeleteObject'],
  ['POST', true, 'uploads', 'CreateMultipartUpload'],
  ['POST', true, 'uploadId', 'CompleteMultipartUpload'],
  ['POST', true, 'select', 'SelectObjectContent'],
  ['POST', false, 'delete', 'DeleteObjects'],
  ['GET', false, 'list-type', 'ListObjectsV2'],
  ['GET', false, 'uploads', 'ListMultipartUploads'],
  ['GET', false, 'location', 'GetBucketLocation'],
  ['GET', false, '', 'ListObjects'],
  ['HEAD', false, '', 'HeadBucket'],
  ['PUT', false, '', 'CreateBucket'],
  ['DELETE', false, '', 'DeleteBucket'],
];

function rest(service, method, path, get) {
  if (service === 's3') return s3(method, path, get);
  const row = (TABLE[service] || []).find(([verb, pattern]) => verb === method && pattern.test(path));
  return row && row[2];
}

/** SDKs say it in `x-id`; others leave it to be told. */
function s3(method, path, get) {
  const { query, key, bucket } = place({ path, host: String(get('host') || '') });
  if (query.has('x-id')) return query.get('x-id');
  if (!bucket) return 'ListBuckets';
  if (method === 'PUT' && key && get('x-amz-copy-source')) return query.has('partNumber') ? 'UploadPartCopy' : 'CopyObject';
  const row = S3.find(([verb, keyed, name]) => verb === method && keyed === (key !== '') && (name === '' || query.has(name)));
  return row && row[3];
}

/** Bucket and key: the bucket is a part of the host, or of the path. */
function place({ path, host }) {
  const [start, search = ''] = path.split('?', 2);
  const query = new URLSearchParams(search);
  const virtual = /^(.+)\.s3[.-]/.exec(host) || /^([^.:]+)\.(?:localhost|s3)\b/.exec(host);
  const parts = start.replace(/^\//, '').split('/');
  const bucket = virtual ? virtual[1] : parts.shift() || '';
  return { query, bucket, key: decoded(parts.join('/')) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

module.exports = { decoded, place, rest };
