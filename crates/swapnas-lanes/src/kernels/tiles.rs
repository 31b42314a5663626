//! How the channels of a layer are divided into tiles, which are computed at once.

/// Most output channels that are computed at once.
pub(super) const TILE: usize = 6;

/// How many of `outputs` channels go into each tile: as few tiles of at most `most` as can be, of nearly one
/// size.
pub(super) fn tiles(outputs: usize, most: usize) -> impl Iterator<Item = usize> {
    let count = outputs.div_ceil(most);
    (0..count).map(move |tile| outputs / count + usize::from(tile < outputs % count))
}
