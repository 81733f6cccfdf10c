//! Who does in the account what was confirmed.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use throughline_act::{
    Action, Before, DryRun, Failure, FunctionName, Order, Plan, Report, SourceState, UnixSeconds,
};

/// What an order becomes.
pub type Following<'a> = Pin<Box<dyn Future<Output = Result<Report, Failure>> + Send + 'a>>;

/// Does in the account what was confirmed.
pub trait Actuator: Send + Sync + 'static {
    /// Where it does so, as `--actions` has it: `local`, `lambda:NAME`.
    fn place(&self) -> String;
    /// Follows one order.
    fn follow(&self, order: Order) -> Following<'_>;
}

/// Whether anything in the account may be changed, and by whom.
#[derive(Clone, Default)]
pub struct Actuation(Option<Arc<dyn Actuator>>);

impl Actuation {
    /// By this one.
    pub fn by(actuator: impl Actuator) -> Self {
        Actuation(Some(Arc::new(actuator)))
    }

    /// `off`, or where it is done.
    pub(crate) fn place(&self) -> String {
        let place = self.0.as_ref().map(|actuator| actuator.place());
        place.unwrap_or_else(|| OFF.to_owned())
    }

    /// Whether anything in the account may be changed.
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// By the actuator; what changes nothing in the account needs none.
    pub(super) async fn follow(
        &self,
        action: &Action,
        order: Order,
        now: UnixSeconds,
    ) -> Result<Report, Failure> {
        if action.function().is_none() {
            return here(action, &order, now);
        }
        self.by_actuator(order).await
    }

    /// From where a function takes events. Nothing is asked where nothing may be changed.
    pub(super) async fn sources(
        &self,
        function: FunctionName,
    ) -> Result<Vec<SourceState>, Failure> {
        let report = self.by_actuator(Order::Sources { function }).await?;
        Ok(report.before.sources)
    }

    async fn by_actuator(&self, order: Order) -> Result<Report, Failure> {
        let Some(actuator) = &self.0 else {
            return Err(Failure::new(OFF, NOBODY));
        };
        match tokio::time::timeout(PATIENCE, actuator.follow(order)).await {
            Ok(followed) => followed,
            Err(_) => Err(Failure::new("unreachable", "no answer within two minutes")),
        }
    }
}

impl fmt::Debug for Actuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Actuation({})", self.place())
    }
}

/// What changes nothing in the account is done by being written down.
fn here(action: &Action, order: &Order, now: UnixSeconds) -> Result<Report, Failure> {
    let id = match order {
        Order::Look { id, .. } | Order::Act { id, .. } | Order::Undo { id, .. } => id,
        Order::Sources { .. } => return Err(Failure::new("bad_order", "there is no account here")),
    };
    let before = Before::default();
    let plan = Plan::of(action, id, now, &before);
    Ok(Report {
        plan: Some(plan.map_err(|error| Failure::new("impossible", error))?),
        before,
        dry_run: DryRun::None,
        done: Vec::new(),
    })
}

const OFF: &str = "off";
const NOBODY: &str =
    "nothing in the account is changed: this server was started with --actions off";
/// More than an actuator takes that waits for Lambda to make a change.
const PATIENCE: Duration = Duration::from_secs(120);
