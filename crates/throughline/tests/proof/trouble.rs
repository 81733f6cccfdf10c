//! The columns of the matrix: what happens to the function, the extension and the environment.

/// What goes wrong in the second invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// The function's time is over.
    Timeout,
    /// The function's process ends.
    Crash,
    /// The kernel kills it for its memory.
    OutOfMemory,
    /// The extension is killed while the function runs.
    KillExtension,
    /// The extension is killed while the environment is frozen.
    KillFrozenExtension,
    /// The environment is gone without notice.
    DropEnvironment,
    /// The environment is shut down as soon as the function has answered.
    SpinDown,
    /// The function sends far more than may wait.
    Flood,
}

impl Trouble {
    pub(crate) const ALL: &[Trouble] = &[
        Trouble::None,
        Trouble::Timeout,
        Trouble::Crash,
        Trouble::OutOfMemory,
        Trouble::KillExtension,
        Trouble::KillFrozenExtension,
        Trouble::DropEnvironment,
        Trouble::SpinDown,
        Trouble::Flood,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Trouble::None => "no trouble",
            Trouble::Timeout => "timeout",
            Trouble::Crash => "crash",
            Trouble::OutOfMemory => "out of memory",
            Trouble::KillExtension => "extension killed",
            Trouble::KillFrozenExtension => "extension killed while frozen",
            Trouble::DropEnvironment => "environment dropped",
            Trouble::SpinDown => "spin-down at once",
            Trouble::Flood => "flood",
        }
    }

    /// Whether the function would have lived on without the extension.
    pub(crate) fn is_of_extension(self) -> bool {
        matches!(self, Trouble::KillExtension | Trouble::KillFrozenExtension)
    }
}
