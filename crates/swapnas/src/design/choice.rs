//! Which space and which sizes suit pictures and limits.

use std::fmt::Write;

use swapnas_graph::option::{SIZE, SPACE};
use swapnas_graph::{Shape, plain};
use swapnas_metrics::inputs::Survey;
use swapnas_search::{LatencyTable, Limits, SearchError, Sizes};
use swapnas_spaces::{Arch, NetworkConfig, Space};

use super::{DesignError, Wishes};
use crate::{number, sample};

/// Pictures that architectures are scored on.
pub(super) const BATCH: usize = 16;

/// Usual sizes of images.
const SIDES: [usize; 7] = [32, 64, 96, 128, 160, 192, 224];

/// The largest size at which images are taken for small.
const SMALL: usize = 64;

/// Architectures by which it is seen what is within the limits, and how many of them have to be.
const SAMPLE: usize = 100;
const ENOUGH: usize = SAMPLE / 10;

/// Channels and cells of a network; those of the benchmark where there are none.
type Size = (Option<usize>, Option<usize>);

/// Sizes of the networks of spaces, the largest first.
const SIZES: [(&str, &[Size]); 3] = [
    ("darts", &[(Some(36), Some(20)), (Some(24), Some(14)), (Some(16), Some(8)), (Some(8), Some(5))]),
    ("mobilenet", &[(Some(32), None), (Some(24), None), (Some(16), None), (Some(8), None)]),
    ("nb201", &[(Some(16), Some(5)), (Some(16), Some(3)), (Some(16), Some(1)), (Some(8), Some(1))]),
];

/// What a space is chosen for its networks of.
pub(super) struct Choice {
    pub(super) space: &'static dyn Space,
    pub(super) network: NetworkConfig,
    pub(super) reasons: Vec<String>,
}

/// The least that networks of a space come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    /// The space.
    pub space: &'static str,
    /// Fewest parameters of an architecture that was drawn.
    pub params: u64,
    /// Fewest multiply-accumulates.
    pub macs: u64,
    /// Fewest milliseconds, where there is a table of latencies that knows all operations.
    pub latency: Option<f64>,
    /// Whether some architecture is within all limits.
    pub within: bool,
}

/// The largest of the usual sizes 32, 64, 96, 128, 160, 192 and 224 that the median of the pictures' shorter sides
/// reaches, or the smallest.
pub fn side(survey: &Survey) -> usize {
    let [_, median, _] = survey.sides;
    SIDES.into_iter().rfind(|side| *side <= median as usize).unwrap_or(SIDES[0])
}

pub(super) fn choose(survey: &Survey, wishes: &Wishes) -> Result<Choice, DesignError> {
    let [_, median, _] = survey.sides;
    let mut reasons = Vec::new();
    let side = wishes.side.unwrap_or_else(|| side(survey));
    let input = Shape::new(survey.channels, side, side);
    let colours = if survey.channels == 1 { "all pictures are grey" } else { "pictures have colours" };
    reasons.push(match wishes.side {
        Some(_) => format!("images of {input}, the size that was asked for; {colours}"),
        None => format!(
            "images of {input}: {side} is the largest usual size that half of the pictures reach, whose shorter sides have \
             a median of {median} pixels; {colours}"
        ),
    });
    let space = match wishes.space {
        Some(space) => space,
        None => {
            let (name, why) = if side <= SMALL {
                ("darts", "whose networks keep small images as large as they are")
            } else {
                ("mobilenet", "whose networks make large images smaller at once")
            };
            reasons.push(format!("space {name}, {why}"));
            swapnas_spaces::by_name(name).expect("a space of the library")
        }
    };
    if space.vocabulary().is_some() {
        return Err(DesignError::Texts(space.name()));
    }
    let sizes = Of { input, classes: survey.classes.len(), wishes };
    let networks = sizes.networks(space);
    let mut most: Option<(usize, NetworkConfig)> = None;
    // The largest network that would do but for its latency, which nobody knows; those that are too slow are no larger.
    let mut unmeasured: Option<NetworkConfig> = None;
    let mut larger = false;
    for network in networks {
        let allowed = |drawn: Vec<Sizes>| drawn.iter().filter(|sizes| wishes.limits.allow(sizes)).count();
        let Some(drawn) = sizes.known(space, &network)? else {
            if unmeasured.is_none() && allowed(sizes.drawn_with(space, &network, None)?) >= ENOUGH {
                unmeasured = Some(network);
            }
            continue;
        };
        let allowed = allowed(drawn);
        if allowed > most.as_ref().map_or(0, |(count, _)| *count) {
            most = Some((allowed, network));
        }
        larger |= unmeasured.take().is_some();
        if allowed >= ENOUGH {
            break;
        }
    }
    let Some((allowed, network)) = most else {
        return Err(match unmeasured {
            Some(network) => DesignError::Unmeasured {
                space: space.name(),
                described: space.describe(&network),
                network: Box::new(network),
            },
            None => {
                DesignError::Unreachable { limits: wishes.limits.to_string(), reach: sizes.reach(space)? }
            }
        });
    };
    if larger {
        reasons
            .push("larger networks were left out, since the latency table lacks their operations".to_owned());
    }
    let within = match (wishes.limits == Limits::default(), allowed >= ENOUGH) {
        (true, _) => "no limits were given".to_owned(),
        (_, true) => format!(
            "the largest of which {allowed} of {SAMPLE} random architectures are within the limits ({})",
            wishes.limits
        ),
        (_, false) => format!(
            "the most of whose random architectures are within the limits ({}): {allowed} of {SAMPLE}",
            wishes.limits
        ),
    };
    reasons.push(format!("network {}: {within}", space.describe(&network)));
    Ok(Choice { space, network, reasons })
}

/// Sizes of networks for images.
struct Of<'a> {
    input: Shape,
    classes: usize,
    wishes: &'a Wishes,
}

impl Of<'_> {
    /// The networks of a space, the largest first.
    fn networks(&self, space: &dyn Space) -> Vec<NetworkConfig> {
        let own = NetworkConfig { input: self.input, classes: self.classes, ..space.final_network() };
        match SIZES.iter().find(|(name, _)| *name == space.name()) {
            None => vec![own],
            Some((_, sizes)) => {
                sizes.iter().map(|&(channels, cells)| NetworkConfig { channels, cells, ..own }).collect()
            }
        }
    }

    /// Of random architectures, unless their latency is limited and not known.
    fn known(&self, space: &dyn Space, network: &NetworkConfig) -> Result<Option<Vec<Sizes>>, DesignError> {
        if self.wishes.limits.max_latency.is_some() && self.wishes.latency.is_none() {
            return Ok(None);
        }
        match self.drawn_with(space, network, self.wishes.latency.as_ref()) {
            Err(DesignError::Search(error)) if matches!(*error, SearchError::Latency { .. }) => Ok(None),
            drawn => Ok(Some(drawn?)),
        }
    }

    /// Of random architectures.
    fn drawn_with(
        &self,
        space: &dyn Space,
        network: &NetworkConfig,
        latency: Option<&LatencyTable>,
    ) -> Result<Vec<Sizes>, DesignError> {
        let archs = sample(space, SAMPLE, self.wishes.seed);
        let of = |arch: &Arch| {
            let graph = space.network(arch, network).map_err(|cause| DesignError::Network {
                space: space.name(),
                input: self.input,
                cause: Box::new(cause),
            })?;
            Ok(Sizes::of(&graph, latency)?)
        };
        archs.iter().map(of).collect()
    }

    /// The least that a space comes to, and then all others that take such images.
    fn reach(&self, first: &'static dyn Space) -> Result<Vec<Reach>, DesignError> {
        let others = SIZES.iter().filter(|(name, _)| *name != first.name());
        let others = others.map(|(name, _)| swapnas_spaces::by_name(name).expect("a space of the library"));
        let mut reach = Vec::new();
        for space in [first].into_iter().chain(others) {
            match self.reach_of(space) {
                Ok(least) => reach.extend(least),
                Err(error) if space.name() == first.name() => return Err(error),
                // It takes no such images.
                Err(_) => {}
            }
        }
        Ok(reach)
    }

    fn reach_of(&self, space: &'static dyn Space) -> Result<Option<Reach>, DesignError> {
        let Some(smallest) = self.networks(space).pop() else { return Ok(None) };
        // A table may be of another space.
        let drawn = match self.known(space, &smallest)? {
            Some(drawn) => drawn,
            None => self.drawn_with(space, &smallest, None)?,
        };
        let latency = drawn.iter().map(|sizes| sizes.latency).min_by(|a, b| {
            let (a, b) = (a.unwrap_or(f64::INFINITY), b.unwrap_or(f64::INFINITY));
            a.total_cmp(&b)
        });
        Ok(Some(Reach {
            space: space.name(),
            params: drawn.iter().map(|sizes| sizes.params).min().unwrap_or_default(),
            macs: drawn.iter().map(|sizes| sizes.macs).min().unwrap_or_default(),
            latency: latency.flatten(),
            within: drawn.iter().any(|sizes| self.wishes.limits.allow(sizes)),
        }))
    }
}

/// What is to be done where nothing is within the limits.
pub(super) fn unreachable(limits: &str, reach: &[Reach]) -> String {
    let mut text = format!("nothing is within the limits ({})", plain(limits));
    for (place, reach) in reach.iter().enumerate() {
        let Reach { space, params, macs, latency, within } = reach;
        let at_least = |what: f64| number(what, 3);
        let _ = write!(
            text,
            "{} {space} has networks from {} parameters and {} multiply-accumulates",
            if place == 0 { ":" } else { "," },
            at_least(*params as f64),
            at_least(*macs as f64),
        );
        if let Some(ms) = latency {
            let _ = write!(text, " and {} ms", at_least(*ms));
        }
        if *within {
            let _ = write!(text, " ({SPACE} {space} would do)");
        }
    }
    let _ = write!(text, "; loosen the limits, or take smaller images with {SIZE}");
    text
}
