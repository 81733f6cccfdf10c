//! Event sources of a sandbox, at any endpoint that speaks AWS.
