//! A metric of one's own, beside those of the library: `cargo run --release -p swapnas --example own_metric`.

use std::sync::Arc;

use swapnas::{NetworkOptions, NetworkView, Proxies, Proxy, ProxyError, Scoring, ScoringOptions};

/// SNIP's products of weights and gradients, where every layer counts alike: their sum in each layer, multiplied over
/// layers, as a logarithm.
struct SnipOfLayers;

impl Proxy for SnipOfLayers {
    fn name(&self) -> &str {
        "snip-of-layers"
    }

    fn measure(&self, network: &mut NetworkView<'_>) -> Result<f64, ProxyError> {
        let mut sum = 0.0;
        for (weight, _) in network.layers() {
            let gradient = network.gradient(weight)?;
            let products = network.weight(weight).into_iter().zip(gradient).map(|(w, g)| (w * g).abs());
            sum += (1.0 + products.sum::<f64>()).ln();
        }
        Ok(sum)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let space = swapnas::space("nb201")?;
    let proxies = Proxies::new([Arc::new(SnipOfLayers) as Arc<dyn Proxy>])?;
    // It goes wherever a metric does: into ranks, searches and correlations.
    let metrics = Some("snip-of-layers,snip,swap".into());
    let network = NetworkOptions { cells: Some(1), ..NetworkOptions::default() };
    let options = ScoringOptions { metrics, network, ..ScoringOptions::default() };
    let scoring = Scoring { space, proxies, options };
    let archs = swapnas::sample(space, 8, 0);
    for (arch, scored) in archs.iter().zip(scoring.scorer()?.score(&archs, &())?) {
        let scores = scored.expect("nobody stops the work").scores;
        let shown = scores.iter().map(|score| match score {
            Ok(score) => format!("{:>10.3}", score.mean),
            Err(why) => format!("undefined: {why}"),
        });
        println!("{}  {}", shown.collect::<String>(), space.print(arch));
    }
    Ok(())
}
