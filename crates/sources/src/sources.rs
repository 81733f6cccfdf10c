//! All sources of a sandbox: checked, connected, started, shut down.

use std::collections::BTreeMap;
use std::time::Duration;

use throughline_sandbox::{
    Activity, EventSource, Function, Invoker, KafkaSource, RabbitMqSource, Resource, SqsSource,
    StreamSource,
};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tracing::warn;

use crate::aws::{Aws, Endpoint};
use crate::deliver::Stop;
use crate::depths::DeclaredQueues;
use crate::destination::{Teller, beyond_functions};
use crate::kafka;
use crate::names::name_of;
use crate::pattern::{BadPattern, Pattern};
use crate::queue::Queue;
use crate::rabbitmq;
use crate::reporter::{Reporter, SourceCounts, SourceEvent};
use crate::resources;
use crate::sqs;
use crate::stream::{self, Coordinator, StreamClient};
use crate::subscribed::{self, Drain, Subscribed, TakeDown};

/// The sources, destinations and resources of a sandbox, to be started.
pub struct Sources {
    invoker: Invoker,
    activity: broadcast::Receiver<Activity>,
    endpoint: Option<Endpoint>,
    resources: Vec<Resource>,
}

/// Sources at work.
///
/// [`RunningSources::shutdown`] lets batches end that are being worked on, and takes away what the sandbox has put into
/// topics, rules and buckets; dropping it does neither.
#[derive(Debug)]
pub struct RunningSources {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    reporters: Vec<Reporter>,
    take_downs: Vec<(Aws, TakeDown)>,
    events: broadcast::Sender<SourceEvent>,
    queues: Option<DeclaredQueues>,
}

/// Why the sources did not start.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nobody said where AWS's services are.
    #[error("{function} needs {source_name}, and nobody says where AWS's services are")]
    NoEndpoint {
        /// The first source, destination or resource that needs one.
        source_name: String,
        /// The function, or the application.
        function: String,
    },
    /// The endpoint does not answer, or has no such thing.
    #[error("cannot poll {source_name} for {function} at {endpoint}: {reason}")]
    CannotConnect {
        /// The source.
        source_name: String,
        /// The function.
        function: String,
        /// The endpoint.
        endpoint: Endpoint,
        /// What it said.
        reason: String,
    },
    /// A resource of the application is not there and was not made.
    #[error("cannot make sure of {resource} at {endpoint}: {reason}")]
    Lacking {
        /// The resource, as the application calls it.
        resource: String,
        /// The endpoint.
        endpoint: Endpoint,
        /// Why.
        reason: String,
    },
    /// A filter means nothing.
    #[error("cannot filter {source_name} for {function}: {reason}")]
    BadFilter {
        /// The source.
        source_name: String,
        /// The function.
        function: String,
        /// What is wrong.
        reason: BadPattern,
    },
}

impl Sources {
    /// The sources of the functions that the invoker reaches. The activity is that of the same sandbox.
    pub fn new(invoker: Invoker, activity: broadcast::Receiver<Activity>) -> Self {
        Self {
            invoker,
            activity,
            endpoint: None,
            resources: Vec::new(),
        }
    }

    /// Where AWS's services are.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Option<Endpoint>) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Resources that must be there first. They are made where they are not, but never at AWS.
    #[must_use]
    pub fn resources(mut self, resources: impl IntoIterator<Item = Resource>) -> Self {
        self.resources.extend(resources);
        self
    }

    /// Connects each source, and starts to poll. What is sent after this has returned is seen.
    ///
    /// # Errors
    /// There is no endpoint though something needs one; or a queue, stream, topic or bucket is not there.
    pub async fn start(self) -> Result<RunningSources, SourceError> {
        let (stop_sender, stop) = Stop::new();
        let (events, _) = broadcast::channel(EVENTS_MAX);
        let mut starting = Starting {
            invoker: self.invoker.clone(),
            stop,
            running: RunningSources {
                stop: stop_sender,
                tasks: JoinSet::new(),
                reporters: Vec::new(),
                take_downs: Vec::new(),
                events,
                queues: None,
            },
        };
        let functions = self.invoker.functions();
        starting.brokers(&functions).await?;
        let Some(endpoint) = self.endpoint else {
            return match first_need(&functions, &self.resources) {
                Some((source_name, function)) => Err(SourceError::NoEndpoint {
                    source_name,
                    function,
                }),
                None => Ok(starting.running),
            };
        };
        let aws = Aws::connect(endpoint).await;
        let ensured = resources::ensure(&aws, &self.resources).await;
        ensured.map_err(|lacking| SourceError::Lacking {
            resource: lacking.logical_id,
            endpoint: aws.endpoint.clone(),
            reason: lacking.reason,
        })?;
        starting.running.queues = Some(DeclaredQueues::of(&aws, &self.resources));
        let started = starting.all(&aws, &functions).await;
        if let Err(error) = started {
            // What was made for the sources before the one that failed shall not stay.
            starting.running.shutdown().await;
            return Err(error);
        }
        starting.teller(&aws, &functions, self.activity);
        Ok(starting.running)
    }
}

/// The first thing that needs an endpoint, and for whom.
fn first_need(functions: &[Function], resources: &[Resource]) -> Option<(String, String)> {
    let sources = functions.iter().flat_map(|function| {
        let named = function.sources().iter().filter_map(name_of_source);
        let told = beyond_functions(function).map(|_| "destinations".to_owned());
        let all = named.chain(told);
        all.map(|source| (source, function.name().to_owned()))
    });
    let resources = resources
        .iter()
        .map(|resource| (resource.logical_id.clone(), "the application".to_owned()));
    sources.chain(resources).next()
}

/// What lines and errors call a source; `None` for those that need no endpoint.
pub(crate) fn name_of_source(source: &EventSource) -> Option<String> {
    let (kind, name) = match source {
        EventSource::Http(_)
        | EventSource::Schedule(_)
        | EventSource::Kafka(_)
        | EventSource::RabbitMq(_) => return None,
        EventSource::Sqs(source) => ("sqs", &source.queue),
        EventSource::Sns(source) => ("sns", &source.topic),
        EventSource::EventBridge(source) => ("eventbridge", &source.rule),
        EventSource::Kinesis(source) => ("kinesis", &source.stream),
        EventSource::DynamoDb(source) => ("dynamodb", &source.stream),
        EventSource::S3(source) => ("s3", &source.bucket),
    };
    Some(format!("{kind} {}", name_of(name)))
}

/// Sources that are being connected.
struct Starting {
    invoker: Invoker,
    stop: Stop,
    running: RunningSources,
}

impl Starting {
    async fn all(&mut self, aws: &Aws, functions: &[Function]) -> Result<(), SourceError> {
        for function in functions {
            for source in function.sources() {
                self.source(aws, function, source).await?;
            }
        }
        Ok(())
    }

    /// Kafka's and RabbitMQ's, which need no endpoint of AWS.
    async fn brokers(&mut self, functions: &[Function]) -> Result<(), SourceError> {
        for function in functions {
            for source in function.sources() {
                match source {
                    EventSource::Kafka(source) if source.enabled => {
                        self.topic(function, source).await?;
                    }
                    EventSource::RabbitMq(source) if source.enabled => {
                        self.consumer(function, source).await?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    async fn consumer(
        &mut self,
        function: &Function,
        source: &RabbitMqSource,
    ) -> Result<(), SourceError> {
        let name = format!("rabbitmq {}", source.queue);
        let reporter = Reporter::new(&name, function.name(), &self.running.events);
        let connected = rabbitmq::connect(&self.invoker, &reporter, &self.stop, source).await;
        let (poller, consumer) = connected.map_err(|reason| SourceError::CannotConnect {
            source_name: name,
            function: function.name().to_owned(),
            endpoint: Endpoint::At(source.broker.clone()),
            reason,
        })?;
        self.running.tasks.spawn(poller.run(consumer));
        self.running.reporters.push(reporter);
        Ok(())
    }

    async fn topic(
        &mut self,
        function: &Function,
        source: &KafkaSource,
    ) -> Result<(), SourceError> {
        let name = format!("kafka {}", source.topic);
        let reporter = Reporter::new(&name, function.name(), &self.running.events);
        let connected = kafka::connect(&self.invoker, &reporter, &self.stop, source).await;
        let partitions = connected.map_err(|reason| SourceError::CannotConnect {
            source_name: name,
            function: function.name().to_owned(),
            endpoint: Endpoint::At(source.brokers.join(",")),
            reason,
        })?;
        for partition in partitions {
            self.running.tasks.spawn(partition.run());
        }
        self.running.reporters.push(reporter);
        Ok(())
    }

    async fn source(
        &mut self,
        aws: &Aws,
        function: &Function,
        source: &EventSource,
    ) -> Result<(), SourceError> {
        let Some(name) = name_of_source(source) else {
            return Ok(());
        };
        let reporter = Reporter::new(&name, function.name(), &self.running.events);
        let connected = match source {
            EventSource::Sqs(source) if source.enabled => {
                let filters = filters(&reporter, &source.filters)?;
                self.sqs(aws, &reporter, source, filters).await
            }
            EventSource::Kinesis(source) if source.enabled => {
                let filters = filters(&reporter, &source.filters)?;
                let stream = StreamClient::kinesis(aws, &source.stream).await;
                self.stream(aws, &reporter, function, source, filters, stream)
                    .await
            }
            EventSource::DynamoDb(source) if source.enabled => {
                let filters = filters(&reporter, &source.filters)?;
                let stream = StreamClient::dynamodb(aws, &source.stream).await;
                self.stream(aws, &reporter, function, source, filters, stream)
                    .await
            }
            EventSource::Sns(source) => {
                let subscribed = subscribed::sns(aws, function.name(), source).await;
                self.drain(aws, &reporter, subscribed)
            }
            EventSource::EventBridge(source) => {
                let pattern = subscribed::pattern_of(source);
                let pattern = pattern.map_err(|reason| bad_filter(&reporter, reason))?;
                let subscribed =
                    subscribed::eventbridge(aws, function.name(), source, pattern).await;
                self.drain(aws, &reporter, subscribed)
            }
            EventSource::S3(source) => {
                let subscribed = subscribed::s3(aws, function.name(), source).await;
                self.drain(aws, &reporter, subscribed)
            }
            _ => return Ok(()),
        };
        connected.map_err(|reason| SourceError::CannotConnect {
            source_name: name,
            function: function.name().to_owned(),
            endpoint: aws.endpoint.clone(),
            reason,
        })?;
        self.running.reporters.push(reporter);
        Ok(())
    }

    async fn sqs(
        &mut self,
        aws: &Aws,
        reporter: &Reporter,
        source: &SqsSource,
        filters: Vec<Pattern>,
    ) -> Result<(), String> {
        let poller = sqs::Poller {
            invoker: self.invoker.clone(),
            reporter: reporter.clone(),
            stop: self.stop.clone(),
            queue: Queue::open(&aws.sqs, &source.queue).await?,
            source: source.clone(),
            filters,
        };
        self.running.tasks.spawn(poller.run());
        Ok(())
    }

    async fn stream(
        &mut self,
        aws: &Aws,
        reporter: &Reporter,
        function: &Function,
        source: &StreamSource,
        filters: Vec<Pattern>,
        stream: Result<StreamClient, String>,
    ) -> Result<(), String> {
        let shared = stream::Shared {
            aws: aws.clone(),
            invoker: self.invoker.clone(),
            reporter: reporter.clone(),
            stop: self.stop.clone(),
            stream: stream?,
            source: source.clone(),
            filters,
            function_arn: function.arn(),
        };
        let coordinator = Coordinator::connect(shared).await?;
        self.running.tasks.spawn(coordinator.run());
        Ok(())
    }

    /// Begins to tell destinations that are no functions, if there are any.
    fn teller(
        &mut self,
        aws: &Aws,
        functions: &[Function],
        activity: broadcast::Receiver<Activity>,
    ) {
        let mut told = BTreeMap::new();
        for function in functions {
            if let Some(destinations) = beyond_functions(function) {
                let reporter = Reporter::new("destinations", function.name(), &self.running.events);
                self.running.reporters.push(reporter.clone());
                told.insert(function.name().to_owned(), (destinations, reporter));
            }
        }
        if told.is_empty() {
            return;
        }
        let teller = Teller {
            aws: aws.clone(),
            activity,
            stop: self.stop.clone(),
            functions: told,
        };
        self.running.tasks.spawn(teller.run());
    }

    fn drain(
        &mut self,
        aws: &Aws,
        reporter: &Reporter,
        subscribed: Result<Subscribed, String>,
    ) -> Result<(), String> {
        let subscribed = subscribed?;
        let drain = Drain {
            invoker: self.invoker.clone(),
            reporter: reporter.clone(),
            stop: self.stop.clone(),
            queue: subscribed.queue,
            translate: subscribed.translate,
        };
        self.running.tasks.spawn(drain.run());
        let take_down = (aws.clone(), subscribed.take_down);
        self.running.take_downs.push(take_down);
        Ok(())
    }
}

fn filters(
    reporter: &Reporter,
    patterns: &[serde_json::Value],
) -> Result<Vec<Pattern>, SourceError> {
    let compiled = patterns.iter().map(Pattern::try_new);
    compiled
        .collect::<Result<_, _>>()
        .map_err(|reason| bad_filter(reporter, reason))
}

fn bad_filter(reporter: &Reporter, reason: BadPattern) -> SourceError {
    SourceError::BadFilter {
        source_name: reporter.source.to_string(),
        function: reporter.function.to_string(),
        reason,
    }
}

impl RunningSources {
    /// What each source did since it was started.
    pub fn counts(&self) -> Vec<SourceCounts> {
        self.reporters.iter().map(Reporter::counts).collect()
    }

    /// The queues that the application declares; none without an endpoint.
    pub fn queues(&self) -> Option<DeclaredQueues> {
        self.queues.clone()
    }

    /// Everything that sources do from now on. A slow reader misses what it was too slow for, and is told how much.
    pub fn events(&self) -> broadcast::Receiver<SourceEvent> {
        self.events.subscribe()
    }

    /// Stops polling, waits some seconds for batches that are being worked on, and takes away what the sandbox has put
    /// into topics, rules and buckets. To be called before the sandbox itself is shut down.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            let unfinished = self.tasks.len();
            warn!(unfinished, "sources broken off in the middle of a batch");
            self.tasks.shutdown().await;
        }
        for (aws, take_down) in self.take_downs {
            take_down.run(&aws).await;
        }
    }
}

/// A listener that is this far behind misses events.
const EVENTS_MAX: usize = 4096;
/// How long batches may go on that are being worked on when the sandbox ends.
const GRACE: Duration = Duration::from_secs(10);
