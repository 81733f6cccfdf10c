//! Every limit of the store, with the reason for its value.

use std::time::Duration;

/// Bytes of WAL after which a buffer is sealed. A span with eleven attributes is 600 bytes on the
/// wire and no more in a buffer, so this is some 100 000 spans. The fewer and larger segments are,
/// the better they compress and the less there is to look into.
pub(crate) const BUFFER_BYTES_MAX: u64 = 64 << 20;

/// How long a row may stay in a buffer before it is sealed although the buffer is small.
pub(crate) const SEAL_INTERVAL: Duration = Duration::from_secs(60);

/// WAL and buffer bytes of all generations that are not yet segments. Senders are turned away
/// above it: it bounds memory, and how long the replay after a crash takes.
pub(crate) const UNSEALED_BYTES_MAX: u64 = 1 << 30;

/// Requests waiting for the writer. At 100 groups a second this is half a second of 10 000
/// requests a second.
pub(crate) const QUEUE_MAX: usize = 4096;

/// Bytes of one group commit. An fdatasync costs the same from 4 KiB to about 1 MiB; above this
/// the first in the group would wait for the last.
pub(crate) const GROUP_BYTES_MAX: usize = 8 << 20;

/// One body in the WAL. The server takes at most 64 MiB.
pub(crate) const BODY_BYTES_MAX: usize = 128 << 20;

/// Bodies from this size on, and below [`BUILD_ASIDE_BYTES`], are made into a batch while they are checked:
/// some hundred rows, for which a batch of their own is cheaper than to look through them twice.
pub(crate) const BUILD_AT_ONCE_BYTES: usize = 64 << 10;

/// Bodies from this size on are made into a batch on a thread of their own. It takes some
/// milliseconds.
pub(crate) const BUILD_ASIDE_BYTES: usize = 1 << 20;

/// Answers are held back from this part of [`UNSEALED_BYTES_MAX`] on. A sender that waits for them
/// sends less, and is spared being turned away.
pub(crate) const ACK_DELAY_FROM_PERCENT: u64 = 80;

/// How long an answer is held back at the most, when the budget is used up. Far below the ten seconds
/// after which exporters give up and send again.
pub(crate) const ACK_DELAY_MAX: Duration = Duration::from_secs(2);

/// Rows of the WAL that a replay makes into one batch.
pub(crate) const REPLAY_ROWS: usize = 8192;

/// A sender is asked to wait as long as the last seal took, within these bounds.
pub(crate) const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);

/// See [`RETRY_AFTER_MIN`].
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// How long after a failed write of the WAL a new file is tried, and how long senders are asked to wait.
pub(crate) const WAL_RETRY: Duration = Duration::from_secs(1);

/// How long to wait before a failed seal is tried again.
pub(crate) const SEAL_RETRY: Duration = Duration::from_secs(5);

/// The span of time of one segment, in nanoseconds.
pub(crate) const WINDOW_NANOS: u64 = 600 * 1_000_000_000;

/// Segments of one signal that one seal may write. Rows with times all over history get wider
/// windows, so that they cannot make thousands of files.
pub(crate) const WINDOWS_MAX: usize = 32;

/// Damaged files of one name that are kept.
pub(crate) const SAME_NAME_MAX: u32 = 1000;

/// How often one read begins anew because it met a damaged segment, which is set aside meanwhile.
pub(crate) const READ_ATTEMPTS_MAX: u32 = 100;

/// Rows that are read at once where an index is made again.
pub(crate) const INDEX_AGAIN_ROWS: u32 = 64 << 10;

/// Operations listed for one service.
pub(crate) const OPERATIONS_MAX: usize = 100;

/// Services counted in one segment or buffer. Rows of further services are stored and found, but
/// their services are not listed.
pub(crate) const SERVICES_MAX: usize = 2000;

/// Traces or log records on one page.
pub(crate) const PAGE_MAX: usize = 1000;

/// Spans on one page of traces. A page ends early at it.
pub(crate) const PAGE_SPANS_MAX: usize = 100_000;

/// Spans, and log records, of one trace that are read at once.
pub(crate) const TRACE_ROWS_MAX: usize = 200_000;

/// Steps of one search. A step is one look into an index, some 100 ns: all of them take less than
/// a second.
pub(crate) const WORK_MAX: u64 = 4_000_000;

/// Steps of one search that may go into counting matches beyond the page: some fifty milliseconds, which
/// a page that is there already may wait for a total.
pub(crate) const COUNT_WORK_MAX: u64 = 250_000;

/// Steps that reading and checking one row counts as.
pub(crate) const ROW_STEPS: u64 = 20;

/// Steps that checking a few columns of one row counts as.
pub(crate) const COLUMN_STEPS: u64 = 1;

/// Bytes of trace indexes kept in memory.
pub(crate) const INDEX_CACHE_BYTES: usize = 64 << 20;

/// Rows of a range of a segment of which is known what words it may have. A rare word costs the reading
/// of one range.
pub(crate) const RANGE_ROWS: u32 = 16 << 10;

/// Words of one range that are told apart. One with more may have any.
pub(crate) const RANGE_WORDS_MAX: usize = 256 << 10;

/// Bytes kept in memory to find single traces: for some twenty million of them.
pub(crate) const LOOKUP_CACHE_BYTES: usize = 32 << 20;

/// Bytes of Parquet footers kept in memory. Whatever is read of a file needs its footer; by estimate
/// they take 0.6 MB for a million spans, so that those of a hundred million stay.
pub(crate) const FOOTER_CACHE_BYTES: usize = 80 << 20;

/// Bytes of decoded traces kept in memory.
pub(crate) const TRACE_CACHE_BYTES: usize = 32 << 20;

/// Metric points decoded at once by a search.
pub(crate) const BLOCK_ROWS: u32 = 2048;

/// Names of spans of one service in one rollup. Programs that put ids into names have more, and nobody
/// looks at them one by one.
pub(crate) const ROLLUP_SERVICE_NAMES_MAX: usize = 500;

/// Names of spans of all services in one rollup.
pub(crate) const ROLLUP_NAMES_MAX: usize = 10_000;

/// Environments in one rollup. Whoever has one for each branch has some tens.
pub(crate) const ROLLUP_ENVIRONMENTS_MAX: usize = 200;

/// Bytes of rollups kept in memory: some 200,000 rows.
pub(crate) const ROLLUP_CACHE_BYTES: usize = 64 << 20;

/// Spans of time, in nanoseconds, the longest first, for each of which the totals of all rollups are kept as one sum
/// once somebody has asked about all of it.
pub(crate) const ADDED_UP_NANOS: [u64; 3] = {
    const HOUR: u64 = 3_600 * 1_000_000_000;
    [24 * HOUR, 6 * HOUR, 2 * HOUR]
};

/// Rows of such a sum. Where there are more, names have ids in them, and the rollups are read one by one.
pub(crate) const ADDED_UP_ROWS_MAX: usize = 50_000;

/// Bytes of such sums kept in memory: some 60,000 rows, of which the durations take most.
pub(crate) const ADDED_UP_CACHE_BYTES: usize = 64 << 20;

/// Edges of one minute in one segment. A map with more of them is no map; what makes more are ids in names.
pub(crate) const EDGES_A_MINUTE_MAX: usize = 500;

/// Edges of one segment, whatever their minutes.
pub(crate) const EDGES_MAX: usize = 10_000;

/// Bytes of a name at an edge, or of its operation; longer ones are cut.
pub(crate) const EDGE_NAME_BYTES_MAX: usize = 256;

/// Bytes of edges kept in memory.
pub(crate) const EDGES_CACHE_BYTES: usize = 32 << 20;

/// Minutes of functions in the costs of one segment.
pub(crate) const COSTS_MAX: usize = 20_000;

/// Bytes of costs kept in memory.
pub(crate) const COSTS_CACHE_BYTES: usize = 8 << 20;

/// Ends of links that one segment knows by their hashes, twelve bytes each while they are collected.
pub(crate) const LINK_ENDS_MAX: usize = 8 << 20;

/// Keys of links, or links, that one span has.
pub(crate) const LINKS_A_SPAN_MAX: usize = 1000;

/// Bytes of indexes of links kept in memory.
pub(crate) const LINKS_CACHE_BYTES: usize = 64 << 20;

/// Rows of segments without an index of links that one lookup reads to make one.
pub(crate) const LINKS_ROWS_READ_MAX: u32 = 2 << 20;

/// Traces that are found by one end of a link.
pub(crate) const LINKED_TRACES_MAX: usize = 1000;

/// Keys of attributes, each with a type, that a census counts.
pub(crate) const CENSUS_KEYS_MAX: usize = 1000;

/// Values of one key in a census.
pub(crate) const CENSUS_VALUES_MAX: usize = 32;

/// Values of one key that are counted to find those.
pub(crate) const CENSUS_CANDIDATES_MAX: usize = 512;

/// Bytes of a value that a census shows. Longer ones are nothing to choose from a list.
pub(crate) const CENSUS_VALUE_BYTES_MAX: usize = 128;

/// Rows of a segment whose values are all counted.
pub(crate) const CENSUS_WHOLE_ROWS: usize = 16 << 10;

/// Beyond those, one row in so many. Looking at all of them would make a seal a tenth longer.
pub(crate) const CENSUS_EVERY: usize = 16;

/// Segments, the newest of a signal, whose censuses are asked for the keys and values that there are.
pub(crate) const CENSUS_SEGMENTS_MAX: usize = 256;

/// Bytes of censuses kept in memory.
pub(crate) const CENSUS_CACHE_BYTES: usize = 16 << 20;

/// Environments of which the writer remembers the highest batch number; the others it looks up in
/// the catalog, some 20 us each. An entry is about 120 bytes.
pub(crate) const KNOWN_ENVIRONMENTS_MAX: usize = 1 << 16;

/// Ranges of batch numbers of one environment that are looked at when it is judged. Batches arrive
/// nearly in order, so that an honest environment has a few.
pub(crate) const RANGES_MAX: u32 = 10_000;

/// Missing batches listed for one function.
pub(crate) const MISSING_MAX: usize = 100;

/// Environments listed for one function that never said that they end.
pub(crate) const OPEN_MAX: usize = 100;

/// Environments with something missing that one report looks into.
pub(crate) const REPORT_ENVIRONMENTS_MAX: usize = 20_000;

/// Functions in one report.
pub(crate) const REPORT_FUNCTIONS_MAX: usize = 200;

/// Attributes of one segment with a column of their own. Each takes some 250 bytes of the footer
/// and of memory while the file is written.
pub(crate) const PROMOTED_MAX: usize = 256;

/// Distinct attribute keys that are counted to choose columns. Programs that put ids into keys have
/// more, none of which would get a column.
pub(crate) const KEYS_COUNTED_MAX: usize = 10_000;

/// Rows of a segment that is made from others. A window with more gets several.
pub(crate) const SEGMENT_ROWS_MAX: u32 = 2 << 20;

/// Segments merged at once. Of each some thousand rows are in memory.
pub(crate) const MERGED_MAX: usize = 16;

/// Rows of one segment that are in memory while it is merged.
pub(crate) const MERGE_BLOCK_ROWS: u32 = if cfg!(test) { 16 } else { 4096 };

/// Rows of all segments of a merge that are kept because they are wanted out of their turn.
pub(crate) const MERGE_ASIDE_ROWS_MAX: usize = if cfg!(test) { 64 } else { 64 << 10 };

/// Rows that are in memory where a segment is read from end to end. The largest trace may add to it.
pub(crate) const WHOLE_ROWS: u32 = 8192;

/// Segments of one window that are merged while more may come. A seal a minute makes some ten.
pub(crate) const MERGED_MIN: usize = 8;

/// How long after its end a window is taken to get hardly anything more.
pub(crate) const QUIET_AFTER: Duration = Duration::from_secs(600);

/// How often is looked for something to merge, should nothing be sealed.
pub(crate) const COMPACTION_INTERVAL: Duration = Duration::from_secs(30);

/// Merges that fail in one round. What lets several fail, such as a full disk, lets more fail.
pub(crate) const MERGE_FAILURES_MAX: u32 = 3;

/// How long segments whose merge failed are left alone; twice as long after each further failure.
pub(crate) const MERGE_RETRY_MIN: Duration = Duration::from_secs(60);

/// See [`MERGE_RETRY_MIN`].
pub(crate) const MERGE_RETRY_MAX: Duration = Duration::from_secs(3600);

/// Segments that are dropped in one transaction of the catalog. There may be several in a row.
pub(crate) const RETENTION_SEGMENTS_MAX: usize = 500;

/// Environments that are forgotten in one transaction.
pub(crate) const PRUNED_ENVIRONMENTS_MAX: u32 = 1000;

/// How often is looked for environments to forget, which takes reading all that are known.
pub(crate) const PRUNE_INTERVAL: Duration = Duration::from_secs(3600);

/// How long nobody must have sent or asked anything for merges to take no rest.
pub(crate) const COMPACTION_ALONE_AFTER: Duration = Duration::from_secs(2);

/// Segments waiting to be merged from which on merges take no rest. A seal a minute leaves some twenty of
/// each signal.
pub(crate) const COMPACTION_HURRY_FROM: u64 = 64;

/// Segments waiting to be merged from which on answers are held back, the longer the more there are, up to
/// [`ACK_DELAY_MAX`]. Each costs every query a look into it, and memory; senders that wait leave the
/// processor to the merges.
pub(crate) const ACK_DELAY_UNMERGED: [u64; 2] = if cfg!(test) { [16, 1024] } else { [256, 1024] };

/// The longest rest between two batches of a merge.
pub(crate) const COMPACTION_REST_MAX: Duration = Duration::from_secs(1);

/// Rows of one batch of a scan: enough that the work for a batch does not count, few enough that
/// their columns stay in the processor's cache.
pub(crate) const SCAN_ROWS: usize = 8192;

/// Segments, the newest, that are asked which kinds an attribute's values have. Each is read once for
/// that, some milliseconds, and remembered.
pub(crate) const KIND_SEGMENTS_MAX: usize = 64;

/// Bytes of the remembered kinds.
pub(crate) const KINDS_CACHE_BYTES: usize = 8 << 20;

/// Bytes of what is remembered of spans that were sent twice.
pub(crate) const COPIES_CACHE_BYTES: usize = 8 << 20;

/// Rows that a search reads before it looks whether it has enough: large enough that opening a file
/// does not count, small enough that the newest of a large segment are found in some milliseconds.
pub(crate) const SEARCH_BLOCK_ROWS: u32 = if cfg!(test) { 16 } else { 64 << 10 };

/// Rows that a split reads whole before it shows them.
pub(crate) const SPLIT_ROWS: usize = if cfg!(test) { 8 } else { 1024 };

/// Spans that are read at once with the traces that they are in, unless one trace has more.
pub(crate) const SPLIT_TRACE_ROWS: usize = if cfg!(test) { 16 } else { 8192 };

/// Rows that a search goes on to count when its page is full, unless all are asked for.
pub(crate) const COUNT_ROWS_MAX: u64 = 300_000;

/// Conditions of one search.
pub(crate) const CONDITIONS_MAX: usize = 100;

/// How deep they may be nested.
pub(crate) const CONDITION_DEPTH_MAX: usize = 16;

/// Values of one `in`.
pub(crate) const CONDITION_VALUES_MAX: usize = 1000;

/// A record that is this much older than the one after which somebody follows again is not looked for.
pub(crate) const TAIL_LATE_NANOS: u64 = 3600 * 1_000_000_000;
