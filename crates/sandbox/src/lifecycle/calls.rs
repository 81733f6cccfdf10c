//! The calls of the three APIs: which are allowed when, and what the others get.

use bytes::Bytes;

use super::effect::{Effect, Reply, Verdict};
use super::environment::{EXTENSIONS_MAX, Environment, Phase};
use super::event::{ApiCall, Body, CallId, ResponseMode, Role, RuntimeAnswer};
use super::extension::{Extension, ExtensionState, RuntimeState};
use super::fault::{Fault, RESPONSE_BYTES_MAX, Refusal, error_payload, known_error_type};
use super::platform;
use super::running::{Response, Running};
use super::subscription::{LogsOrTelemetry, Profile, Subscription};
use crate::function::Initialization;
use crate::invoke::Outcome;
use crate::time::UnixNanos;

/// What a call gets: an immediate reply, a refusal, or `None` while it has to wait.
pub(super) type Handled = Result<Option<Reply>, Refusal>;

impl Environment {
    pub(super) fn call(
        &mut self,
        call: CallId,
        api_call: ApiCall,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) {
        let handled = match api_call {
            ApiCall::RestoreNext => self.restore_next(call),
            ApiCall::RestoreError { error_type, body } => {
                self.restore_error(error_type.as_deref(), body)
            }
            ApiCall::RuntimeNext => self.runtime_next(call, out),
            ApiCall::RuntimeAnswer(answer) => self.runtime_answer(answer, now, out),
            ApiCall::StreamStart {
                request_id,
                attempt,
                content_type,
            } => self.stream_start(call, &request_id, attempt.as_deref(), content_type, out),
            ApiCall::StreamEnd(end) => self.stream_end(end, now, out),
            ApiCall::RuntimeInitError { error_type, body } => {
                self.runtime_init_error(error_type.as_deref(), body)
            }
            ApiCall::Register {
                name,
                events,
                fresh_id,
                with_account,
            } => self.register(&name, &events, fresh_id, with_account),
            ApiCall::ExtensionNext { identifier } => {
                self.extension_next(call, identifier.as_deref())
            }
            ApiCall::ExtensionInitError {
                identifier,
                error_type,
            } => self.extension_init_error(identifier.as_deref(), error_type),
            ApiCall::ExtensionExitError {
                identifier,
                error_type,
            } => self.extension_exit_error(identifier.as_deref(), error_type),
            ApiCall::Subscribe {
                api,
                identifier,
                body,
            } => self.subscribe(api, identifier.as_deref(), &body, out),
        };
        match handled {
            Ok(Some(reply)) => out.push(Effect::Reply(call, reply)),
            Ok(None) => {}
            Err(refusal) => out.push(Effect::Reply(call, Reply::Refused(refusal))),
        }
    }

    fn runtime_next(&mut self, call: CallId, out: &mut Vec<Effect>) -> Handled {
        self.check_runtime_lives()?;
        if self.spec.initialization.is_managed() {
            return self.worker_next(call);
        }
        match (self.runtime, &self.phase) {
            (
                RuntimeState::InitError
                | RuntimeState::Responding
                | RuntimeState::RestoreReady
                | RuntimeState::RestoreError,
                _,
            ) => Err(Refusal::runtime_transition(self.runtime.name(), "Ready")),
            // Asking again before answering gets the same event again.
            (RuntimeState::Running, Phase::AwaitResponse(running)) => {
                let (invocation, deadline) = (running.invocation.clone(), running.deadline);
                Ok(Some(Reply::Invocation {
                    invocation,
                    deadline,
                }))
            }
            _ => {
                self.runtime = RuntimeState::Ready;
                // One that asks again has given its first call up; should it still listen, it hears so.
                if let Some(earlier) = self.runtime_waiting.replace(call) {
                    let refusal = Refusal::runtime_transition("Ready", "Ready");
                    out.push(Effect::Reply(earlier, Reply::Refused(refusal)));
                }
                Ok(None)
            }
        }
    }

    fn restore_next(&mut self, call: CallId) -> Handled {
        self.check_snapshots()?;
        self.check_runtime_lives()?;
        if self.runtime != RuntimeState::Started {
            return Err(Refusal::runtime_transition(self.runtime.name(), "Ready"));
        }
        self.runtime = RuntimeState::RestoreReady;
        self.runtime_waiting = Some(call);
        Ok(None)
    }

    fn restore_error(&mut self, error_type: Option<&str>, body: Bytes) -> Handled {
        self.check_snapshots()?;
        if self.runtime != RuntimeState::Restoring {
            return Err(Refusal::runtime_transition(
                self.runtime.name(),
                RuntimeState::RestoreError.name(),
            ));
        }
        self.runtime = RuntimeState::RestoreError;
        let payload = (!body.is_empty()).then_some(body);
        self.fail(Fault {
            payload,
            ..Fault::new(
                &known_error_type(error_type),
                "the runtime failed after the restore",
            )
        });
        Ok(Some(Reply::Accepted))
    }

    /// A straggler from before a reset must not pass for the runtime that comes after it.
    fn check_runtime_lives(&self) -> Result<(), Refusal> {
        if self.alive.contains(&Role::Runtime) {
            Ok(())
        } else {
            Err(Refusal::internal())
        }
    }

    /// Without SnapStart the paths of the restore do not exist.
    fn check_snapshots(&self) -> Result<(), Refusal> {
        if self.spec.initialization == Initialization::SnapStart {
            Ok(())
        } else {
            Err(Refusal::no_such_path())
        }
    }

    fn runtime_answer(
        &mut self,
        answer: RuntimeAnswer,
        now: UnixNanos,
        out: &mut Vec<Effect>,
    ) -> Handled {
        if self.spec.initialization.is_managed() {
            return self.crowd_answer(answer, now, out);
        }
        let wanted = match answer.mode {
            ResponseMode::Error => "InvocationErrorResponse",
            ResponseMode::Response | ResponseMode::InvalidMode => "InvocationResponse",
        };
        let running = self.answered_by(
            &answer.request_id,
            answer.attempt.as_deref(),
            (RuntimeState::Running, RuntimeState::ResponseSent),
            wanted,
        )?;
        let (verdict, refusal) = judge(answer.mode, answer.body);
        let produced_bytes = if verdict.outcome == Outcome::Returned {
            verdict.payload.len()
        } else {
            0
        };
        running.response = Some(Response {
            first_byte: answer.first_byte,
            last_byte: now,
            produced_bytes,
        });
        running.outcome = Some(verdict.outcome);
        running.error_cause = answer.error_cause;
        out.push(Effect::Answer(answer.request_id, verdict));
        refusal.map_or(Ok(Some(Reply::Accepted)), Err)
    }

    /// The invocation that this answer is for, if the runtime may take this step now; then it has taken it.
    pub(super) fn answered_by(
        &mut self,
        request_id: &str,
        attempt: Option<&str>,
        (from, to): (RuntimeState, RuntimeState),
        wanted: &str,
    ) -> Result<&mut Running, Refusal> {
        let running = self
            .phase
            .running()
            .filter(|running| running.invocation.request_id == request_id)
            .ok_or_else(|| late_or_unknown(&self.timed_out, request_id))?;
        if attempt.is_some_and(|attempt| attempt != running.invocation.attempt) {
            return Err(Refusal::invoke_timeout());
        }
        if self.runtime != from {
            return Err(Refusal::runtime_transition(self.runtime.name(), wanted));
        }
        self.runtime = to;
        Ok(running)
    }

    fn runtime_init_error(&mut self, error_type: Option<&str>, body: Bytes) -> Handled {
        if self.runtime != RuntimeState::Started {
            return Err(Refusal::runtime_transition(
                self.runtime.name(),
                "InitError",
            ));
        }
        self.runtime = RuntimeState::InitError;
        let error_type = known_error_type(error_type);
        let payload = (!body.is_empty()).then_some(body);
        self.fail(Fault {
            payload,
            ..Fault::new(&error_type, "the runtime failed to initialize")
        });
        Ok(Some(Reply::Accepted))
    }

    fn register(
        &mut self,
        name: &str,
        events: &[String],
        fresh_id: String,
        with_account: bool,
    ) -> Handled {
        if name.is_empty() {
            return Err(Refusal::forbidden(
                "Extension.InvalidExtensionName",
                "Empty extension name",
            ));
        }
        let external = self
            .extensions
            .iter()
            .position(|extension| extension.name == name && extension.is_external());
        let managed = self.spec.initialization.is_managed();
        if managed && external.is_none() && !events.is_empty() {
            return Err(Refusal::forbidden(
                "Extension.InvalidEventType",
                "No events allowed for internal extensions",
            ));
        }
        for event in events {
            match event.as_str() {
                "INVOKE" if managed => return Err(invalid_event(event, "invalid event type")),
                "INVOKE" => {}
                "SHUTDOWN" if external.is_some() => {}
                "SHUTDOWN" => {
                    return Err(invalid_event(
                        event,
                        "event not supported for internal extensions",
                    ));
                }
                _ => return Err(invalid_event(event, "invalid event type")),
            }
        }
        let index = match external {
            Some(index) => index,
            None => self.admit_internal(name)?,
        };
        let extension = &mut self.extensions[index];
        if extension.state != ExtensionState::Started {
            return Err(Refusal::extension_transition(
                extension.state.name(),
                "Registered",
                &extension.name,
            ));
        }
        extension.state = ExtensionState::Registered;
        extension.invoke = events.iter().any(|event| event == "INVOKE");
        extension.shutdown = events.iter().any(|event| event == "SHUTDOWN");
        extension.identifier = Some(fresh_id.clone());
        Ok(Some(Reply::Registered {
            identifier: fresh_id,
            with_account,
        }))
    }

    fn admit_internal(&mut self, name: &str) -> Result<usize, Refusal> {
        if !matches!(
            self.phase,
            Phase::AwaitRegistration(_) | Phase::AwaitRuntime(_)
        ) {
            return Err(Refusal::forbidden(
                "Extension.RegistrationClosed",
                "Extension registration closed already",
            ));
        }
        if self
            .extensions
            .iter()
            .any(|extension| extension.name == name)
        {
            let message = "Extension with this name already registered";
            return Err(Refusal::forbidden(
                "Extension.InvalidExtensionState",
                message,
            ));
        }
        if self.extensions.len() >= EXTENSIONS_MAX {
            let message = format!("Extension limit ({EXTENSIONS_MAX}) reached");
            return Err(Refusal::forbidden("Extension.TooManyExtensions", message));
        }
        self.extensions.push(Extension::internal(name));
        Ok(self.extensions.len() - 1)
    }

    fn extension_next(&mut self, call: CallId, identifier: Option<&str>) -> Handled {
        let extension = self.identify(identifier)?;
        if let Some(event) = extension.owed.take() {
            extension.delivered = Some((call, event.clone()));
            return Ok(Some(event));
        }
        match extension.state {
            ExtensionState::Registered | ExtensionState::Running => {
                extension.state = ExtensionState::Ready;
                extension.delivered = None;
                extension.waiting = Some(call);
                Ok(None)
            }
            state => Err(Refusal::extension_transition(
                state.name(),
                "Ready",
                identifier.unwrap_or_default(),
            )),
        }
    }

    fn extension_init_error(
        &mut self,
        identifier: Option<&str>,
        error_type: Option<String>,
    ) -> Handled {
        let error_type = required_error_type(error_type);
        let extension = self.identify(identifier)?;
        let error_type = error_type?;
        match extension.state {
            ExtensionState::InitError => Ok(Some(Reply::Accepted)),
            ExtensionState::Registered => {
                let message = format!(
                    "extension {} failed to initialize: {error_type}",
                    extension.name
                );
                extension.state = ExtensionState::InitError;
                extension.error_type = Some(error_type);
                self.fail(Fault::new("Extension.InitError", message));
                Ok(Some(Reply::Accepted))
            }
            state => Err(Refusal::extension_transition(
                state.name(),
                "InitError",
                identifier.unwrap_or_default(),
            )),
        }
    }

    fn extension_exit_error(
        &mut self,
        identifier: Option<&str>,
        error_type: Option<String>,
    ) -> Handled {
        let error_type = required_error_type(error_type);
        let extension = self.identify(identifier)?;
        let error_type = error_type?;
        match extension.state {
            ExtensionState::ExitError => Ok(Some(Reply::Accepted)),
            ExtensionState::Registered | ExtensionState::Ready | ExtensionState::Running => {
                let message = format!("extension {} gave up: {error_type}", extension.name);
                extension.state = ExtensionState::ExitError;
                extension.error_type = Some(error_type);
                self.fail(Fault::new("Extension.ExitError", message));
                Ok(Some(Reply::Accepted))
            }
            state => Err(Refusal::extension_transition(
                state.name(),
                "ExitError",
                identifier.unwrap_or_default(),
            )),
        }
    }

    fn subscribe(
        &mut self,
        api: LogsOrTelemetry,
        identifier: Option<&str>,
        body: &[u8],
        out: &mut Vec<Effect>,
    ) -> Handled {
        let open = matches!(
            self.phase,
            Phase::AwaitRegistration(_) | Phase::AwaitRuntime(_) | Phase::AwaitExtensions(_)
        );
        if api == LogsOrTelemetry::Logs && self.spec.initialization.is_managed() {
            return Err(Refusal::no_such_path());
        }
        let profile = Profile::of(self.spec.initialization);
        let extension = self.identify(identifier)?;
        if !open {
            let api = api.name();
            return Err(Refusal::forbidden(
                &format!("{api}.SubscriptionClosed"),
                format!("{api} API subscription is closed"),
            ));
        }
        let invalid = |problems| Refusal::new(400, "ValidationError", problems);
        if let Some(other) = extension.subscribed.filter(|other| *other != api) {
            let other = other.name();
            return Err(invalid(format!("already subscribed to the {other} API")));
        }
        let subscription = Subscription::parse(api, profile, body).map_err(invalid)?;
        extension.subscribed = Some(api);
        let name = extension.name.clone();
        out.push(Effect::Emit(platform::subscription(
            api,
            &name,
            &subscription.types(),
        )));
        out.push(Effect::Subscribe {
            extension: name,
            subscription,
        });
        Ok(Some(Reply::Subscribed))
    }

    fn identify(&mut self, identifier: Option<&str>) -> Result<&mut Extension, Refusal> {
        let Some(identifier) = identifier.filter(|identifier| !identifier.is_empty()) else {
            let message = "Missing Lambda-Extension-Identifier header";
            return Err(Refusal::forbidden(
                "Extension.MissingExtensionIdentifier",
                message,
            ));
        };
        if uuid::Uuid::parse_str(identifier).is_err() {
            let message = "Invalid Lambda-Extension-Identifier";
            return Err(Refusal::forbidden(
                "Extension.InvalidExtensionIdentifier",
                message,
            ));
        }
        let found = self
            .extensions
            .iter_mut()
            .find(|extension| extension.identifier.as_deref() == Some(identifier));
        found.ok_or_else(|| {
            Refusal::forbidden(
                "Extension.UnknownExtensionIdentifier",
                format!("Unknown extension {identifier}"),
            )
        })
    }
}

/// What the caller gets for the runtime's answer, and what the runtime gets if that was not all right.
pub(super) fn judge(mode: ResponseMode, body: Body) -> (Verdict, Option<Refusal>) {
    let failed =
        |error_type: &str, message: &str| Verdict::failed(error_payload(error_type, message));
    match (mode, body) {
        (ResponseMode::Response, Body::Whole(payload)) => (Verdict::returned(payload), None),
        (ResponseMode::Error, Body::Whole(payload)) => (Verdict::failed(payload), None),
        (ResponseMode::InvalidMode, _) => {
            let message = "Invalid function response mode";
            (
                failed("Runtime.InvalidResponseModeHeader", message),
                Some(Refusal::invalid_response_mode()),
            )
        }
        (_, Body::TooLarge { bytes }) => {
            let message = format!(
                "Response payload size ({bytes} bytes) exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
            );
            (
                failed("Function.ResponseSizeTooLarge", &message),
                Some(Refusal::too_large(RESPONSE_BYTES_MAX)),
            )
        }
        (_, Body::Truncated) => (
            failed(
                "Runtime.TruncatedResponse",
                "The response of the runtime was cut",
            ),
            Some(Refusal::truncated()),
        ),
    }
}

pub(super) fn late_or_unknown(
    timed_out: &std::collections::VecDeque<String>,
    request_id: &str,
) -> Refusal {
    if timed_out.iter().any(|late| late == request_id) {
        Refusal::invoke_timeout()
    } else {
        Refusal::invalid_request_id()
    }
}

fn invalid_event(event: &str, why: &str) -> Refusal {
    Refusal::forbidden("Extension.InvalidEventType", format!("{event}: {why}"))
}

fn required_error_type(error_type: Option<String>) -> Result<String, Refusal> {
    error_type
        .filter(|error_type| !error_type.is_empty())
        .ok_or_else(|| {
            Refusal::forbidden(
                "Extension.MissingHeader",
                "Lambda-Extension-Function-Error-Type not found",
            )
        })
}
