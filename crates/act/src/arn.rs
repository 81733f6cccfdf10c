//! Names of things in an account.

use crate::action::{Class, Resource, ResourceKind};

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:REST`, in its parts.
pub(crate) struct Arn<'a> {
    pub(crate) partition: &'a str,
    region: &'a str,
    account: &'a str,
    pub(crate) rest: &'a str,
}

impl<'a> Arn<'a> {
    pub(crate) fn parse(text: &'a str, service: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition, of) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let is_one = arn == "arn" && of == service && !rest.is_empty();
        is_one.then_some(Arn {
            partition,
            region,
            account,
            rest,
        })
    }

    /// The ARNs of a resource that lies where this function does, for these operations.
    pub(crate) fn beside(&self, resource: &Resource, class: Class) -> Vec<String> {
        let Arn {
            partition,
            region,
            account,
            ..
        } = self;
        let name = resource.name();
        let of = |service: &str, rest: String| {
            format!("arn:{partition}:{service}:{region}:{account}:{rest}")
        };
        match resource.kind() {
            ResourceKind::Table => {
                let mut all = vec![
                    of("dynamodb", format!("table/{name}")),
                    of("dynamodb", format!("table/{name}/index/*")),
                ];
                if class == Class::All {
                    all.push(of("dynamodb", format!("table/{name}/stream/*")));
                }
                all
            }
            ResourceKind::Queue => vec![of("sqs", name.to_owned())],
            ResourceKind::Topic => vec![of("sns", name.to_owned())],
            // Names of buckets are the same in all regions and accounts.
            ResourceKind::Bucket => {
                let bucket = format!("arn:{partition}:s3:::{name}");
                match class {
                    Class::Write => vec![format!("{bucket}/*")],
                    Class::All => vec![bucket.clone(), format!("{bucket}/*")],
                }
            }
            ResourceKind::Bus => vec![of("events", format!("event-bus/{name}"))],
            ResourceKind::Stream => vec![of("kinesis", format!("stream/{name}"))],
            ResourceKind::Function => vec![
                of("lambda", format!("function:{name}")),
                of("lambda", format!("function:{name}:*")),
            ],
        }
    }
}
