use swapnas_graph::option::{BATCH, CHANNELS};

use crate::{Ceiling, Remedy, Scored};

/// What a reader of SWAP-Scores of a batch of so many `samples`, images or texts, should know: whether they are close to the most that
/// there can be. `remedy` is what can be done.
pub fn saturation_warnings<'a>(
    samples: usize,
    remedy: Remedy,
    scored: impl Iterator<Item = &'a Scored>,
) -> Vec<String> {
    let (mut batch, mut units, mut all) = (0, 0, 0);
    for scored in scored {
        all += 1;
        if let Some(saturation) = scored.saturation.filter(|s| s.is_saturated()) {
            match saturation.ceiling {
                Ceiling::Batch => batch += 1,
                Ceiling::Units => units += 1,
            }
        }
    }
    let mut warnings = Vec::new();
    if batch > 0 {
        warnings.push(format!(
            "saturated: {batch} of {all} networks have nearly all of the 2^{samples} patterns that {samples} \
             samples allow, so their SWAP-Scores say little; raise {BATCH}"
        ));
    }
    if units > 0 {
        let channels = match remedy {
            Remedy::Build => format!(" or raise {CHANNELS}"),
            Remedy::Show => String::new(),
        };
        warnings.push(format!(
            "saturated: in {units} of {all} networks nearly every unit has a pattern of its own, so the \
             SWAP-Score does little but count units; lower {BATCH}{channels}"
        ));
    }
    warnings
}
