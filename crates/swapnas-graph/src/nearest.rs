/// Names of more bytes are texts, and comparing them letter by letter would take long.
const LONGEST: usize = 64;

/// The names that one which is unknown may have been meant to be: those of the smallest distance, in their order.
///
/// A distance is the number of letters that are replaced, left out, put in or swapped, whether they are small or capital
/// (Damerau-Levenshtein); no name is close by a distance of more than a third of its letters.
///
/// ```
/// use swapnas_graph::nearest;
///
/// assert_eq!(nearest("Sinp", ["snip", "swap", "grasp"]), ["snip"]);
/// assert!(nearest("accuracy", ["snip", "swap"]).is_empty());
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if name.len() > 2 * LONGEST {
        return Vec::new();
    }
    let name = name.to_lowercase();
    let close = known.into_iter().filter(|known| (1..=LONGEST).contains(&known.len())).filter_map(|known| {
        let distance = strsim::damerau_levenshtein(&name, &known.to_lowercase());
        (distance * 3 <= known.chars().count()).then_some((distance, known))
    });
    let close: Vec<(usize, &str)> = close.collect();
    let least = close.iter().map(|(distance, _)| *distance).min();
    close.into_iter().filter(|(distance, _)| Some(*distance) == least).map(|(_, known)| known).collect()
}
