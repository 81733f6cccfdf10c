//! The operations of services that are told by method and path.

use super::recognise::Request;
use crate::sources::decoded;

/// Service, method, what the path begins with, and what it has in it after that.
const TABLE: &[(&str, &str, &str, &str, &str)] = &[
    (
        "lambda",
        "POST",
        "/2015-03-31/functions/",
        "/invocations",
        "Invoke",
    ),
    (
        "lambda",
        "POST",
        "/2021-11-15/functions/",
        "/response-streaming-invocations",
        "InvokeWithResponseStream",
    ),
    (
        "lambda",
        "POST",
        "/2014-11-13/functions/",
        "/invoke-async",
        "InvokeAsync",
    ),
    ("lambda", "GET", "/2015-03-31/functions/", "", "GetFunction"),
    ("scheduler", "POST", "/schedules/", "", "CreateSchedule"),
    ("scheduler", "PUT", "/schedules/", "", "UpdateSchedule"),
    ("scheduler", "GET", "/schedules/", "", "GetSchedule"),
    ("scheduler", "DELETE", "/schedules/", "", "DeleteSchedule"),
    ("iotdata", "POST", "/topics/", "", "Publish"),
    ("ses", "POST", "/v2/email/outbound-emails", "", "SendEmail"),
];

/// Of S3, by method, whether a key is named, and what is in the query.
const S3: &[(&str, bool, &str, &str)] = &[
    ("GET", true, "", "GetObject"),
    ("HEAD", true, "", "HeadObject"),
    ("PUT", true, "partNumber", "UploadPart"),
    ("PUT", true, "", "PutObject"),
    ("DELETE", true, "uploadId", "AbortMultipartUpload"),
    ("DELETE", true, "", "DeleteObject"),
    ("POST", true, "uploads", "CreateMultipartUpload"),
    ("POST", true, "uploadId", "CompleteMultipartUpload"),
    ("POST", true, "select", "SelectObjectContent"),
    ("POST", false, "delete", "DeleteObjects"),
    ("GET", false, "list-type", "ListObjectsV2"),
    ("GET", false, "uploads", "ListMultipartUploads"),
    ("GET", false, "location", "GetBucketLocation"),
    ("GET", false, "", "ListObjects"),
    ("HEAD", false, "", "HeadBucket"),
    ("PUT", false, "", "CreateBucket"),
    ("DELETE", false, "", "DeleteBucket"),
];

pub(super) fn operation<'a>(service: &str, request: &Request<'a>) -> Option<&'a str> {
    if service == "s3" {
        return s3(request);
    }
    let row = TABLE.iter().find(|(of, method, start, middle, _)| {
        let rest = request.target.strip_prefix(start);
        *of == service
            && *method == request.method
            && rest.is_some_and(|rest| rest.contains(middle))
    });
    row.map(|row| row.4)
}

/// SDKs say it in `x-id`; others leave it to be told.
fn s3<'a>(request: &Request<'a>) -> Option<&'a str> {
    let place = place(request.host, request.target);
    let query = |name: &str| {
        let mut pairs = place
            .query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    };
    if let Some(name) = query("x-id") {
        return Some(name);
    }
    if place.bucket.is_empty() {
        return Some("ListBuckets");
    }
    let has_key = !place.key.is_empty();
    if request.method == "PUT" && has_key && !(request.get)("x-amz-copy-source").is_empty() {
        return Some(if query("partNumber").is_some() {
            "UploadPartCopy"
        } else {
            "CopyObject"
        });
    }
    let row = S3.iter().find(|(method, keyed, name, _)| {
        *method == request.method && *keyed == has_key && (name.is_empty() || query(name).is_some())
    });
    row.map(|row| row.3)
}

/// Where an object is.
pub(super) struct Place<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: String,
    query: &'a str,
}

/// The bucket is a part of the host, or of the path.
pub(super) fn place<'a>(host: &'a str, target: &'a str) -> Place<'a> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.strip_prefix('/').unwrap_or(path);
    let (bucket, key) = match virtual_bucket(host) {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    Place {
        bucket,
        key: decoded(&key.replace('+', "%2B")),
        query,
    }
}

/// `BUCKET.s3.REGION.amazonaws.com`, `BUCKET.s3-REGION...`, `BUCKET.localhost:PORT`
fn virtual_bucket(host: &str) -> Option<&str> {
    let at = [".s3.", ".s3-", ".localhost"]
        .iter()
        .filter_map(|mark| host.find(mark))
        .min()?;
    host.get(..at).filter(|bucket| !bucket.is_empty())
}
