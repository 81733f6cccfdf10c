use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::choose::Recommendation;
use super::kernel::Work;
use super::*;

const SETUP: Setup<'static> = Setup {
    region: "us-east-1",
    architecture: Some(Architecture::X86),
    timeout_ms: None,
    slow_ms_max: None,
    provisioned: None,
};

/// Every invocation as long as the others.
fn same(count: usize, memory_mb: u32, duration_ms: f64, cpu_ms: f64) -> Vec<Invocation> {
    let one = Invocation {
        duration_ms,
        cpu_ms: Some(cpu_ms),
        memory_mb,
        memory_used_mb: Some(90),
        ..Invocation::default()
    };
    vec![one; count]
}

/// What is said, one line each.
fn said(invocations: &[Invocation], setup: &Setup<'_>) -> String {
    let advice = match advise(invocations, setup) {
        Ok(advice) => advice,
        Err(why) => return why.to_string(),
    };
    let mut lines = vec![format!(
        "cpu {:.0} ms, wait {:.0} ms",
        advice.cpu_ms, advice.wait_ms
    )];
    let point = |size: u32| {
        let at = advice.curve.iter().find(|point| point.memory_mb == size);
        let at = at.expect("a size with a name is on the curve");
        format!(
            "{size} MB {:.0} ms ${:.2}/M",
            at.duration_ms.value,
            at.usd.value * 1e6
        )
    };
    lines.push(format!("now {}", point(advice.now.memory_mb)));
    if let Some(named) = advice.named {
        for (name, size) in [
            ("cheapest", named.cheapest_mb),
            ("balanced", named.balanced_mb),
            ("fastest", named.fastest_mb),
        ] {
            lines.push(format!("{name} {}", point(size)));
        }
    }
    lines.extend(advice.recommendation.map(|it| it.to_string()));
    lines.extend(advice.also.iter().map(ToString::to_string));
    lines.join("\n")
}

fn check(invocations: &[Invocation], setup: &Setup<'_>, expected: Expect) {
    expected.assert_eq(&said(invocations, setup));
}

#[test]
fn a_function_that_works_is_faster_for_the_same() {
    check(
        &same(200, 128, 400.0 * 1769.0 / 128.0 + 20.0, 400.0),
        &SETUP,
        expect![[r#"
            cpu 400 ms, wait 39 ms
            now 128 MB 5548 ms $11.76/M
            cheapest 128 MB 5548 ms $11.76/M
            balanced 1728 MB 448 ms $12.79/M
            fastest 1792 MB 439 ms $12.99/M
            can run 4.9x faster for 2 % more with 640 MB
            on arm64 the same time costs 20 % less; how long it takes there was not measured"#]],
    );
}

#[test]
fn a_function_that_waits_needs_no_more_than_it_uses() {
    check(
        &same(200, 1024, 300.0, 5.0),
        &SETUP,
        expect![[r#"
            cpu 5 ms, wait 295 ms
            now 1024 MB 300 ms $5.20/M
            cheapest 128 MB 346 ms $0.92/M
            balanced 448 MB 300 ms $2.39/M
            fastest 384 MB 302 ms $2.09/M
            can cost 77 % less with 192 MB, 8 % slower
            on arm64 the same time costs 20 % less; how long it takes there was not measured"#]],
    );
}

#[test]
fn a_function_that_does_both() {
    check(
        &same(200, 256, 900.0, 100.0),
        &SETUP,
        expect![[r#"
            cpu 100 ms, wait 226 ms
            now 256 MB 900 ms $3.95/M
            cheapest 128 MB 1590 ms $3.51/M
            balanced 1216 MB 365 ms $7.43/M
            fastest 1728 MB 328 ms $9.42/M
            on arm64 the same time costs 20 % less; how long it takes there was not measured"#]],
    );
}

#[test]
fn what_uses_two_processors_is_believed_to_use_two_and_no_more() {
    check(
        &same(200, 3538, 1000.0, 2000.0),
        &SETUP,
        expect![[r#"
            cpu 2000 ms, wait 0 ms
            now 3538 MB 1000 ms $57.78/M
            cheapest 896 MB 3939 ms $57.64/M
            balanced 3538 MB 1000 ms $57.78/M
            fastest 3520 MB 1005 ms $57.78/M
            on arm64 the same time costs 20 % less; how long it takes there was not measured"#]],
    );
}

#[test]
fn memory_that_is_used_is_left_to_it() {
    let mut invocations = same(200, 1024, 300.0, 5.0);
    invocations[7].memory_used_mb = Some(950);
    check(
        &invocations,
        &SETUP,
        expect![[r#"
            cpu 5 ms, wait 295 ms
            now 1024 MB 300 ms $5.20/M
            cheapest 1280 MB 300 ms $6.45/M
            balanced 1280 MB 300 ms $6.45/M
            fastest 1280 MB 300 ms $6.45/M
            used 950 of its 1,024 MB: 1,280 MB leave room
            on arm64 the same time costs 20 % less; how long it takes there was not measured"#]],
    );
    for it in &mut invocations {
        it.memory_used_mb = None;
    }
    check(
        &invocations,
        &SETUP,
        expect![[r#"
            cpu 5 ms, wait 295 ms
            now 1024 MB 300 ms $5.20/M
            cheapest 1024 MB 300 ms $5.20/M
            balanced 1024 MB 300 ms $5.20/M
            fastest 1024 MB 300 ms $5.20/M
            on arm64 the same time costs 20 % less; how long it takes there was not measured"#]],
    );
}

#[test]
fn a_cold_start_is_paid_for_with_the_size() {
    let mut invocations = same(200, 1024, 100.0, 10.0);
    for it in invocations.iter_mut().step_by(10) {
        it.init_ms = 500.0;
    }
    let usd = advise(&invocations, &SETUP).unwrap().now.usd.value;
    assert!((usd - (2e-7 + 0.15 * 1.66667e-5)).abs() < 1e-12, "{usd}");
}

#[test]
fn timeouts_and_what_is_kept_ready_are_looked_at() {
    let setup = |timeout_ms| Setup {
        timeout_ms: Some(timeout_ms),
        architecture: Some(Architecture::Arm),
        ..SETUP
    };
    check(
        &same(2000, 128, 2600.0, 0.0),
        &setup(3000.0),
        expect![[r#"
        cpu 0 ms, wait 2600 ms
        now 128 MB 2600 ms $4.53/M
        cheapest 128 MB 2600 ms $4.53/M
        balanced 128 MB 2600 ms $4.53/M
        fastest 128 MB 2600 ms $4.53/M
        takes up to 2.6 s of its timeout of 3 s: 6 s leave room"#]],
    );
    check(
        &same(2000, 128, 260.0, 0.0),
        &setup(900_000.0),
        expect![[r#"
        cpu 0 ms, wait 260 ms
        now 128 MB 260 ms $0.63/M
        cheapest 128 MB 260 ms $0.63/M
        balanced 128 MB 260 ms $0.63/M
        fastest 128 MB 260 ms $0.63/M
        what hangs is paid for until the timeout of 900 s, and the longest took 260 ms: 15 s are enough"#]],
    );
    check(
        &same(200, 128, 260.0, 0.0),
        &setup(900_000.0),
        expect![[r#"
        cpu 0 ms, wait 260 ms
        now 128 MB 260 ms $0.63/M
        cheapest 128 MB 260 ms $0.63/M
        balanced 128 MB 260 ms $0.63/M
        fastest 128 MB 260 ms $0.63/M"#]],
    );
    let provisioned = Provisioned {
        environments: 10,
        used: 0.25,
    };
    let setup = Setup {
        provisioned: Some(provisioned),
        ..SETUP
    };
    check(
        &same(200, 128, 260.0, 0.0),
        &setup,
        expect![[r#"
        cpu 0 ms, wait 260 ms
        now 128 MB 260 ms $0.74/M
        cheapest 128 MB 260 ms $0.74/M
        balanced 128 MB 260 ms $0.74/M
        fastest 128 MB 260 ms $0.74/M
        on arm64 the same time costs 20 % less; how long it takes there was not measured
        its 10 provisioned environments are at work 25 % of the time; below 60 % on demand costs less"#]],
    );
}

#[test]
fn nothing_is_said_without_a_reason() {
    check(
        &[],
        &SETUP,
        expect![
            "0 invocations with its memory size and their processor time are known, 50 are needed"
        ],
    );
    check(
        &same(49, 128, 100.0, 1.0),
        &SETUP,
        expect![
            "49 invocations with its memory size and their processor time are known, 50 are needed"
        ],
    );
    check(
        &same(200, 128, 100.0, 100.0),
        &SETUP,
        expect![
            "it uses more of the processor than its memory size gives, so the size says nothing about its time"
        ],
    );
    let unmeasured = same(200, 128, 100.0, 1.0)
        .into_iter()
        .map(|it| Invocation { cpu_ms: None, ..it });
    check(
        &unmeasured.collect::<Vec<_>>(),
        &SETUP,
        expect!["nobody has measured its processor time"],
    );
    let mut unlike = same(60, 128, 10.0, 0.1);
    unlike[0].duration_ms = 60_000.0;
    check(
        &unlike,
        &SETUP,
        expect!["its invocations take times too unlike for their mean to say anything"],
    );
    // The sizes of before do not count.
    let mut changed = same(500, 128, 100.0, 1.0);
    changed.extend(same(10, 256, 100.0, 1.0));
    check(
        &changed,
        &SETUP,
        expect![
            "10 invocations with its memory size and their processor time are known, 50 are needed"
        ],
    );
}

#[test]
fn what_was_seen_of_another_size_is_held_against_the_prediction() {
    let work = Work::in_turns(200.0, 100.0, 2);
    let mut invocations = work.run(512, 300, 1);
    invocations.extend(work.run(1024, 300, 2));
    let advice = advise(&invocations, &SETUP).unwrap();
    let [seen] = advice.seen.as_slice() else {
        panic!("one other size: {:?}", advice.seen);
    };
    assert_eq!((seen.memory_mb, seen.count), (512, 300));
    assert!(
        (seen.predicted.low..seen.predicted.high).contains(&seen.duration_ms),
        "{seen:?}"
    );
}

#[test]
fn a_change_is_verified() {
    let advice = advise(&same(200, 128, 5548.0, 400.0), &SETUP).unwrap();
    let change = advice.recommendation.expect("it is worth a change");
    let size = change.point.memory_mb;
    let predicted = change.point.duration_ms.value;
    let after = |count, ms| verify(&change.point, &same(count, size, ms, 1.0));
    assert_eq!(after(199, predicted), Verdict::TooEarly { count: 199 });
    for better in [1.0, 0.5] {
        let verdict = after(200, predicted * better);
        assert!(
            matches!(verdict, Verdict::AsPredicted { .. }),
            "{verdict:?}"
        );
    }
    let verdict = after(200, predicted * 1.5);
    assert!(matches!(verdict, Verdict::Slower { .. }), "{verdict:?}");
    let before = verify(&change.point, &same(500, 128, 5548.0, 400.0));
    assert_eq!(before, Verdict::TooEarly { count: 0 });
}

#[test]
fn a_change_that_was_seen_is_held_against_what_was_predicted_before_it() {
    let before = same(200, 512, 1000.0, 200.0);
    let told = |since: &[Invocation]| match changed(&before, since, &SETUP) {
        Ok(change) => change.to_string(),
        Err(why) => why.to_string(),
    };
    let since = |count, ms| same(count, 1024, ms, 200.0);
    expect![[r#"
        8 of 200 invocations with 1,024 MB instead of 512 MB are known; 621 to 700 ms are predicted
        1,024 MB instead of 512 MB came as predicted: 655 ms, 621 to 700 ms were predicted, 1.00 s was before
        1,024 MB instead of 512 MB came better than predicted: 300 ms, 621 to 700 ms were predicted, 1.00 s was before
        1,024 MB instead of 512 MB is slower than predicted: 900 ms, 621 to 700 ms were predicted, 1.00 s was before; 512 MB may be better
        0 invocations with its memory size and their processor time are known, 200 are needed"#]]
    .assert_eq(&[since(8, 655.0), since(200, 655.0), since(200, 300.0), since(200, 900.0), vec![]].map(|it| told(&it)).join("\n"));
    let unmeasured = changed(&same(10, 512, 1000.0, 200.0), &since(200, 655.0), &SETUP);
    assert_eq!(
        unmeasured,
        Err(Why::TooFew {
            count: 10,
            needed: 50
        })
    );
}

#[test]
fn what_came_of_a_change_is_settled_once() {
    let told = |before: &[Invocation], since: &[Invocation]| match settled(before, since, &SETUP) {
        None => "not yet".to_owned(),
        Some(Ok(change)) => change.outcome(),
        Some(Err(why)) => format!("nothing was predicted of it: {why}"),
    };
    let before = same(200, 512, 1000.0, 200.0);
    let since = |count, ms| same(count, 1024, ms, 200.0);
    expect![[r#"
        not yet
        as predicted: 1.00 s → 655 ms, for 30 % more
        better than predicted: 1.00 s → 300 ms, for 39 % less
        slower than predicted: 1.00 s → 900 ms instead of 621 to 700 ms, for 78 % more"#]]
    .assert_eq(
        &[
            since(199, 655.0),
            since(200, 655.0),
            since(200, 300.0),
            since(200, 900.0),
        ]
        .map(|it| told(&before, &it))
        .join("\n"),
    );
    expect![[r#"
        not yet
        nothing was predicted of it: 10 invocations with its memory size and their processor time are known, 50 are needed"#]].assert_eq(
        &[199, 200]
            .map(|count| told(&same(10, 512, 1000.0, 200.0), &since(count, 655.0)))
            .join("\n"),
    );
}

/// Functions of mixed work and waits, each predicted from each of six sizes for the others.
#[test]
fn a_simulated_kernel_agrees_with_what_is_predicted() {
    let sizes = [128, 256, 512, 1024, 1769, 3008];
    let (mut errors, mut covered, mut all) = (Vec::new(), 0, 0);
    for (cpu, wait, turns) in [
        (20.0, 100.0, 1),
        (20.0, 200.0, 4),
        (50.0, 100.0, 2),
        (60.0, 20.0, 1),
        (100.0, 10.0, 1),
        (200.0, 200.0, 5),
        (400.0, 20.0, 1),
        (400.0, 400.0, 4),
    ] {
        let work = Work::in_turns(cpu, wait, turns);
        let runs = sizes.map(|size| work.run(size, 300, u64::from(size)));
        for from in &runs {
            let advice = advise(from, &SETUP).unwrap();
            for to in &runs {
                let size = to[0].memory_mb;
                let seen = to.iter().map(|it| it.duration_ms).sum::<f64>() / 300.0;
                let at = advice.curve.iter().find(|point| point.memory_mb == size);
                let model = Model::fit(from).unwrap().duration(size);
                assert!(at.is_none_or(|at| at.duration_ms == model));
                if size != advice.now.memory_mb {
                    errors.push((model.value - seen).abs() / seen);
                    // The simulated mean is one of 300 itself.
                    let within = model.low * 0.99..=model.high * 1.01;
                    covered += usize::from(within.contains(&seen));
                    all += 1;
                }
            }
        }
        assert!((work.cpu_ms() - cpu).abs() < 1e-6);
    }
    let mean = errors.iter().sum::<f64>() / f64::from(u32::try_from(errors.len()).unwrap());
    println!("mean error {mean:.3}, {covered} of {all} within");
    assert!(mean <= 0.06, "mean error {mean}");
    assert!(covered * 100 >= all * 80, "{covered} of {all}");
}

/// What the module says of processor time.
fn at_work(cpu_ms: f64, memory_mb: u32) -> f64 {
    let share = (f64::from(memory_mb) / 1769.0).min(1.0);
    cpu_ms / share - (cpu_ms / share).min(20.0) * (1.0 - share)
}

prop_compose! {
    fn function()(
        cpu in 1.0..2000.0_f64,
        wait in 0.0..2000.0_f64,
        size in (2_u32..100).prop_map(|steps| steps * 64),
        noise in 0.0..0.5_f64,
        used in 40_u32..3000,
        init in prop_oneof![Just(0.0), 1.0..2000.0_f64],
        seed: u64,
    ) -> (Vec<Invocation>, f64, f64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let invocations = (0..150).map(|at| {
            let some = 1.0 + noise * (random.f64() - 0.5);
            Invocation {
                duration_ms: some * (wait + at_work(cpu, size)),
                cpu_ms: Some(some * cpu),
                init_ms: if at % 30 == 0 { init } else { 0.0 },
                memory_mb: size,
                memory_used_mb: Some(used.min(size)),
            }
        });
        (invocations.collect(), cpu, wait)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_size_that_is_named_holds_what_is_used((invocations, ..) in function()) {
        let advice = advise(&invocations, &SETUP).unwrap();
        let floor = f64::from(advice.memory_used_mb.unwrap()) * 1.3;
        let named = advice.named.map(|it| [it.cheapest_mb, it.balanced_mb, it.fastest_mb]);
        let recommended = advice.recommendation.map(|it| it.point.memory_mb);
        for size in named.into_iter().flatten().chain(recommended) {
            prop_assert!(f64::from(size) >= floor, "{size} of {floor}");
        }
    }

    #[test]
    fn more_memory_is_never_slower_and_intervals_hold_their_values((invocations, ..) in function()) {
        let advice = advise(&invocations, &SETUP).unwrap();
        for pair in advice.curve.windows(2) {
            prop_assert!(pair[1].duration_ms.value <= pair[0].duration_ms.value * (1.0 + 1e-9));
            prop_assert!(pair[1].slow_ms <= pair[0].slow_ms * (1.0 + 1e-9));
        }
        for point in &advice.curve {
            for it in [point.duration_ms, point.usd] {
                prop_assert!(it.low <= it.value && it.value <= it.high && it.low >= 0.0, "{it:?}");
            }
        }
    }

    #[test]
    fn a_function_that_is_as_the_model_says_is_predicted((invocations, cpu, wait) in function()) {
        let advice = advise(&invocations, &SETUP).unwrap();
        for point in &advice.curve {
            let truth = wait + at_work(cpu, point.memory_mb);
            let it = point.duration_ms;
            prop_assert!((it.value - truth).abs() <= truth * 0.1, "{truth} {point:?}");
        }
    }

    #[test]
    fn what_is_recommended_is_worth_it((invocations, ..) in function()) {
        let advice = advise(&invocations, &SETUP).unwrap();
        if let Some(Recommendation { point, duration_ratio: time, cost_ratio: cost }) = advice.recommendation {
            prop_assert!(cost.value <= 0.9 && cost.high < 1.0 || time.value <= 0.85 && time.high < 1.0 && cost.value <= 1.02);
            prop_assert!(point.slow_ms <= advice.now.slow_ms * 1.1);
            prop_assert!((point.usd.value / advice.now.usd.value - cost.value).abs() < 1e-9);
            prop_assert!((point.duration_ms.value / advice.now.duration_ms.value - time.value).abs() < 1e-9);
        }
    }

    #[test]
    fn anything_can_be_asked(
        raw in prop::collection::vec((any::<f64>(), any::<Option<f64>>(), any::<f64>(), any::<u32>(), any::<Option<u32>>()), 0..120),
        timeout in any::<Option<f64>>(),
    ) {
        let invocations: Vec<Invocation> = raw.into_iter().map(|(duration_ms, cpu_ms, init_ms, memory_mb, memory_used_mb)| {
            Invocation { duration_ms, cpu_ms, init_ms, memory_mb: memory_mb % 3 * 128, memory_used_mb }
        }).collect();
        if let Ok(advice) = advise(&invocations, &Setup { timeout_ms: timeout, ..SETUP }) {
            prop_assert!(advice.count >= INVOCATIONS_MIN);
        }
    }
}
