//! Metrics of one's own, among them some of the library's own, which come to the same numbers.

use std::sync::Arc;

use swapnas_graph::{GraphBuilder, Observer, Relu, Shape, Signs};
use swapnas_metrics::{
    Columns, Direction, GraphScorer, NetworkView, Precision, Proxies, Proxy, ProxyError, Refusals,
    ScoreError, Scored, Scorer, Settings, Undefined,
};
use swapnas_spaces::{NetworkConfig, Space, by_name};

/// A function with a name.
struct Named<F>(&'static str, F);

impl<F: Fn(&mut NetworkView<'_>) -> Result<f64, ProxyError> + Send + Sync> Proxy for Named<F> {
    fn name(&self) -> &str {
        self.0
    }

    fn measure(&self, network: &mut NetworkView<'_>) -> Result<f64, ProxyError> {
        (self.1)(network)
    }
}

fn own(
    name: &'static str,
    measure: impl Fn(&mut NetworkView<'_>) -> Result<f64, ProxyError> + Send + Sync + 'static,
) -> Arc<dyn Proxy> {
    Arc::new(Named(name, measure))
}

fn space(name: &str) -> &'static dyn Space {
    by_name(name).unwrap()
}

fn score(
    space: &'static dyn Space,
    metrics: &str,
    proxies: Vec<Arc<dyn Proxy>>,
    batch: usize,
    precision: Precision,
) -> Result<Vec<Scored>, ScoreError> {
    let columns = Columns::parse(metrics, &Proxies::new(proxies).unwrap()).unwrap();
    let settings = Settings {
        metrics: columns.metrics().to_vec(),
        inputs: "gaussian".parse().unwrap(),
        batch,
        repeats: Some(2),
        seed: 3,
        init: None,
        sharing: Default::default(),
        level: swapnas_graph::Level::best(),
        precision,
    };
    let network = NetworkConfig { channels: Some(4), cells: Some(1), classes: 4, ..space.default_network() };
    let scorer = Scorer::new(space, network, settings)?;
    let archs: Vec<_> = {
        use rand_xoshiro::rand_core::SeedableRng;
        let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(1);
        (0..4).map(|_| space.sample(&mut rng)).collect()
    };
    Ok(scorer.score(&archs, &())?.into_iter().flatten().collect())
}

fn snip(network: &mut NetworkView<'_>) -> Result<f64, ProxyError> {
    let mut sum = 0.0;
    for (weight, _) in network.layers() {
        let gradient = network.gradient(weight)?;
        sum += network.weight(weight).iter().zip(gradient).map(|(w, g)| (w * g).abs()).sum::<f64>();
    }
    Ok(sum)
}

/// By the gradients of what layers return, not of the products.
fn fisher(network: &mut NetworkView<'_>) -> Result<f64, ProxyError> {
    let samples = network.samples();
    let mut sum = 0.0;
    for (weight, output) in network.layers() {
        let shape = network.graph().shape(output);
        let weights = network.graph().param(weight).len() / shape.channels;
        let (values, gradients) = (network.value(output)?, network.value_gradient(output)?);
        let pixels = shape.height * shape.width;
        for (values, gradients) in values.chunks(pixels).zip(gradients.chunks(pixels)) {
            let product: f64 = values.iter().zip(gradients).map(|(a, g)| a * g).sum();
            sum += 0.5 * product * product / samples as f64 * weights as f64;
        }
    }
    Ok(sum)
}

fn gradsign(network: &mut NetworkView<'_>) -> Result<f64, ProxyError> {
    let (samples, gradients) = (network.samples(), network.sample_gradients()?);
    let (mut sum, mut weights) = (0.0, 0);
    for (weight, _) in network.layers() {
        let (elements, gradients) = (network.graph().param(weight).len(), &gradients[weight.index()]);
        for element in 0..elements {
            let of_samples = (0..samples).map(|sample| gradients[sample * elements + element]);
            sum += of_samples.map(|g| f64::from(i8::from(g > 0.0) - i8::from(g < 0.0))).sum::<f64>().abs();
        }
        weights += elements;
    }
    Ok(sum / weights as f64)
}

/// How many units of all ReLUs are positive, over the batch.
#[derive(Default)]
struct Positive(f64);

impl Observer for Positive {
    fn wants(&mut self, _relu: &Relu) -> bool {
        true
    }

    fn observe(&mut self, relu: &Relu, signs: Signs<'_>) {
        let of_block = |block: swapnas_graph::Block<'_>| -> u32 {
            block.words.iter().map(|word| (word & block.mask).count_ones()).sum()
        };
        self.0 += relu.modules as f64 * f64::from(signs.blocks().map(of_block).sum::<u32>());
    }
}

#[test]
fn metrics_written_by_the_view_are_those_of_the_library() {
    let proxies = || {
        vec![
            own("my-snip", snip),
            own("my-fisher", fisher),
            own("my-gradsign", gradsign),
            own("my-norm", |network| {
                let weights: Vec<_> = network.layers().iter().map(|(weight, _)| *weight).collect();
                Ok(weights.iter().map(|w| network.weight(*w).iter().map(|x| x * x).sum::<f64>().sqrt()).sum())
            }),
        ]
    };
    let metrics = "my-snip,my-fisher,my-gradsign,my-norm,snip,fisher,gradsign,l2_norm";
    for (name, batch) in [("nb201", 5), ("darts", 19)] {
        for (precision, tolerance) in [(Precision::Single, 1e-5), (Precision::Double, 1e-12)] {
            for scored in score(space(name), metrics, proxies(), batch, precision).unwrap() {
                let (mine, listed) = scored.scores.split_at(4);
                for (metric, (mine, listed)) in mine.iter().zip(listed).enumerate() {
                    if name == "darts" && metric == 2 {
                        // There, gradients of some cells are zero but for rounding, and signs of it are counted.
                        continue;
                    }
                    match (mine, listed) {
                        (Ok(mine), Ok(listed)) => {
                            let off = (mine.mean - listed.mean).abs() / listed.mean.abs();
                            assert!(off <= tolerance, "{name}, {precision}: {mine:?} {listed:?}");
                        }
                        (mine, listed) => panic!("{name}: {mine:?} {listed:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn everything_of_a_network_can_be_seen() {
    let seen = own("seen", |network| {
        let graph = network.graph();
        let (input, output) = (graph.input(), graph.outputs()[0]);
        let values: Vec<_> = graph.values().map(|(value, _)| value).collect();
        let shapes: Vec<_> = values.iter().map(|value| graph.shape(*value).elements()).collect();
        let relus: Vec<_> = graph.relus().map(|relu| relu.output).collect();
        let samples = network.samples();
        for (value, elements) in values.iter().zip(shapes) {
            assert_eq!(network.value(*value)?.len(), samples * elements);
            assert_eq!(network.value_gradient(*value)?.len(), samples * elements);
        }
        // Signs are those of values, ReLU by ReLU.
        let mut positive = Positive::default();
        network.signs(&mut positive)?;
        let mut count = 0;
        for relu in relus {
            count += network.value(relu)?.iter().filter(|x| **x > 0.0).count();
        }
        assert_eq!(positive.0, count as f64);
        // Moving the images along the Jacobian moves the sum of the logits.
        assert_eq!(network.jacobian()?.len(), network.value(input)?.len());
        // The gradient of the loss with respect to the logits is the softmax less the label, over the batch.
        let (logits, gradients) = (network.value(output)?, network.value_gradient(output)?);
        let classes = logits.len() / samples;
        for (sample, label) in network.labels().iter().enumerate() {
            let logits = &logits[sample * classes..][..classes];
            let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
            for class in 0..classes {
                let expected =
                    (logits[class].exp() / sum - f64::from(u8::from(class == *label))) / samples as f64;
                assert!((gradients[sample * classes + class] - expected).abs() < 1e-12);
            }
        }
        Ok(count as f64)
    });
    for name in ["nb201", "darts", "transnas-micro"] {
        let scored = score(space(name), "seen", vec![seen.clone()], 3, Precision::Double).unwrap();
        assert!(scored.iter().all(|scored| scored.scores[0].is_ok()), "{name}: {scored:?}");
    }
}

#[test]
fn what_others_compute_changes_nothing() {
    let nb201 = space("nb201");
    let alone = score(nb201, "swap,snip,zico", Vec::new(), 6, Precision::Single).unwrap();
    let with = score(nb201, "swap,snip,zico,mine", vec![own("mine", snip)], 6, Precision::Single).unwrap();
    for (alone, with) in alone.iter().zip(with) {
        assert_eq!(alone.scores, with.scores[..3]);
    }
}

#[test]
fn a_proxy_has_no_value_or_ends_the_work() {
    let nb201 = space("nb201");
    let one = |proxy: Arc<dyn Proxy>| score(nb201, "params,mine", vec![proxy], 4, Precision::Single);
    let scored = one(own("mine", |_| Err(ProxyError::undefined("it is Sunday")))).unwrap();
    assert_eq!(scored[0].scores[1], Err(Undefined::Stated("it is Sunday".to_owned())));
    assert!(scored.iter().all(|scored| scored.scores[0].is_ok()));
    let scored = one(own("mine", |_| Ok(f64::NAN))).unwrap();
    assert!(matches!(scored[0].scores[1], Err(Undefined::NotFinite(_))));
    let error = one(own("mine", |_| Err(ProxyError::Failed("out of paper".into())))).unwrap_err();
    insta::assert_snapshot!(error, @"the metric mine has failed: out of paper");
}

/// Of four thousand images, and as many weights for each of as many channels: half a terabyte.
#[test]
fn more_gradients_than_there_is_memory_are_an_error() {
    let mut b = GraphBuilder::new(Shape::new(8, 1, 1));
    let x = b.input();
    let x = b.linear("narrow", x, 4096, false).unwrap();
    let x = b.linear("wide", x, 4096, false).unwrap();
    let logits = b.linear("classifier", x, 2, false).unwrap();
    let graph = Arc::new(b.finish(&[logits]));
    let mine = own("mine", |network| Ok(network.sample_gradients()?.len() as f64));
    let columns = Columns::parse("mine", &Proxies::new([mine]).unwrap()).unwrap();
    let settings = Settings {
        metrics: columns.metrics().to_vec(),
        inputs: "gaussian".parse().unwrap(),
        batch: 4096,
        repeats: None,
        seed: 0,
        init: None,
        sharing: Default::default(),
        level: swapnas_graph::Level::best(),
        precision: Precision::Single,
    };
    let scorer = GraphScorer::new(Shape::new(8, 1, 1), 2, settings).unwrap();
    let error = scorer.score(std::slice::from_ref(&graph), &()).unwrap_err().to_string();
    // It is the network that is too large, and no mistake of the metric.
    let refused = scorer.score_each(&[graph], Refusals::Kept, &()).unwrap().remove(0).unwrap().unwrap_err();
    assert_eq!(refused.to_string()[..40], error[..40]);
    let expected = "the metric mine has failed: the gradients of single samples take ";
    assert!(error.starts_with(expected) && error.contains("GiB of memory"), "{error}");
}

#[test]
fn columns_name_proxies_as_they_name_metrics() {
    struct Small;
    impl Proxy for Small {
        fn name(&self) -> &str {
            "small"
        }
        fn direction(&self) -> Direction {
            Direction::LowerIsBetter
        }
        fn measure(&self, network: &mut NetworkView<'_>) -> Result<f64, ProxyError> {
            Ok(network.graph().parameter_count() as f64)
        }
    }
    let proxies = Proxies::new([Arc::new(Small) as Arc<dyn Proxy>]).unwrap();
    let parse = |text: &str| Columns::parse(text, &proxies);
    let columns = parse("rank(small,params),small").unwrap();
    let names: Vec<String> = columns.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["rank(small,params)", "small"]);
    assert_eq!(columns.iter().last().unwrap().direction(), Direction::LowerIsBetter);
    let error = |text: &str| parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(error("small:mu=1"), @"the metric small has no argument `mu`; it is one of your own, which take none");
    insta::assert_snapshot!(error("smal").split(", ").next().unwrap(), @"no metric is called `smal` (did you mean small?); the metrics are small");
    assert!("small".parse::<Columns>().is_err());
    let scored = score(space("nb201"), "small,params", vec![Arc::new(Small)], 4, Precision::Single).unwrap();
    assert!(scored.iter().all(|scored| scored.scores[0] == scored.scores[1]));
}
