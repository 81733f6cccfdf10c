//! How often each rule found something, so that users can see it work.

use std::collections::BTreeMap;
use std::fmt;

/// What made a piece of text a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The name it stood under.
    Key,
    /// A payment card number: known issuer, right length, right check digit.
    Card,
    /// A JSON Web Token.
    Jwt,
    /// The id of an AWS access key.
    AwsKey,
    /// An AWS secret access key.
    AwsSecret,
    /// A private key in PEM.
    PrivateKey,
    /// What follows `Bearer` or `Basic`.
    Bearer,
    /// A token with the prefix of its vendor.
    Token,
    /// The password in a URL.
    UrlPassword,
    /// The local part of an e-mail address.
    Email,
    /// A United States social security number.
    Ssn,
    /// An international bank account number.
    Iban,
    /// The last part of an IPv4 address.
    Ipv4,
    /// Nested so deep that it is not looked at.
    Depth,
    /// A payload that the mode keeps back, or of which only the shape leaves.
    Payload,
    /// A payload that was too long.
    Cut,
    /// A body that is a secret as a whole.
    Withheld,
    /// A pattern of the user's, by its name.
    User(String),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Key => "key",
            Rule::Card => "card",
            Rule::Jwt => "jwt",
            Rule::AwsKey => "aws-key",
            Rule::AwsSecret => "aws-secret",
            Rule::PrivateKey => "private-key",
            Rule::Bearer => "bearer",
            Rule::Token => "token",
            Rule::UrlPassword => "url-password",
            Rule::Email => "email",
            Rule::Ssn => "ssn",
            Rule::Iban => "iban",
            Rule::Ipv4 => "ipv4",
            Rule::Depth => "depth",
            Rule::Payload => "payload",
            Rule::Cut => "cut",
            Rule::Withheld => "withheld",
            Rule::User(name) => name,
        })
    }
}

/// How often each rule applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Rule, u64>);

impl Counts {
    pub(crate) fn add(&mut self, rule: Rule) {
        *self.0.entry(rule).or_default() += 1;
    }

    /// How often this rule applied.
    pub fn of(&self, rule: &Rule) -> u64 {
        self.0.get(rule).copied().unwrap_or_default()
    }

    /// How often any rule applied.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The rules that applied at least once.
    pub fn iter(&self) -> impl Iterator<Item = (&Rule, u64)> {
        self.0.iter().map(|(rule, count)| (rule, *count))
    }
}
