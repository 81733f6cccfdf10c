//! Every code that an error can carry, in one table. Each has a page in `docs/errors/`.

/// The stable name of one kind of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// As shown to people and programs: `TL0201`.
    pub id: &'static str,
    /// What it means in a few words.
    pub title: &'static str,
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal;)*) => {
        $(
            #[doc = concat!($id, ": ", $title, ".")]
            pub const $name: Code = Code { id: $id, title: $title };
        )*

        /// All of them, in order.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

// TL00: the server cannot start or stop. TL01 is the store's. TL02: the API. TL03: ingest.
codes! {
    BAD_CONFIG = "TL0001", "a configuration value is not allowed";
    NEEDS_KEY = "TL0002", "an address beyond this machine needs a key";
    PORT_TAKEN = "TL0003", "an address to listen on is already in use";
    CANNOT_LISTEN = "TL0004", "an address to listen on cannot be used";
    CANNOT_OPEN_STORE = "TL0005", "the data directory cannot be opened";
    CANNOT_CLOSE_STORE = "TL0006", "the data directory could not be closed cleanly";
    CANNOT_START_THREADS = "TL0007", "threads cannot be started";
    CANNOT_OPEN_ACTIONS = "TL0008", "the record of actions cannot be opened";

    BAD_PARAMETER = "TL0201", "a query parameter is unknown or its value is not allowed";
    BAD_ID = "TL0202", "not an id";
    UNKNOWN_TRACE = "TL0203", "no such trace";
    NO_SUCH_ENDPOINT = "TL0204", "no such API endpoint";
    METHOD_NOT_ALLOWED = "TL0205", "the endpoint takes another method";
    KEY_REQUIRED = "TL0206", "the server's key is missing or wrong";
    HOST_NOT_ALLOWED = "TL0207", "the server does not answer for this host name";
    READ_FAILED = "TL0208", "stored data could not be read";
    READS_BUSY = "TL0209", "too many reads at once";
    BAD_QUERY = "TL0210", "the query cannot be understood";
    QUERY_TOO_DEAR = "TL0211", "the query takes more time or memory than it may";
    QUERY_FAILED = "TL0212", "the query failed";
    UNKNOWN_INCIDENT = "TL0213", "no such incident";
    UNKNOWN_ACTION = "TL0214", "no such action";
    BAD_LINK = "TL0215", "the link does not open this action";
    ACTION_REFUSED = "TL0216", "the action is not done";
    ACTION_FAILED = "TL0217", "the action failed";
    BAD_SETTINGS = "TL0218", "settings do not hold together";
    BAD_STOP_LINK = "TL0219", "the link in a mail is not whole";
    NOT_KEPT = "TL0220", "settings could not be written";
    SETTINGS_CHANGED = "TL0221", "settings were changed meanwhile";
    BAD_ALERTS = "TL0222", "the alerts of another program cannot be understood";

    MALFORMED = "TL0301", "the body is not OTLP";
    UNKNOWN_CONTENT_TYPE = "TL0302", "OTLP comes as protobuf or JSON only";
    UNKNOWN_ENCODING = "TL0303", "bodies are compressed with gzip or zstd only";
    TOO_LARGE = "TL0304", "the body is too large";
    OVERLOADED = "TL0305", "more arrives than the disk takes";
    NOT_STORED = "TL0306", "the body could not be stored";
    NO_SUCH_INTAKE = "TL0307", "OTLP/HTTP has three paths, and takes POST only";
    INTAKE_KEY_REQUIRED = "TL0308", "the server's key is missing or wrong";
    BODY_NOT_READ = "TL0309", "the body did not arrive whole or in time";
    FOREIGN_ORIGIN = "TL0310", "OTLP is not taken from pages of other origins";
    BAD_ENVELOPE = "TL0311", "a log line has an envelope that cannot be read";
    BAD_DELIVERY = "TL0312", "not a delivery of CloudWatch";
    BAD_METRICS = "TL0313", "a record of a metric stream cannot be read";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    }

    #[test]
    fn each_code_has_its_page() {
        let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
        for code in ALL {
            let page = std::fs::read_to_string(format!("{pages}/{code}.md"));
            let page = page.unwrap_or_else(|error| panic!("docs/errors/{code}.md: {error}"));
            let heading = format!("# {code}: {}\n", code.title);
            assert!(
                page.starts_with(&heading),
                "docs/errors/{code}.md must start with {heading:?}"
            );
            assert!(
                page.contains("## What helps"),
                "docs/errors/{code}.md must say what helps"
            );
        }
    }
}
