use super::*;

fn at(text: &str) -> UnixNanos {
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap();
    let days = days_from_civil(i64::from(number(0..4)), number(5..7), number(8..10));
    let seconds = u64::try_from(days).unwrap() * 86_400
        + u64::from(number(11..13) * 3600 + number(14..16) * 60);
    UnixNanos::from_millis(seconds * 1000)
}

/// The first times after a moment, as `2026-11-21T10:15`.
fn times(cron: &str, after: &str, count: usize) -> Vec<String> {
    let cron = Cron::parse(cron).unwrap();
    let mut now = at(after);
    let mut times = Vec::new();
    while let Some(next) = cron.next_after(now).filter(|_| times.len() < count) {
        times.push(next.to_string()[..16].to_owned());
        now = next;
    }
    times
}

#[test]
fn examples_of_the_aws_guide() {
    // 2026-11-21 is a Saturday.
    let cases: [(&str, [&str; 2]); 12] = [
        ("0 10 * * ? *", ["2026-11-21T10:00", "2026-11-22T10:00"]),
        ("15 12 * * ? *", ["2026-11-21T12:15", "2026-11-22T12:15"]),
        (
            "0 18 ? * MON-FRI *",
            ["2026-11-23T18:00", "2026-11-24T18:00"],
        ),
        ("0 8 1 * ? *", ["2026-12-01T08:00", "2027-01-01T08:00"]),
        ("0/15 * * * ? *", ["2026-11-21T09:15", "2026-11-21T09:30"]),
        (
            "0/5 8-17 ? * MON-FRI *",
            ["2026-11-23T08:00", "2026-11-23T08:05"],
        ),
        ("0 9 ? * 2#1 *", ["2026-12-07T09:00", "2027-01-04T09:00"]),
        ("30 0 ? * 6L *", ["2026-11-27T00:30", "2026-12-25T00:30"]),
        ("15 10 L * ? *", ["2026-11-30T10:15", "2026-12-31T10:15"]),
        ("0 0 29 2 ? *", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        (
            "0 0 ? JAN,jul SUN 2027-2028",
            ["2027-01-03T00:00", "2027-01-10T00:00"],
        ),
        (
            "0 22 ? * FRI-MON *",
            ["2026-11-21T22:00", "2026-11-22T22:00"],
        ),
    ];
    for (cron, expected) in cases {
        assert_eq!(times(cron, "2026-11-21T09:00", 2), expected, "{cron}");
    }
}

#[test]
fn nearest_weekday_stays_in_its_month() {
    // 2027-05-01 is a Saturday, 2027-05-30 and 2027-10-31 are Sundays.
    let cases = [
        ("0 0 1W * ? *", "2027-04-30T00:00", "2027-05-03T00:00"),
        ("0 0 30W * ? *", "2027-05-02T00:00", "2027-05-31T00:00"),
        ("0 0 31W * ? *", "2027-10-01T00:00", "2027-10-29T00:00"),
        ("0 0 31W * ? *", "2027-11-01T00:00", "2027-12-31T00:00"),
        ("0 0 LW * ? *", "2027-10-01T00:00", "2027-10-29T00:00"),
        ("0 0 15W * ? *", "2027-05-02T00:00", "2027-05-14T00:00"),
    ];
    for (cron, after, expected) in cases {
        assert_eq!(times(cron, after, 1), [expected], "{cron} after {after}");
    }
}

#[test]
fn years_end() {
    assert!(times("0 0 1 1 ? 2025", "2026-01-01T00:00", 1).is_empty());
    assert!(times("0 0 31 2 ? *", "2026-01-01T00:00", 1).is_empty());
}

#[test]
fn what_is_no_cron_says_why() {
    let cases = [
        (
            "0 10 * * *",
            "expected six fields (minutes, hours, day of month, month, day of week, year), found 5",
        ),
        ("0 10 * * * *", "one of the day fields is ?"),
        ("0 10 ? * ? *", "only one of the day fields is ?"),
        ("60 10 * * ? *", "minutes: expected 0 to 59, found \"60\""),
        ("0 10 * FOO ? *", "month: expected 1 to 12, found \"FOO\""),
        ("0 10 ? * 0 *", "day of week: expected 1 to 7, found \"0\""),
        ("0/0 10 * * ? *", "minutes: 0/0: a step is 1 or more"),
        ("0 10 ? * 2#6 *", "2#6: after # comes a number from 1 to 5"),
    ];
    for (cron, expected) in cases {
        assert_eq!(Cron::parse(cron), Err(expected.to_owned()), "{cron}");
    }
}

/// Random expressions agree with trying every minute, by rules written a second time.
#[test]
fn next_is_the_first_minute_that_counts() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..300 {
        let text = random_cron(&mut random);
        let cron = Cron::parse(&text).unwrap();
        let minute = at("2026-01-01T00:00").as_secs() / 60 + random.u64(0..1_000_000);
        let now = UnixNanos::from_millis(minute * 60_000 + random.u64(0..60_000));
        let minute_wanted = minute_of_day(&text);
        let slow = (1..=MINUTES_TRIED)
            .map(|ahead| minute + ahead)
            .filter(|minute| minute % 1440 == minute_wanted)
            .map(|minute| UnixNanos::from_millis(minute * 60_000))
            .find(|time| counts(&text, *time));
        let fast = cron.next_after(now);
        match slow {
            Some(_) => assert_eq!(fast, slow, "cron({text}) after {now}, seed {seed}"),
            None => assert!(
                fast.is_none_or(|fast| fast.as_secs() / 60 > minute + MINUTES_TRIED),
                "cron({text}) after {now} is {fast:?}, seed {seed}"
            ),
        }
    }
}

const MINUTES_TRIED: u64 = 60 * 24 * 40;

fn random_cron(random: &mut fastrand::Rng) -> String {
    let minute = random.u32(0..60);
    let hour = random.u32(0..24);
    let (of_month, of_week) = match random.u32(0..6) {
        0 => ("*".to_owned(), "?".to_owned()),
        1 => (random.u32(1..=31).to_string(), "?".to_owned()),
        2 => ("L".to_owned(), "?".to_owned()),
        3 => (format!("{}W", random.u32(1..=31)), "?".to_owned()),
        4 => (
            "?".to_owned(),
            format!("{}#{}", random.u32(1..=7), random.u32(1..=5)),
        ),
        _ => ("?".to_owned(), format!("{}L", random.u32(1..=7))),
    };
    format!("{minute} {hour} {of_month} * {of_week} *")
}

fn minute_of_day(cron: &str) -> u64 {
    let mut fields = cron.split(' ').map(|field| field.parse::<u64>().unwrap());
    let (minute, hour) = (fields.next().unwrap(), fields.next().unwrap());
    hour * 60 + minute
}

/// Whether the day of the time counts.
fn counts(cron: &str, time: UnixNanos) -> bool {
    let fields: Vec<_> = cron.split(' ').collect();
    let days = time.as_secs() / 86_400;
    let weekday = |days: u64| (days + 4) % 7 + 1;
    let date = |days: u64| UnixNanos::from_millis(days * 86_400_000).date();
    let (_, month, day) = date(days);
    let is_last = |days: u64| date(days + 1).1 != date(days).1;
    let of_month = fields[2];
    let of_week = fields[4];
    if let Some((wanted, nth)) = of_week.split_once('#') {
        let before = (0..u64::from(day)).filter(|ago| weekday(days - ago) == weekday(days));
        return weekday(days).to_string() == wanted && before.count().to_string() == nth;
    }
    if let Some(wanted) = of_week.strip_suffix('L') {
        return weekday(days).to_string() == wanted && date(days + 7).1 != month;
    }
    match (of_month, of_month.strip_suffix('W')) {
        ("*", _) => true,
        ("L", _) => is_last(days),
        (_, None) => day.to_string() == of_month,
        (_, Some(wanted)) => {
            // Every working day is asked whether it stands in for the wanted one.
            let wanted: u32 = wanted.parse().unwrap();
            let of_same_month = |other: u64| date(other).1 == month;
            let target = days + u64::from(wanted) - u64::from(day);
            if !of_same_month(target) || date(target).2 != wanted {
                return false;
            }
            let stand_in = match weekday(target) {
                7 if of_same_month(target - 1) => target - 1,
                7 => target + 2,
                1 if of_same_month(target + 1) => target + 1,
                1 => target - 2,
                _ => target,
            };
            stand_in == days
        }
    }
}
