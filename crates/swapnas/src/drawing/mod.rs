//! Drawings of architectures, as papers have them: nodes from left to right, and on the edges between them
//! what is done.

mod dot;
mod layout;
mod svg;

pub use dot::dot;
pub use svg::svg;

/// A label as runs of text, each with whether it is a subscript, which labels write as `_{k-1}`.
fn runs(label: &str) -> Vec<(&str, bool)> {
    let mut runs = Vec::new();
    let mut rest = label;
    while let Some((text, sub, after)) = subscript(rest) {
        runs.push((text, false));
        runs.push((sub, true));
        rest = after;
    }
    runs.push((rest, false));
    runs.retain(|(text, _)| !text.is_empty());
    runs
}

/// The text before the first subscript, the subscript, and the text after it.
fn subscript(label: &str) -> Option<(&str, &str, &str)> {
    let (text, rest) = label.split_once("_{")?;
    let (sub, after) = rest.split_once('}')?;
    Some((text, sub, after))
}
