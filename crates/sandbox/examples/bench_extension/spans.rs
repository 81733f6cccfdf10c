//! What a function's SDK would send: an OTLP request in protobuf, written by hand.

/// A request with so many spans as a web handler makes them; a few attributes are secrets. The
/// number makes ids that no other request has.
pub(crate) fn request(number: u64, spans: u64) -> Vec<u8> {
    let mut scope_spans = Vec::new();
    message(&mut scope_spans, 1, |scope| text(scope, 1, "bench"));
    for span in 0..spans {
        message(&mut scope_spans, 2, |out| write_span(out, number, span));
    }
    let mut resource_spans = Vec::new();
    message(&mut resource_spans, 1, |resource| {
        attribute(resource, 1, "service.name", "bench");
    });
    bytes(&mut resource_spans, 2, &scope_spans);
    let mut request = Vec::new();
    bytes(&mut request, 1, &resource_spans);
    request
}

fn write_span(out: &mut Vec<u8>, number: u64, span: u64) {
    let mut trace = [7; 16];
    trace[8..].copy_from_slice(&number.to_be_bytes());
    bytes(out, 1, &trace);
    let id = ((number + 1) << 16) | (span + 1);
    bytes(out, 2, &id.to_be_bytes());
    if span > 0 {
        bytes(out, 4, &(id - span).to_be_bytes());
    }
    text(out, 5, "SELECT order_lines");
    varint(out, 6 << 3);
    varint(out, 3);
    let begin: u64 = 1_790_000_000_000_000_000;
    fixed(out, 7, begin + span * 1_000_000);
    fixed(out, 8, begin + span * 1_000_000 + 750_000);
    attribute(out, 9, "db.system.name", "postgresql");
    attribute(
        out,
        9,
        "db.query.text",
        "SELECT sku, count FROM order_lines WHERE order_id = $1",
    );
    attribute(
        out,
        9,
        "server.address",
        "orders.cluster-abc123.eu-central-1.rds.amazonaws.com",
    );
    attribute(
        out,
        9,
        "http.request.header.authorization",
        "Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc",
    );
    attribute(
        out,
        9,
        "url.full",
        "https://api.example.com/v1/orders/4711?token=s3cr3t&page=2",
    );
    attribute(out, 9, "enduser.id", "4711");
}

fn attribute(out: &mut Vec<u8>, field: u64, key: &str, value: &str) {
    message(out, field, |pair| {
        text(pair, 1, key);
        message(pair, 2, |any| text(any, 1, value));
    });
}

fn message(out: &mut Vec<u8>, field: u64, write: impl FnOnce(&mut Vec<u8>)) {
    let mut inner = Vec::new();
    write(&mut inner);
    bytes(out, field, &inner);
}

fn text(out: &mut Vec<u8>, field: u64, text: &str) {
    bytes(out, field, text.as_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, (field << 3) | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn fixed(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, (field << 3) | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}
