use super::*;

/// A chain `a -> b -> c` with a side way `a -> d`, all steady but for some noise.
fn scene() -> Scene {
    let node = |name: &str, ms: f64, count: f64| NodeSeries {
        name: name.to_owned(),
        view: View::Own,
        normal: (0..100)
            .map(|at| step(ms * (1.0 + 0.01 * f64::from(at % 5)), count, 0.0))
            .collect(),
        now: vec![step(ms, count, 0.0); 5],
    };
    Scene {
        nodes: vec![
            node("a", 100.0, 500.0),
            node("b", 40.0, 400.0),
            node("c", 20.0, 800.0),
            node("d", 10.0, 500.0),
        ],
        calls: vec![(0, 1), (1, 2), (0, 3)],
    }
}

fn step(ms: f64, count: f64, errors: f64) -> Step {
    Step {
        count,
        errors,
        mean_ms: (count > 0.0).then_some(ms),
    }
}

fn slow(scene: &mut Scene, node: usize, ms: f64) {
    for at in 2..4 {
        let mean = &mut scene.nodes[node].now[at].mean_ms;
        *mean = mean.map(|known| known + ms);
    }
}

#[test]
fn nothing_is_said_without_a_symptom() {
    let mut scene = scene();
    assert_eq!(explain(&scene, 0, Symptom::Slow), None);
    // One step is chance.
    scene.nodes[0].now[3].mean_ms = Some(500.0);
    assert_eq!(explain(&scene, 0, Symptom::Slow), None);
    assert_eq!(explain(&scene, 9, Symptom::Slow), None);
}

/// The first node, steady for so many steps but for some pairs in which it is 15 ms slower: each that far apart.
fn pairs(steps: usize, apart: usize) -> Vec<Step> {
    let ms = |at: usize| if at % apart < 2 { 115.0 } else { 100.0 };
    (0..steps).map(|at| step(ms(at), 500.0, 0.0)).collect()
}

#[test]
fn what_a_few_steps_tell_a_few_of_many_do_not() {
    let mut scene = scene();
    let mut steps_of = |now: Vec<Step>| {
        scene.nodes[0].now = now;
        explain(&scene, 0, Symptom::Slow).map(|found| found.steps)
    };
    assert_eq!(steps_of(pairs(5, 5)), Some(vec![0, 1]));
    assert_eq!(steps_of(pairs(60, 60)), None);
    // Longer, or worse, is enough.
    assert_eq!(steps_of(pairs(60, 30)), Some(vec![0, 1, 30, 31]));
    let mut worse = pairs(60, 60);
    worse[1].mean_ms = Some(200.0);
    assert_eq!(steps_of(worse), Some(vec![0, 1]));
}

#[test]
fn what_comes_in_bursts_is_no_news_unless_there_are_more() {
    let mut scene = scene();
    scene.nodes[0].normal = pairs(120, 20);
    let mut is_slow = |apart: usize| {
        scene.nodes[0].now = pairs(60, apart);
        is_so(&scene.nodes[0], Symptom::Slow)
    };
    assert!(!is_slow(20));
    assert!(is_slow(10));
    // A quarter of what it is held against was as slow, and now it is all the time.
    for step in &mut scene.nodes[0].normal[90..] {
        step.mean_ms = Some(115.0);
    }
    scene.nodes[0].now = vec![step(115.0, 500.0, 0.0); 10];
    assert!(is_so(&scene.nodes[0], Symptom::Slow));
}

#[test]
fn it_comes_from_where_nothing_below_explains_it() {
    let mut scene = scene();
    // c is 30 ms slower in 800 calls: 60 ms in each of b's 400, 48 in each of a's 500.
    slow(&mut scene, 2, 30.0);
    slow(&mut scene, 1, 60.0);
    slow(&mut scene, 0, 48.0);
    let found = explain(&scene, 0, Symptom::Slow).unwrap();
    assert_eq!(found.steps, [2, 3]);
    assert_eq!(found.causes[0].node, "c");
    assert_eq!(found.causes[0].path, ["a", "b", "c"]);
    assert!(
        found.causes[0].share > 0.9 && found.unexplained < 0.1,
        "{found:?}"
    );
    assert_eq!(found.ruled_out, ["d"]);
    assert!((found.load - 1.0).abs() < 0.01);
}

#[test]
fn what_is_slow_by_itself_is_its_own_cause() {
    let mut scene = scene();
    slow(&mut scene, 1, 60.0);
    slow(&mut scene, 0, 48.0);
    let found = explain(&scene, 0, Symptom::Slow).unwrap();
    assert_eq!(found.causes[0].node, "b");
    let mut scene = super::tests::scene();
    slow(&mut scene, 0, 48.0);
    let found = explain(&scene, 0, Symptom::Slow).unwrap();
    assert_eq!(
        (found.causes.len(), found.causes[0].node.as_str()),
        (1, "a")
    );
}

#[test]
fn failures_are_followed_as_times_are() {
    let mut scene = scene();
    for (node, errors) in [(0, 50.0), (1, 50.0), (2, 50.0)] {
        for at in 2..4 {
            scene.nodes[node].now[at].errors = errors;
        }
    }
    let found = explain(&scene, 0, Symptom::Failing).unwrap();
    assert_eq!(found.causes[0].node, "c");
}

#[test]
fn who_calls_what_was_never_seen_is_the_suspect() {
    let mut scene = scene();
    scene.nodes.push(NodeSeries {
        name: "new".to_owned(),
        view: View::Own,
        normal: Vec::new(),
        now: vec![step(900.0, 400.0, 400.0); 5],
    });
    scene.calls.push((1, 4));
    slow(&mut scene, 1, 60.0);
    slow(&mut scene, 0, 48.0);
    assert_eq!(
        explain(&scene, 0, Symptom::Slow).unwrap().causes[0].node,
        "b"
    );
}

#[test]
fn slowness_below_is_named_beside_failures() {
    let mut scene = scene();
    for at in 2..4 {
        scene.nodes[0].now[at].errors = 50.0;
    }
    slow(&mut scene, 2, 30.0);
    let found = explain(&scene, 0, Symptom::Failing).unwrap();
    assert_eq!(
        (found.causes.len(), found.causes[0].node.as_str()),
        (1, "a")
    );
    assert_eq!(
        (found.beside.len(), found.beside[0].node.as_str()),
        (1, "c")
    );
    assert_eq!(found.beside[0].symptom, Symptom::Slow);
}

#[test]
fn what_nobody_waits_for_is_no_cause() {
    let mut scene = scene();
    // c is far slower, and b, which only hands something over to it, is as quick as ever.
    slow(&mut scene, 2, 900.0);
    slow(&mut scene, 3, 48.0);
    slow(&mut scene, 0, 48.0);
    let found = explain(&scene, 0, Symptom::Slow).unwrap();
    assert_eq!(
        (found.causes.len(), found.causes[0].node.as_str()),
        (1, "d")
    );
}

#[test]
fn what_was_as_bad_before_it_began_is_no_cause() {
    let mut scene = scene();
    for step in &mut scene.nodes[2].now {
        step.mean_ms = Some(900.0);
    }
    slow(&mut scene, 1, 60.0);
    slow(&mut scene, 0, 48.0);
    let found = explain(&scene, 0, Symptom::Slow).unwrap();
    assert_eq!(
        (found.causes.len(), found.causes[0].node.as_str()),
        (1, "b")
    );
}

#[test]
fn a_hop_that_nobody_measures_passes_on_what_comes() {
    let mut scene = scene();
    for node in &mut scene.nodes[1..2] {
        node.normal = vec![Step::default(); 100];
        node.now = vec![Step::default(); 5];
    }
    slow(&mut scene, 2, 30.0);
    slow(&mut scene, 0, 48.0);
    let found = explain(&scene, 0, Symptom::Slow).unwrap();
    assert_eq!(found.causes[0].node, "c");
}

#[test]
fn only_what_nobody_can_miss_is_told_unasked() {
    let mut scene = scene();
    assert_eq!(symptoms(&scene), []);
    slow(&mut scene, 3, 15.0);
    assert_eq!(symptoms(&scene), [], "15 ms are nothing");
    slow(&mut scene, 3, 15.0);
    assert_eq!(symptoms(&scene), [(3, Symptom::Slow)]);
}

/// In applications of any shape, whatever is made slower comes first.
#[test]
fn the_cause_is_found_in_any_application() {
    let mut places = [0; 3];
    for seed in 0..300 {
        let (scene, cause) = application(seed);
        let found = explain(&scene, 0, Symptom::Slow).unwrap_or_else(|| panic!("seed {seed}"));
        let place = found.causes.iter().position(|found| found.node == cause);
        places[place.unwrap_or(2).min(2)] += 1;
    }
    assert!(places[0] >= 285 && places[2] <= 3, "{places:?}");
}

/// Up to fifteen nodes that call each other downwards, with noise of three percent; one of those that the first one
/// reaches takes longer in two of six steps, by itself, and with it all that wait for it.
fn application(seed: u64) -> (Scene, String) {
    let mut random = fastrand::Rng::with_seed(seed);
    let size = random.usize(5..15);
    let mut calls: Vec<(usize, usize)> = Vec::new();
    // How often a caller calls in one of its own calls.
    let mut often: Vec<f64> = Vec::new();
    for to in 1..size {
        for _ in 0..random.usize(1..3) {
            let call = (random.usize(..to), to);
            if !calls.contains(&call) {
                calls.push(call);
                often.push(0.3 + random.f64());
            }
        }
    }
    let own: Vec<f64> = (0..size).map(|_| 5.0 + 40.0 * random.f64()).collect();
    let mut count = vec![0.0; size];
    count[0] = 2_000.0;
    for (at, (from, to)) in calls.iter().enumerate() {
        count[*to] += count[*from] * often[at];
    }
    let cause = random.usize(..size);
    // So much that the first one takes a half longer.
    let more = 0.5 * mean(&calls, &often, &own)[0] * count[0] / count[cause];
    let mut step = |worse: f64| -> Vec<Step> {
        let mut own = own.clone();
        own.iter_mut()
            .for_each(|own| *own *= 0.97 + 0.06 * random.f64());
        own[cause] += worse;
        let step = |(mean, count): (f64, &f64)| step(mean, *count, 0.0);
        mean(&calls, &often, &own)
            .into_iter()
            .zip(&count)
            .map(step)
            .collect()
    };
    let normal: Vec<Vec<Step>> = (0..200).map(|_| step(0.0)).collect();
    let now: Vec<Vec<Step>> = (0..6)
        .map(|at| step(if at == 3 || at == 4 { more } else { 0.0 }))
        .collect();
    let of = |steps: &[Vec<Step>], node: usize| steps.iter().map(|step| step[node]).collect();
    let node = |node: usize| NodeSeries {
        name: format!("n{node}"),
        view: View::Own,
        normal: of(&normal, node),
        now: of(&now, node),
    };
    let nodes = (0..size).map(node).collect();
    (Scene { nodes, calls }, format!("n{cause}"))
}

/// How long each takes with all that it waits for.
fn mean(calls: &[(usize, usize)], often: &[f64], own: &[f64]) -> Vec<f64> {
    let mut mean = own.to_vec();
    for node in (0..own.len()).rev() {
        let below = calls
            .iter()
            .zip(often)
            .filter(|((from, _), _)| *from == node);
        mean[node] += below.map(|((_, to), often)| mean[*to] * often).sum::<f64>();
    }
    mean
}

#[test]
fn circles_end() {
    let mut scene = scene();
    scene.calls.extend([(2, 0), (2, 2), (1, 0)]);
    slow(&mut scene, 2, 30.0);
    slow(&mut scene, 0, 48.0);
    assert!(explain(&scene, 0, Symptom::Slow).is_some());
}
