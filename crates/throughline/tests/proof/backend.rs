//! The rows of the matrix: what the server and the way to it do.

use std::time::Duration;

use throughline_sandbox::DoorState;
use throughline_testkit::intake::Answer;

use crate::run::Run;

/// A server in some condition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    what: What,
    /// Whether it is so from the very start, or once it has taken something.
    pub(crate) from_start: bool,
    /// Whether it is well again before the last invocation, some minutes later.
    pub(crate) comes_back: bool,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Answers(Answer),
    Door(DoorState),
}

pub(crate) const BACKENDS: &[Backend] = &[
    answers("up", Answer::Take),
    answers("slow to answer", Answer::Slow(Duration::from_millis(150))),
    door(
        "slow network",
        DoorState::Slow {
            delay: Duration::from_millis(60),
            bytes_per_second: Some(200_000),
        },
    ),
    door("refuses", DoorState::Refuse),
    door("refuses from the start", DoorState::Refuse).at_once(),
    door("black hole", DoorState::BlackHole),
    door("black hole from the start", DoorState::BlackHole).at_once(),
    answers("never answers", Answer::Hang),
    answers("429, come back in 1 s", Answer::TooMany { retry_after: 1 }),
    answers(
        "429, come back in 1 h",
        Answer::TooMany { retry_after: 3600 },
    ),
    answers("503", Answer::Status(503)),
    answers("400", Answer::Status(400)),
    answers("cuts in the body", Answer::CutInBody),
    answers("takes and cuts", Answer::TakeAndCut),
    door("refuses, back after 10 min", DoorState::Refuse).comes_back(),
    door("black hole, back after 10 min", DoorState::BlackHole).comes_back(),
    answers("503, back after 10 min", Answer::Status(503)).comes_back(),
];

const fn answers(name: &'static str, answer: Answer) -> Backend {
    Backend {
        name,
        what: What::Answers(answer),
        from_start: false,
        comes_back: false,
    }
}

const fn door(name: &'static str, state: DoorState) -> Backend {
    Backend {
        what: What::Door(state),
        ..answers(name, Answer::Take)
    }
}

impl Backend {
    const fn at_once(self) -> Self {
        Backend {
            from_start: true,
            ..self
        }
    }

    const fn comes_back(self) -> Self {
        Backend {
            comes_back: true,
            ..self
        }
    }

    /// Whether what is sent arrives in the end, though perhaps not at once.
    pub(crate) fn takes(&self) -> bool {
        self.comes_back
            || match self.what {
                What::Answers(answer) => {
                    matches!(answer, Answer::Take | Answer::Slow(_) | Answer::TakeAndCut)
                }
                What::Door(state) => matches!(state, DoorState::Slow { .. }),
            }
    }

    /// From now on it is as it is named.
    pub(crate) async fn strike(&self, run: &Run) {
        match self.what {
            What::Answers(answer) => run.intake.answer(answer).await,
            What::Door(state) => set(run, state),
        }
    }

    /// Ten minutes later it is well, if it is one that comes back.
    pub(crate) async fn mend(&self, run: &Run) {
        if self.comes_back {
            run.sandbox.advance(Duration::from_secs(600));
            run.intake.answer(Answer::Take).await;
            set(run, DoorState::Open);
        }
    }
}

fn set(run: &Run, state: DoorState) {
    let doors = run.sandbox.doors();
    doors.set(DOOR, state).expect("there is the door");
}

/// The door to the server.
pub(crate) const DOOR: &str = "server";
