//! Scores are a pure function of architecture and settings.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use swapnas_graph::{Activation, Conv, GraphBuilder, Level, Shape, Window};
use swapnas_metrics::inputs::{Array, InputSpec};
use swapnas_metrics::{
    Columns, GraphScorer, Metric, Precision, Progress, ScoreError, Scored, Scorer, Settings, Sharing,
    Undefined,
};
use swapnas_spaces::{Arch, NetworkConfig, Space, by_name};

fn scorer(
    space: &'static dyn Space,
    metrics: &[&str],
    batch: usize,
    repeats: u32,
    sharing: Sharing,
) -> Scorer {
    let settings = Settings {
        metrics: metrics.iter().map(|metric| metric.parse().unwrap()).collect(),
        inputs: Default::default(),
        batch,
        repeats: Some(repeats),
        seed: 7,
        init: None,
        sharing,
        level: Level::best(),
        precision: Precision::Single,
    };
    let default = space.default_network();
    let network = match space.name() {
        "darts" => default,
        "nbmacro" => NetworkConfig { channels: Some(4), ..default },
        _ => NetworkConfig { channels: Some(4), cells: Some(1), ..default },
    };
    Scorer::new(space, network, settings).unwrap()
}

fn archs(space: &dyn Space, count: usize) -> Vec<Arch> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    (0..count).map(|_| space.sample(&mut rng)).collect()
}

fn score(scorer: &Scorer, archs: &[Arch], threads: usize) -> Vec<Scored> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| scorer.score(archs, &()).unwrap()).into_iter().map(Option::unwrap).collect()
}

#[test]
fn neither_company_nor_threads_change_a_score() {
    for (name, batch) in [("darts", 16), ("darts", 5), ("nb201", 20), ("nb101", 16), ("nbmacro", 16)] {
        let space = by_name(name).unwrap();
        for sharing in [Sharing::Shared, Sharing::Independent] {
            let metrics =
                ["swap", "standard-patterns", "snip", "jacov", "zico", "gradsign", "az-trainability"];
            // Backward passes through the larger networks take their time.
            let metrics = if name == "nb201" { &metrics } else { &metrics[..3] };
            let scorer = scorer(space, metrics, batch, 2, sharing);
            // Many of the small cells of NAS-Bench-201 have values in common, with and without moments.
            let archs = archs(space, if name == "nb201" { 20 } else { 9 });
            let together = score(&scorer, &archs, 1);
            assert_eq!(score(&scorer, &archs, 3), together, "{name}, {sharing:?}: threads");
            for (arch, expected) in archs.iter().zip(&together) {
                // With more threads than tasks, each layer is divided over the threads.
                for threads in [1, 4] {
                    let alone = score(&scorer, std::slice::from_ref(arch), threads);
                    assert_eq!(&alone[0], expected, "{name}, {sharing:?}: alone on {threads} threads");
                }
            }
        }
    }
}

#[test]
fn equal_networks_have_equal_scores_only_if_they_share_weights() {
    let space = by_name("darts").unwrap();
    let [a, b] = archs(space, 2).try_into().unwrap();
    let shared =
        score(&scorer(space, &["swap"], 16, 1, Sharing::Shared), &[a.clone(), a.clone(), b.clone()], 1);
    assert_eq!(shared[0], shared[1]);
    assert_ne!(shared[0], shared[2]);
    let own = score(&scorer(space, &["swap"], 16, 1, Sharing::Independent), std::slice::from_ref(&a), 1);
    assert_ne!(own[0].scores, shared[0].scores);
}

/// Nobody reads node 1, so its convolution is but parameters: patterns are those of one run, everything else
/// is each network's own.
#[test]
fn networks_of_the_same_relus_share_patterns_and_nothing_else() {
    let space = by_name("nb201").unwrap();
    let cell = |op: &str| format!("|{op}~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|");
    let archs =
        ["none", "nor_conv_1x1", "avg_pool_3x3", "nor_conv_1x1"].map(|op| space.parse(&cell(op)).unwrap());
    for metrics in
        [&["swap", "swap-reg", "standard-patterns", "macs", "params"][..], &["swap", "snip", "params"]]
    {
        let scorer = scorer(space, metrics, 20, 2, Sharing::Shared);
        let together = score(&scorer, &archs, 2);
        for (arch, scored) in archs.iter().zip(&together) {
            assert_eq!(score(&scorer, std::slice::from_ref(arch), 1)[0], *scored, "{}", space.print(arch));
            assert_eq!(scored.scores[0], together[0].scores[0]);
        }
        let params: Vec<u64> = together.iter().map(|scored| scored.params).collect();
        assert!(
            params[0] < params[1] && params == [params[0], params[1], params[0], params[1]],
            "{params:?}"
        );
        // What is not read has no gradient, but a size.
        assert_eq!(together[1].scores[1] == together[2].scores[1], metrics[1] == "snip");
    }
}

#[test]
fn every_metric_has_a_value_or_a_reason_in_every_space() {
    for space in swapnas_spaces::spaces() {
        let default = space.default_network();
        let reads_texts = space.vocabulary().is_some();
        let transformer = space.name().starts_with("autoformer");
        let whole = matches!(space.name(), "nats-sss" | "nbmacro" | "mobilenet" | "transnas-macro");
        let cells = (!whole && !transformer && !reads_texts).then_some(1);
        let input =
            if reads_texts { Shape::new(1, 1, 9) } else { Shape::new(default.input.channels, 32, 32) };
        let channels = Some(if transformer || reads_texts { 16 } else { 4 });
        let network = NetworkConfig { channels, cells, input, ..default };
        let columns: Columns = "all".parse().unwrap();
        let settings = Settings {
            metrics: columns.metrics().to_vec(),
            inputs: Default::default(),
            batch: 6,
            repeats: Some(1),
            seed: 3,
            init: None,
            sharing: Sharing::Shared,
            level: Level::best(),
            precision: Precision::Single,
        };
        let scorer = Scorer::new(*space, network, settings).unwrap();
        let scored = score(&scorer, &archs(*space, 2), 2);
        for scored in &scored {
            for (metric, score) in columns.metrics().iter().zip(&scored.scores) {
                match score {
                    Ok(score) => assert!(score.mean.is_finite(), "{} {metric}", space.name()),
                    Err(reason) => assert!(!reason.to_string().is_empty()),
                }
            }
        }
        let defined = scored.iter().flat_map(|scored| &scored.scores).filter(|score| score.is_ok()).count();
        // Of texts, there are no metrics that compare images.
        let most = if reads_texts { 2 } else { 3 };
        assert!(2 * defined > most * columns.metrics().len(), "{}: {defined} are defined", space.name());
    }
}

/// Why metrics are undefined for images of which each is `values`' next one, and so many classes.
fn undefined(values: &[f32], labels: &[usize], batch: usize, classes: usize) -> Vec<(String, String)> {
    let shape = Shape::new(3, 8, 8);
    let image = |&value: &f32| (0..shape.elements()).map(move |i| (i as f32 * value).sin());
    let numbers: Vec<f32> = values.iter().flat_map(image).collect();
    let array = Array::new([values.len(), 3, 8, 8], numbers, Some(labels.to_vec())).unwrap();
    let columns: Columns = "all".parse().unwrap();
    let settings = Settings {
        metrics: columns.metrics().to_vec(),
        inputs: InputSpec::Array(Arc::new(array)),
        batch,
        repeats: Some(1),
        seed: 3,
        init: None,
        sharing: Sharing::Shared,
        level: Level::best(),
        precision: Precision::Single,
    };
    let space = by_name("nb201").unwrap();
    let default = space.default_network();
    let network = NetworkConfig { channels: Some(4), cells: Some(1), input: shape, classes, ..default };
    let scorer = Scorer::new(space, network, settings).unwrap();
    let arch = space
        .parse("|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_3x3~0|none~1|avg_pool_3x3~2|");
    let scored = score(&scorer, &[arch.unwrap()], 1).remove(0);
    // It is no transformer.
    let of_transformers =
        |reason: &Undefined| matches!(reason, Undefined::NoAttention | Undefined::NoFeedForward);
    let reasons = columns.metrics().iter().zip(scored.scores);
    let reason = |(metric, score): (&Metric, Result<_, Undefined>)| {
        let reason = score.err().filter(|reason| !of_transformers(reason))?;
        Some((metric.to_string(), reason.to_string()))
    };
    reasons.filter_map(reason).collect()
}

/// By their definitions: what compares images, classes or batches has no value where there is but one of them.
#[test]
fn metrics_that_compare_are_undefined_where_there_is_nothing_to_compare() {
    let check = |found: Vec<(String, String)>, expected: &[(&str, &str)]| {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((metric, reason), (name, part)) in found.iter().zip(expected) {
            assert!(metric == name && reason.contains(part), "{metric}: {reason}");
        }
    };
    // What is needed: a batch, as many for the second one, and different ones.
    let differ = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
    check(undefined(&differ, &[0, 1, 0, 1, 0, 1, 0, 1], 4, 10), &[]);
    check(undefined(&differ, &[3; 8], 4, 10), &[]);
    let one = "has one sample";
    let alone = [("nwot", one), ("jacov", one), ("epe_nas", one), ("gradsign", one), ("ntk", one)];
    check(undefined(&differ, &[0; 8], 1, 10), &alone);
    let same = "images of the batch are the same";
    let batches = "the difference between the gradients of the two batches is zero";
    check(
        undefined(&[0.4; 8], &[5; 8], 4, 10),
        &[
            ("nwot", same),
            ("jacov", same),
            ("epe_nas", same),
            ("zico", batches),
            ("gradsign", same),
            ("ntk", same),
        ],
    );
    // The same image with other labels has other gradients.
    let labels = [0, 1, 2, 3, 4, 5, 6, 7];
    check(
        undefined(&[0.4; 8], &labels, 4, 10),
        &[("nwot", same), ("jacov", same), ("epe_nas", same), ("ntk", same)],
    );
    check(undefined(&differ, &labels, 4, 10), &[("epe_nas", "no class has two images that differ")]);
    check(undefined(&differ, &[3; 8], 4, 101), &[("epe_nas", "all images are of one class")]);
    // Two of them are one, wherever the seed puts them.
    let twins = undefined(&[[0.1, 0.2]; 5].concat(), &[0; 10], 5, 10);
    check(twins[..1].to_vec(), &[("nwot", "the determinant of the kernel matrix is zero")]);
    assert!(
        twins.iter().any(|(metric, reason)| metric == "ntk" && reason.contains("are the same")),
        "{twins:?}"
    );
    let class = "the network has one class";
    let entropy = ["swap-plus", "plain", "grad_norm", "snip", "grasp", "fisher", "zico", "gradsign"]
        .map(|name| (name, class));
    let mut expected = entropy.to_vec();
    expected.push(("vkdnw", "is zero"));
    check(undefined(&differ, &[0; 8], 4, 1), &expected);
}

/// Stops once so many networks are done.
struct StopAfter {
    networks: usize,
    done: AtomicUsize,
}

impl StopAfter {
    fn new(networks: usize) -> Self {
        StopAfter { networks, done: AtomicUsize::new(0) }
    }
}

impl Progress for StopAfter {
    fn advance(&self, networks: f64) {
        assert!(networks >= 1.0 && networks.fract() == 0.0, "{networks} networks are no whole ones");
        self.done.fetch_add(networks as usize, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.done.load(Ordering::Relaxed) >= self.networks
    }
}

#[test]
fn what_is_reported_as_done_is_there_when_the_work_is_stopped() {
    let space = by_name("nb201").unwrap();
    let mut archs = archs(space, 40);
    // Those that are there twice are scored once, and are done at once.
    archs.extend_from_within(3..9);
    for (metrics, batch, repeats) in
        [(&["swap"][..], 16, 3), (&["swap"], 20, 5), (&["snip", "jacov"], 4, 1), (&["swap", "snip"], 4, 3)]
    {
        for sharing in [Sharing::Shared, Sharing::Independent] {
            let scorer = scorer(space, metrics, batch, repeats, sharing);
            let all = score(&scorer, &archs, 2);
            for threads in [1, 2, 4] {
                let case = format!("{metrics:?} {repeats} times, {sharing:?}, {threads} threads");
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                for networks in [1, 7, 30] {
                    let progress = StopAfter::new(networks);
                    let part = pool.install(|| scorer.score(&archs, &progress).unwrap());
                    let there = part.iter().flatten().count();
                    assert_eq!(part.len(), archs.len());
                    assert!(there >= networks, "{there} of {networks} are there: {case}");
                    assert_eq!(there, progress.done.into_inner(), "{case}");
                    for (part, all) in
                        part.iter().zip(&all).filter_map(|(part, all)| Some((part.as_ref()?, all)))
                    {
                        assert_eq!(part, all, "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn equal_architectures_are_scored_once() {
    let space = by_name("nb201").unwrap();
    let few = archs(space, 7);
    let many: Vec<Arch> = few.iter().cycle().take(300_000).cloned().collect();
    let scorer = scorer(space, &["swap", "snip"], 4, 2, Sharing::Independent);
    let expected = score(&scorer, &few, 1);
    let progress = StopAfter::new(usize::MAX);
    let scored = scorer.score(&many, &progress).unwrap();
    assert!(
        scored
            .iter()
            .zip(expected.iter().cycle())
            .all(|(scored, expected)| scored.as_ref() == Some(expected))
    );
    assert_eq!(progress.done.into_inner(), many.len());
}

#[test]
fn regularisation_that_vanishes_is_a_reason_and_no_number() {
    let space = by_name("darts").unwrap();
    let scorer = scorer(space, &["swap-reg:mu=1000:sigma=5", "params"], 16, 1, Sharing::Shared);
    let scored = score(&scorer, &archs(space, 1), 1).remove(0);
    assert!(matches!(scored.scores[0], Err(Undefined::Underflow { .. })));
    assert_eq!(scored.scores[1].as_ref().unwrap().mean, scored.params as f64);
}

#[test]
fn mu_and_sigma_fit_the_space_unless_they_are_given() {
    let metrics = ["swap-reg", "swap-reg:mu=20", "swap-reg:mu=20:sigma=400", "params", "swap"];
    let settings = |metrics: &[&str]| Settings {
        metrics: metrics.iter().map(|metric| metric.parse().unwrap()).collect(),
        ..scorer(by_name("darts").unwrap(), &["swap"], 4, 1, Sharing::Shared).settings().clone()
    };
    for &space in swapnas_spaces::spaces() {
        let scorer = Scorer::new(space, space.scored_network(), settings(&metrics)).unwrap();
        let used = &scorer.settings().metrics;
        let found: Vec<(&str, f64)> =
            used[0].found().map(|(argument, value)| (argument.name, value)).collect();
        let [("mu", mu), ("sigma", sigma)] = found[..] else { panic!("{found:?}") };
        assert!((sigma / (mu * mu) - 1.0).abs() < 1e-3, "{mu} {sigma}");
        let others: Vec<usize> = used[1..].iter().map(|metric| metric.found().count()).collect();
        assert_eq!(others, [1, 0, 0, 0]);
        // What is found is printed nowhere, so that columns keep their names.
        assert_eq!(used[0].to_string(), "swap-reg");
        let scored = score(&scorer, &archs(space, 40), 2);
        let value = |scored: &Scored, metric: usize| scored.scores[metric].as_ref().unwrap().mean;
        let mut larger = 0;
        for scored in &scored {
            let thousands = value(scored, 3) / 1000.0;
            let factor = libm::exp(-(thousands - mu).powi(2) / sigma);
            assert!((value(scored, 0) / (value(scored, 4) * factor) - 1.0).abs() < 1e-12, "{}", space.name());
            assert_eq!(scored.scores[1], scored.scores[2]);
            larger += usize::from(thousands > mu);
        }
        assert!(larger <= 12, "{larger} of 40 exceed what one in ten does in {}", space.name());
    }
    let space = by_name("nb201").unwrap();
    let network = NetworkConfig { channels: Some(4), cells: Some(1), ..space.default_network() };
    let graph = Arc::new(space.network(&archs(space, 1)[0], &network).unwrap());
    let scored =
        GraphScorer::new(network.input, 10, settings(&["swap-reg"])).unwrap().score(&[graph], &()).unwrap();
    assert_eq!(scored[0].as_ref().unwrap().scores[0], Err(Undefined::NoSizes));
}

/// Doubled so often that single precision does not hold it.
#[test]
fn values_that_overflow_are_a_reason_for_all_that_is_made_of_them() {
    let mut b = GraphBuilder::new(Shape::new(3, 8, 8));
    let x = b.input();
    let x = b.conv2d("conv", x, Conv::new(4, Window::square(3))).unwrap();
    let x = (0..140).fold(x, |x, _| b.add(&[x, x]).unwrap());
    let x = b.relu("relu", x).unwrap();
    let x = b.mean(x).unwrap();
    let logits = b.linear("classifier", x, 10, true).unwrap();
    let graph = Arc::new(b.finish(&[logits, x]));
    let metrics = ["swap", "standard-patterns", "nwot", "snip", "grad_norm", "jacov", "grasp", "fisher"];
    for precision in [Precision::Single, Precision::Double] {
        let settings = Settings {
            metrics: metrics.iter().map(|metric| metric.parse().unwrap()).collect(),
            inputs: Default::default(),
            batch: 6,
            repeats: Some(2),
            seed: 7,
            init: None,
            sharing: Sharing::Shared,
            level: Level::best(),
            precision,
        };
        let scorer = GraphScorer::new(Shape::new(3, 8, 8), 10, settings).unwrap();
        let scored = scorer.score(std::slice::from_ref(&graph), &()).unwrap().remove(0).unwrap();
        for (metric, score) in metrics.iter().zip(&scored.scores) {
            match (precision, score) {
                (Precision::Single, Err(reason @ Undefined::Overflow { .. })) => {
                    assert!(reason.to_string().contains("the addition behind 'conv'"), "{reason}");
                }
                (Precision::Double, Ok(_)) => {}
                _ => panic!("{metric}, {precision:?}: {score:?}"),
            }
        }
        assert_eq!(scored.saturation.is_some(), precision == Precision::Double);
    }
}

/// Of networks of texts, metrics of images have no value, and others do not depend on how the texts are asked for.
#[test]
fn texts_are_drawn_for_networks_that_read_tokens() {
    let (vocabulary, length) = (40, 12);
    let mut b = GraphBuilder::new(Shape::new(1, 1, length));
    let x = b.embedding("words", b.input(), vocabulary, 8).unwrap();
    let x = b.linear("layer", x, 16, true).unwrap();
    let x = b.act("act", x, Activation::Gelu).unwrap();
    let x = b.mean(x).unwrap();
    let logits = b.linear("classifier", x, 3, true).unwrap();
    let graph = Arc::new(b.finish(&[logits, x]));
    assert_eq!(graph.vocabulary(), Some(vocabulary));
    let metrics = ["swap", "params", "snip", "synflow", "jacov", "zen"];
    let scores = |inputs: InputSpec| {
        let settings = Settings {
            metrics: metrics.iter().map(|metric| metric.parse().unwrap()).collect(),
            inputs,
            batch: 16,
            repeats: Some(2),
            seed: 7,
            init: None,
            sharing: Sharing::Shared,
            level: Level::best(),
            precision: Precision::Single,
        };
        let scorer = GraphScorer::of_texts(length, vocabulary, 3, settings)?;
        let scored = scorer.score(std::slice::from_ref(&graph), &())?.remove(0).unwrap();
        Ok::<_, ScoreError>(scored.scores)
    };
    let scored = scores(InputSpec::default()).unwrap();
    assert_eq!(scored[1].as_ref().unwrap().mean, (40 * 8 + 8 * 16 + 16 + 16 * 3 + 3) as f64);
    for (metric, score) in metrics.iter().zip(&scored).take(4) {
        assert!(score.as_ref().is_ok_and(|score| score.mean.is_finite()), "{metric}: {score:?}");
    }
    insta::assert_snapshot!(scored[4].as_ref().unwrap_err(), @"the network reads texts, and the metric takes gradients by images");
    insta::assert_snapshot!(scored[5].as_ref().unwrap_err(), @"the network reads texts, and the metric takes images of noise");
    assert_eq!(scores("zipf".parse().unwrap()).unwrap(), scored);
    let rarer = scores("zipf:exponent=3".parse().unwrap()).unwrap();
    assert!(
        rarer[0].as_ref().unwrap().mean < scored[0].as_ref().unwrap().mean,
        "texts that repeat themselves"
    );
    let error = scores(InputSpec::Gaussian).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"the network reads texts, but the input is `gaussian`; give zipf, or npy:FILE with an array of tokens");
}

#[test]
fn a_small_batch_saturates() {
    let space = by_name("darts").unwrap();
    let saturated = |batch| {
        let scored = score(&scorer(space, &["swap"], batch, 1, Sharing::Shared), &archs(space, 1), 1);
        scored[0].saturation.unwrap().is_saturated()
    };
    assert!(saturated(4));
    assert!(!saturated(16));
}
