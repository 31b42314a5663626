//! Modules that are nothing but others one after the other.

use std::collections::HashMap;

use swapnas_graph::ModuleKind;

use super::body::{Body, Callee};
use super::expr::Wrap;
use super::tree::{Place, ROOT, Tree};

/// Modules one after the other, as `nn.Sequential` does them.
pub(super) struct Chain {
    /// What the caller does for all of them.
    pub wrap: Option<Wrap>,
}

/// The chain that a body is, if it is nothing but calls of these modules one after the other.
pub(super) fn chain(
    tree: &Tree<'_>,
    place: Place,
    body: &Body,
    callees: &HashMap<Place, Callee>,
) -> Option<Chain> {
    let node = &tree.nodes[place];
    let call = node.call.filter(|call| call.kind == ModuleKind::Container && place != ROOT)?;
    let members: Vec<Place> = tree.members(place).collect();
    let number = |name: &str| name.parse().ok().filter(|number: &usize| number.to_string() == name);
    let numbers: Option<Vec<usize>> = members.iter().map(|&m| number(tree.nodes[m].name)).collect();
    if !numbers?.is_sorted_by(|a, b| a < b) || body.called.len() != members.len() {
        return None;
    }
    let first = callees.get(members.first()?)?.wrap;
    // Layers of tokens have channels last, and activations have them anywhere.
    let channels_last = first == Some(Wrap::ChannelsLast);
    let is_act =
        |member: Place| tree.nodes[member].call.is_some_and(|call| matches!(call.kind, ModuleKind::Act(_)));
    let mut at = call.input;
    for (place, &member) in members.iter().enumerate() {
        let Callee { inputs, output, wrap, .. } = callees.get(&member)?;
        let fits = match wrap {
            None => !channels_last || is_act(member),
            // The caller flattens what the first module wants to have flat.
            Some(Wrap::Flatten) => place == 0 || tree.is_flat(at),
            Some(Wrap::ChannelsLast) => channels_last,
            Some(_) => false,
        };
        // The caller gives flat values rows and columns, which a chain cannot.
        let fits = fits && !(tree.is_flat(at) && tree.reads_images(member));
        if !fits || *inputs != [at] {
            return None;
        }
        at = *output;
    }
    (at == call.output).then_some(Chain { wrap: first })
}
