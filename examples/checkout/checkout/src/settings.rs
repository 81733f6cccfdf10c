//! What the environment tells this function, read once at the start.

/// Where the other functions are, and who this one is to them.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) region: String,
    /// Set where Lambda is not AWS's own: `AWS_ENDPOINT_URL_LAMBDA`, the variable that every AWS SDK knows.
    pub(crate) lambda_endpoint: Option<String>,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: Option<String>,
    pub(crate) inventory: String,
    pub(crate) notify: String,
}

/// A variable that must be there is not.
#[derive(Debug, thiserror::Error)]
#[error("cannot start without environment variable {0}")]
pub(crate) struct MissingVariable(&'static str);

impl Settings {
    pub(crate) fn from_env() -> Result<Self, MissingVariable> {
        // The process edge: everything behind it takes a `Settings`.
        #[allow(clippy::disallowed_methods)]
        Self::from_source(|name| std::env::var(name).ok())
    }

    fn from_source(read: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariable> {
        let required = |name| read(name).ok_or(MissingVariable(name));
        Ok(Self {
            region: required("AWS_REGION")?,
            lambda_endpoint: read("AWS_ENDPOINT_URL_LAMBDA"),
            access_key_id: required("AWS_ACCESS_KEY_ID")?,
            secret_access_key: required("AWS_SECRET_ACCESS_KEY")?,
            session_token: read("AWS_SESSION_TOKEN"),
            inventory: required("INVENTORY_FUNCTION")?,
            notify: required("NOTIFY_FUNCTION")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_variable_is_named() {
        let error = Settings::from_source(|name| (name != "NOTIFY_FUNCTION").then(String::new))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot start without environment variable NOTIFY_FUNCTION"
        );
    }
}
