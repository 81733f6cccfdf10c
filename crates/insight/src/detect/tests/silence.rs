use super::*;

/// After how many minutes it is told that nobody comes any more, where so many came each minute of four days; and from
/// which of these minutes on it is told to be so.
fn told(each_minute: u64, late: &[(Minute, u64)]) -> Option<(Minute, Minute)> {
    let mut detector = Detector::default();
    let subject = Subject::Node(node("pay"));
    let ends = START + 4 * DAY;
    for minute in START..ends {
        detector.take(&subject, nanos_of(minute), &calls(each_minute));
        detector.learn(nanos_of(minute + 1));
    }
    (ends..ends + 60).find_map(|minute| {
        if let Some((_, count)) = late.iter().find(|(at, _)| ends + at == minute) {
            detector.take(&subject, nanos_of(minute), &calls(*count));
        }
        detector.tick(nanos_of(minute + 1));
        let incident = detector.incidents().first()?;
        let since = minute_of(incident.findings.first()?.finding.since);
        Some((minute + 1 - ends, since - ends))
    })
}

#[test]
fn silence_is_told_the_sooner_the_more_came() {
    // It is told when it was so twice.
    assert_eq!(told(20, &[]), Some((11, 0)));
    assert_eq!(told(6, &[]), Some((11, 0)));
    assert_eq!(told(5, &[]), Some((16, 0)), "25 in five minutes");
    assert_eq!(told(1, &[]), Some((16, 0)));
}

#[test]
fn one_that_is_late_is_still_of_before() {
    assert_eq!(told(200, &[(0, 3), (2, 1)]), Some((11, 0)));
    assert_eq!(told(20, &[(0, 20), (1, 9)]), Some((13, 2)));
}

#[test]
fn bursts_that_come_a_little_later_are_no_silence() {
    let mut detector = Detector::default();
    let subject = Subject::Node(node("pay"));
    let late = START + 4 * DAY;
    for minute in START..late + 30 {
        // Every five minutes, once four minutes late.
        let after = minute % 5;
        let comes = match (late..late + 5).contains(&minute) {
            true => after == 4,
            false => after == 0,
        };
        if comes {
            detector.take(&subject, nanos_of(minute), &calls(40));
        }
        match minute < late {
            true => detector.learn(nanos_of(minute + 1)),
            false => drop(detector.tick(nanos_of(minute + 1))),
        }
    }
    assert_eq!(open(&detector), []);
}
