//! Lines on stdout, which Lambda writes to CloudWatch Logs. Whoever reads it may be slow, and must not
//! hold up the end of the environment.

use std::io::Write;
use std::thread;

use throughline_extension::Event;
use throughline_extension::outbox::Key;

use super::inbox::Inbox;

/// Writes a line on a thread of its own, which the end of the process does not wait for. The answer
/// is an event.
pub(super) fn print(key: Key, line: String, inbox: &Inbox) {
    let (answer, again) = (inbox.clone(), key.clone());
    let write = move || {
        let mut stdout = std::io::stdout().lock();
        let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
        let done = written.is_ok();
        answer.tell(Event::Printed { key, done });
    };
    let thread = thread::Builder::new().name("stdout".to_owned());
    if thread.spawn(write).is_err() {
        inbox.tell(Event::Printed {
            key: again,
            done: false,
        });
    }
}
