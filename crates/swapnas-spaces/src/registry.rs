use swapnas_graph::{nearest, plain};

use crate::{Space, autoformer, darts, flexibert, mobilenet, nats, nb101, nb201, nbmacro, transnas};

/// Every space, in the order in which they are listed. A new one is added here.
#[rustfmt::skip] // one line for each
static SPACES: &[&dyn Space] = &[
    &darts::DARTS,
    &darts::NB301,
    &nb101::NasBench101,
    &nb201::NasBench201,
    &nats::NatsSize,
    &transnas::Micro,
    &transnas::Macro,
    &nbmacro::NasBenchMacro,
    &mobilenet::MobileNet,
    &autoformer::TINY,
    &autoformer::SMALL,
    &autoformer::BASE,
    &flexibert::FlexiBert,
];

/// All search spaces.
pub fn spaces() -> &'static [&'static dyn Space] {
    SPACES
}

/// The name of no space.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no search space is called `{}`{}; the spaces are {}",
    plain(name), hint(suggestions), names().join(", ")
)]
pub struct UnknownSpace {
    /// The name given.
    pub name: String,
    /// The names of spaces close to it, closest first.
    pub suggestions: Vec<&'static str>,
}

fn hint(suggestions: &[&str]) -> String {
    if suggestions.is_empty() {
        String::new()
    } else {
        format!(" (did you mean {}?)", suggestions.join(" or "))
    }
}

fn names() -> Vec<&'static str> {
    spaces().iter().map(|space| space.name()).collect()
}

/// The space of that name.
pub fn by_name(name: &str) -> Result<&'static dyn Space, UnknownSpace> {
    let found = spaces().iter().find(|space| space.name() == name);
    found.copied().ok_or_else(|| UnknownSpace { name: name.to_owned(), suggestions: nearest(name, names()) })
}
