//! Who does what is confirmed: nobody, this process, or the function of `deploy/actuator`.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use anyhow::Context;
use throughline_act::{FunctionName, Order, UnixSeconds};
use throughline_actuator::{Aws, invoke, perform};
use throughline_server::{Actuation, Actuator, Following};

/// The setting `actions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ActionsBy {
    /// Nobody.
    Off,
    /// This process, with the credentials that it finds.
    Local,
    /// The function of this name.
    Lambda(FunctionName),
}

impl FromStr for ActionsBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "off" => Ok(ActionsBy::Off),
            None if text == "local" => Ok(ActionsBy::Local),
            Some(("lambda", name)) => {
                let name = name.parse();
                name.map(ActionsBy::Lambda)
                    .map_err(|error: throughline_act::BadAction| error.to_string())
            }
            _ => Err("write it as off, local or lambda:NAME".to_owned()),
        }
    }
}

impl fmt::Display for ActionsBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActionsBy::Off => f.write_str("off"),
            ActionsBy::Local => f.write_str("local"),
            ActionsBy::Lambda(name) => write!(f, "lambda:{name}"),
        }
    }
}

impl ActionsBy {
    /// With the account, region and credentials that the environment says.
    pub(crate) async fn actuation(self) -> anyhow::Result<Actuation> {
        if self == ActionsBy::Off {
            return Ok(Actuation::default());
        }
        let aws = Aws::load().await;
        let aws = aws.with_context(|| format!("cannot act with --actions {self}"))?;
        Ok(Actuation::by(Account { aws, by: self }))
    }
}

/// This process, in the account that is pretended at an endpoint beside it, and in no other.
pub(crate) fn beside(endpoint: &str) -> anyhow::Result<Actuation> {
    let aws = Aws::pretended(endpoint, SANDBOX_REGION).context("cannot act in the demo")?;
    let by = ActionsBy::Local;
    Ok(Actuation::by(Account { aws, by }))
}

/// An account, and who acts in it.
struct Account {
    aws: Aws,
    by: ActionsBy,
}

impl Actuator for Account {
    fn place(&self) -> String {
        self.by.to_string()
    }

    fn follow(&self, order: Order) -> Following<'_> {
        Box::pin(async move {
            match &self.by {
                ActionsBy::Lambda(name) => invoke(&self.aws, &name.to_string(), &order).await,
                ActionsBy::Off | ActionsBy::Local => perform(&self.aws, order, now()).await,
            }
        })
    }
}

#[allow(clippy::disallowed_methods)] // the edge: how long a policy denies counts from when it is put
fn now() -> UnixSeconds {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixSeconds(now.map_or(0, |since| since.as_secs()))
}

/// Where the sandbox says that its functions are.
const SANDBOX_REGION: &str = "us-east-1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_acts_is_read_as_it_is_written() {
        for text in ["off", "local", "lambda:throughline-actuator"] {
            assert_eq!(text.parse::<ActionsBy>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "on",
            "lambda",
            "lambda:",
            "lambda:a/b",
            "local:x",
            "Off",
        ] {
            assert!(wrong.parse::<ActionsBy>().is_err(), "{wrong}");
        }
    }
}
