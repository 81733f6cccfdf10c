//! Attribute keys that are worth a column however rare they are in a file: people filter by them.

/// Whether a key is one of OpenTelemetry's conventions, or of ours, that get a column wherever they
/// occur.
pub(super) fn has_column(key: &str) -> bool {
    KEYS.binary_search(&key).is_ok()
}

/// Sorted.
const KEYS: [&str; 72] = [
    "aws.dynamodb.table_names",
    "aws.lambda.invoked_arn",
    "aws.request_id",
    "aws.s3.bucket",
    "aws.s3.key",
    "client.address",
    "cloud.account.id",
    "cloud.region",
    "cloud.resource_id",
    "code.file.path",
    "code.function.name",
    "code.line.number",
    "code.namespace",
    "db.collection.name",
    "db.namespace",
    "db.operation.name",
    "db.query.summary",
    "db.query.text",
    "db.response.status_code",
    "db.system",
    "db.system.name",
    "enduser.id",
    "error.type",
    "event.name",
    "exception.message",
    "exception.stacktrace",
    "exception.type",
    "faas.coldstart",
    "faas.document.collection",
    "faas.invocation_id",
    "faas.invoked_name",
    "faas.name",
    "faas.trigger",
    "faas.version",
    "gen_ai.operation.name",
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "http.method",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "http.status_code",
    "http.target",
    "http.url",
    "log.iostream",
    "messaging.batch.message_count",
    "messaging.destination.name",
    "messaging.message.id",
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.system",
    "network.peer.address",
    "network.peer.port",
    "network.protocol.version",
    "rpc.grpc.status_code",
    "rpc.method",
    "rpc.service",
    "rpc.system",
    "server.address",
    "server.port",
    "session.id",
    "thread.name",
    "throughline.cost.usd",
    "throughline.link.in",
    "throughline.link.out",
    "url.full",
    "url.path",
    "url.query",
    "url.scheme",
    "user.id",
    "user_agent.original",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_sorted() {
        assert!(KEYS.is_sorted());
        assert!(has_column("http.route") && !has_column("http.rout"));
    }
}
