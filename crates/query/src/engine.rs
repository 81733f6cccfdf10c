//! Runs queries: within their limits, and apart from everything else.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNode;
use datafusion::config::Dialect;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::collect;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use thread_priority::{ThreadPriority, ThreadPriorityValue};
use throughline_store::{Dataset, ReadError, Scan};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::counts::{self, Counts, End};
use crate::error::QueryError;
use crate::names::{self, Names};
use crate::spec::{Plan, QueryAnswer, Spec};
use crate::table::{Cost as Counters, Table};
use crate::watch::{Waiting, Wanted};

/// Runs queries on threads of its own.
#[derive(Debug)]
pub struct Engine {
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    threads: usize,
    turns: Arc<Semaphore>,
    searches: Arc<Semaphore>,
    background: Arc<Semaphore>,
    standing: Arc<Semaphore>,
    limits: Limits,
    counts: Arc<counts::Counters>,
    background_counts: Arc<counts::Counters>,
}

/// What a query may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time until it is given up.
    pub time: Duration,
    /// Memory for groups, sorts and joins, in bytes.
    pub memory_bytes: usize,
    /// Rows of an answer. What there is beyond them is left out, and the answer says so.
    pub rows: usize,
    /// Queries at once. Others wait, which counts as their time.
    pub queries: usize,
    /// Searches at once. They do not wait for queries.
    pub searches: usize,
    /// Time after which a search answers with what it has found.
    pub search_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            time: Duration::from_secs(30),
            memory_bytes: 512 << 20,
            rows: 10_000,
            queries: 2,
            searches: 4,
            search_time: Duration::from_secs(10),
        }
    }
}

/// What a query found.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// Whether there were more rows than an answer may have.
    pub truncated: bool,
    /// What it took.
    pub cost: Cost,
}

impl Answer {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// What a query took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Rows that were looked at.
    pub rows: u64,
    /// Bytes of columns, unpacked, that were looked at.
    pub bytes: u64,
    /// Segments and buffers that were read.
    pub segments: u64,
    /// Of those the rollups: rows that were summed up when they were sealed.
    pub rollups: u64,
    /// From the question to the answer.
    pub elapsed: Duration,
}

impl Engine {
    /// Starts `threads` threads, and more for reading files as queries need them. The kernel runs all
    /// of them after other threads, so that a query costs an acknowledgement little.
    pub fn start(threads: usize, limits: Limits) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("query")
            .on_thread_start(yield_to_others)
            .enable_time()
            .build()?;
        Ok(Engine {
            runtime: Some(runtime),
            threads,
            turns: Arc::new(Semaphore::new(limits.queries)),
            counts: Arc::default(),
            searches: Arc::new(Semaphore::new(limits.searches)),
            background: Arc::new(Semaphore::new(1)),
            standing: Arc::new(Semaphore::new(1)),
            background_counts: Arc::default(),
            limits,
        })
    }

    /// What queries may take.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How many queries there are, and what became of those that there were.
    pub fn counts(&self) -> Counts {
        self.counts.read()
    }

    /// Runs a statement that reads. Dropping the future stops the query.
    pub async fn sql(&self, scan: Scan, sql: &str) -> Result<Answer, QueryError> {
        let (wanted, answer) = self.statement(scan, sql);
        self.run(wanted, Arc::clone(&self.turns), answer).await
    }

    /// The same for what the server asks by itself: one at a time, not counted, and none takes the turn of
    /// somebody who waits.
    pub async fn background_sql(&self, scan: Scan, sql: &str) -> Result<Answer, QueryError> {
        let (wanted, answer) = self.statement(scan, sql);
        self.run_in_background(wanted, answer).await
    }

    /// The same for a statement that somebody has set to be asked again and again, as [`Engine::standing_query`] does.
    pub async fn standing_sql(&self, scan: Scan, sql: &str) -> Result<Answer, QueryError> {
        let (wanted, answer) = self.statement(scan, sql);
        let turns = Arc::clone(&self.standing);
        let counts = Arc::clone(&self.background_counts);
        self.run_counted(wanted, turns, counts, answer).await
    }

    fn statement(
        &self,
        scan: Scan,
        sql: &str,
    ) -> (
        Waiting,
        impl Future<Output = Result<Answer, QueryError>> + Send + use<>,
    ) {
        let mut session = self.session(scan);
        let sql = sql.to_owned();
        let wanted = session.wanted.wait();
        let answer = async move {
            loop {
                let answer = session.sql(&sql).await;
                if answer.is_ok() || !session.leaves_damage_out() {
                    return answer;
                }
            }
        };
        (wanted, answer)
    }

    /// Runs a query of the product's own form. Dropping the future stops it.
    pub async fn query(
        &self,
        scan: Scan,
        spec: &Spec,
        now: throughline_telemetry::UnixNanos,
    ) -> Result<QueryAnswer, QueryError> {
        let (wanted, answer) = self.question(scan, Plan::new(spec, now)?);
        self.run(wanted, Arc::clone(&self.turns), answer).await
    }

    /// The same for a query that somebody has set to be asked again and again: one at a time, not counted, and none
    /// takes the turn of somebody who waits, or of what the server asks by itself.
    pub async fn standing_query(
        &self,
        scan: Scan,
        spec: &Spec,
        now: throughline_telemetry::UnixNanos,
    ) -> Result<QueryAnswer, QueryError> {
        let (wanted, answer) = self.question(scan, Plan::new(spec, now)?);
        let turns = Arc::clone(&self.standing);
        let counts = Arc::clone(&self.background_counts);
        self.run_counted(wanted, turns, counts, answer).await
    }

    fn question(
        &self,
        scan: Scan,
        plan: Plan,
    ) -> (
        Waiting,
        impl Future<Output = Result<QueryAnswer, QueryError>> + Send + use<>,
    ) {
        let mut session = self.session(scan);
        let wanted = session.wanted.wait();
        let answer = async move {
            loop {
                let answer = session.query(&plan).await;
                if answer.is_ok() || !session.leaves_damage_out() {
                    return answer;
                }
            }
        };
        (wanted, answer)
    }

    /// Whether a query can be asked at all: that each part of it is one, and the parts fit together.
    pub fn check(spec: &Spec, now: throughline_telemetry::UnixNanos) -> Result<(), QueryError> {
        Plan::new(spec, now).map(|_| ())
    }

    /// Does something on a thread of the engine that may block.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, QueryError> {
        let runtime = self.runtime.as_ref().expect("there until the drop");
        let done = runtime.spawn_blocking(work).await;
        done.map_err(|error| QueryError::Failed(error.to_string()))
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// The turns of queries.
    pub(crate) fn turns(&self) -> Arc<Semaphore> {
        Arc::clone(&self.turns)
    }

    /// The turns of searches.
    pub(crate) fn searches(&self) -> Arc<Semaphore> {
        Arc::clone(&self.searches)
    }

    pub(crate) async fn run<T: Send + 'static>(
        &self,
        wanted: Waiting,
        turns: Arc<Semaphore>,
        query: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<T, QueryError> {
        let counts = Arc::clone(&self.counts);
        self.run_counted(wanted, turns, counts, query).await
    }

    /// Of what the server asks by itself one at a time.
    pub(crate) async fn run_in_background<T: Send + 'static>(
        &self,
        wanted: Waiting,
        query: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<T, QueryError> {
        let turns = Arc::clone(&self.background);
        let counts = Arc::clone(&self.background_counts);
        self.run_counted(wanted, turns, counts, query).await
    }

    async fn run_counted<T: Send + 'static>(
        &self,
        // Until the answer is there or its caller has gone.
        _wanted: Waiting,
        turns: Arc<Semaphore>,
        counts: Arc<counts::Counters>,
        query: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<T, QueryError> {
        let asked = counts.ask();
        let mut task = JoinSet::new(); // stops what runs in it when it is dropped
        let runtime = self.runtime.as_ref().expect("there until the drop");
        let time = self.limits.time;
        task.spawn_on(
            async move {
                // Held until the query has really stopped, which an operator that works on rows
                // already in memory does later than its caller goes away.
                let _turn = turns.acquire().await;
                let _running = counts.run();
                query.await
            },
            runtime.handle(),
        );
        let answer = match tokio::time::timeout(time, task.join_next()).await {
            Err(_) => Err(QueryError::TooSlow(time)),
            Ok(Some(Ok(answer))) => answer,
            Ok(Some(Err(error))) => Err(QueryError::Failed(error.to_string())),
            Ok(None) => Err(QueryError::Failed("the query did not start".to_owned())),
        };
        asked.ended(match &answer {
            Ok(_) => End::Answered,
            Err(QueryError::TooSlow(_)) => End::TooSlow,
            Err(_) => End::Failed,
        });
        answer
    }

    fn session(&self, scan: Scan) -> Session {
        let mut config = SessionConfig::new()
            .with_target_partitions(self.threads)
            .with_information_schema(true);
        config.options_mut().sql_parser.dialect = Dialect::PostgreSQL;
        Session {
            scan,
            config,
            limits: self.limits,
            cost: Arc::default(),
            wanted: Wanted::default(),
            begun: now(),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// One query.
pub(crate) struct Session {
    pub(crate) scan: Scan,
    pub(crate) config: SessionConfig,
    limits: Limits,
    pub(crate) cost: Arc<Counters>,
    pub(crate) wanted: Wanted,
    begun: Instant,
}

impl Session {
    /// Goes on without a segment that was found damaged. If none was, there is nothing to ask again.
    fn leaves_damage_out(&mut self) -> bool {
        let Some(rest) = self.cost.rest() else {
            return false;
        };
        self.scan = rest;
        self.cost = Arc::default();
        true
    }

    async fn sql(&self, sql: &str) -> Result<Answer, QueryError> {
        let state = self.context(&Names::default())?.state();
        let mut statement = state.sql_to_statement(sql, &Dialect::PostgreSQL)?;
        let names = match &mut statement {
            Statement::Statement(statement) => names::resolve(statement),
            Statement::Explain(explain) => match &mut *explain.statement {
                Statement::Statement(statement) => names::resolve(statement),
                _ => return Err(QueryError::Invalid(ONLY_READS.to_owned())),
            },
            _ => return Err(QueryError::Invalid(ONLY_READS.to_owned())),
        };
        let context = self.context(&names)?;
        let plan = context.state().statement_to_plan(statement).await?;
        let only_reads = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        only_reads
            .verify_plan(&plan)
            .map_err(|_| QueryError::Invalid(ONLY_READS.to_owned()))?;
        let frame = context.execute_logical_plan(plan).await?;
        self.collect(frame).await
    }

    /// Runs a plan, and takes no more rows than an answer may have.
    pub(crate) async fn collect(&self, frame: DataFrame) -> Result<Answer, QueryError> {
        let rows_max = self.limits.rows;
        let schema: SchemaRef = Arc::clone(frame.schema().inner());
        let explains = frame.logical_plan().exists(|plan| {
            Ok(matches!(
                plan,
                datafusion::logical_expr::LogicalPlan::Explain(_)
                    | datafusion::logical_expr::LogicalPlan::Analyze(_)
            ))
        })?;
        // One more than may be, to see whether there is more. An explanation must stay on top.
        let frame = if explains {
            frame
        } else {
            frame.limit(0, Some(rows_max + 1))?
        };
        let (state, plan) = frame.into_parts();
        let plan = state.create_physical_plan(&plan).await?;
        let plan = self.wanted.watch(plan)?;
        let mut batches = collect(plan, state.task_ctx()).await?;
        let truncated = cut(&mut batches, rows_max);
        Ok(Answer {
            schema,
            batches,
            truncated,
            cost: self.cost(),
        })
    }

    /// A context with all datasets, each with the attributes that are asked for.
    pub(crate) fn context(&self, names: &Names) -> Result<SessionContext, QueryError> {
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(GreedyMemoryPool::new(self.limits.memory_bytes)))
            .with_disk_manager_builder(
                DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
            )
            .build_arc()?;
        let context = SessionContext::new_with_config_rt(self.config.clone(), runtime);
        for dataset in Dataset::ALL {
            let attributes = names.datasets.get(&dataset).cloned().unwrap_or_default();
            let table = self.table(dataset, attributes)?;
            context.register_table(dataset.name(), Arc::new(table))?;
        }
        Ok(context)
    }

    pub(crate) fn table(
        &self,
        dataset: Dataset,
        attributes: impl IntoIterator<Item = String>,
    ) -> Result<Table, QueryError> {
        let table = Table::new(
            dataset,
            attributes,
            self.scan.clone(),
            Arc::clone(&self.cost),
        );
        table.map_err(|error| self.failed(&error))
    }

    /// That something stored could not be read.
    pub(crate) fn failed(&self, error: &ReadError) -> QueryError {
        self.cost.note(&self.scan, error);
        QueryError::Failed(error.to_string())
    }

    fn cost(&self) -> Cost {
        Cost {
            rows: self.cost.rows.load(Ordering::Relaxed),
            bytes: self.cost.bytes.load(Ordering::Relaxed),
            segments: self.cost.parts.load(Ordering::Relaxed),
            rollups: self.cost.rollups.load(Ordering::Relaxed),
            elapsed: self.begun.elapsed(),
        }
    }
}

/// Leaves `rows_max` rows, and says whether there were more.
pub(crate) fn cut(batches: &mut Vec<RecordBatch>, rows_max: usize) -> bool {
    let mut left = rows_max;
    let mut more = false;
    batches.retain_mut(|batch| {
        let rows = batch.num_rows();
        if rows > left {
            more = true;
            *batch = batch.slice(0, left);
        }
        left -= batch.num_rows();
        batch.num_rows() > 0
    });
    more
}

/// Nine steps down of twenty: a busy thread of everything else gets some seven times as much of a
/// processor.
fn yield_to_others() {
    let priority = ThreadPriorityValue::try_from(PRIORITY).map(ThreadPriority::Crossplatform);
    // Whoever may not do even that has queries that are in the way of others, but has them.
    let _ = priority.map(thread_priority::set_current_thread_priority);
}

/// Of 99, which a thread has half of.
const PRIORITY: u8 = 25;

#[allow(clippy::disallowed_methods)] // the edge that measures how long a query takes
pub(crate) fn now() -> Instant {
    Instant::now()
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        QueryError::of(&error)
    }
}

const ONLY_READS: &str = "only statements that read are run: SELECT, WITH, SHOW and EXPLAIN";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn threads_of_queries_are_nice() {
        let engine = Engine::start(1, Limits::default()).expect("threads");
        let wanted = Wanted::default().wait();
        let read = async {
            let read =
                tokio::task::spawn_blocking(|| std::fs::read_to_string("/proc/thread-self/stat"));
            Ok(read.await.expect("it runs").expect("Linux has it"))
        };
        let stat = engine
            .run(wanted, engine.searches(), read)
            .await
            .expect("it answers");
        // After the name in parentheses the fields are counted from the third.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        assert_eq!(fields[19 - 3], "9", "{stat}");
    }
}
