//! How the rows of an image are divided.

use std::ops::Range;

/// Divides `height` rows into bands of at most `lanes`, where a row has `per_row`. As many as `together`
/// are not divided; fewer at the end go with the last of them.
///
/// The bands depend on shapes alone: sums are taken band by band, and must not depend on the number
/// of threads.
pub(crate) fn bands(height: usize, together: usize, per_row: usize, lanes: usize) -> Vec<Range<usize>> {
    let units = (height / together).max(1);
    let bands = units.div_ceil((lanes / per_row.max(1) / together).max(1));
    let edge = |band: usize| if band == bands { height } else { band * units / bands * together };
    (0..bands).map(|band| edge(band)..edge(band + 1)).collect()
}

/// A band in pieces of at most `lanes`, where a row has `per_row`, divided likewise.
pub(crate) fn pieces(
    band: &Range<usize>,
    together: usize,
    per_row: usize,
    lanes: usize,
) -> impl Iterator<Item = Range<usize>> + use<> {
    let rows = (lanes / per_row.max(1) / together).max(1) * together;
    let end = band.end;
    let last = band.start + band.len().saturating_sub(together) / rows * rows;
    (band.start..=last).step_by(rows).map(move |start| start..if start == last { end } else { start + rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that ranges follow each other without a gap, and that all but the last have whole units.
    fn check(all: Range<usize>, together: usize, parts: &[Range<usize>]) {
        let (last, others) = parts.split_last().expect("there is a part");
        assert_eq!((parts[0].start, last.end), (all.start, all.end));
        assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start), "{parts:?}");
        assert!(others.iter().all(|part| part.len() % together == 0 && !part.is_empty()), "{parts:?}");
        assert!(last.len() >= together.min(all.len()), "{parts:?}");
    }

    #[test]
    fn every_row_is_in_one_part() {
        for height in 1..40 {
            for (together, per_row, lanes) in [
                (1, 0, 0),
                (1, 7, 20),
                (1, 50, 20),
                (2, 0, 0),
                (2, 1, 3),
                (2, 7, 30),
                (2, 50, 20),
                (2, 1, 1000),
            ] {
                let bands = bands(height, together, per_row, lanes);
                check(0..height, together, &bands);
                let band = 3..3 + height;
                let pieces: Vec<_> = pieces(&band, together, per_row, lanes).collect();
                check(band, together, &pieces);
                let most = (lanes / per_row.max(1)).max(together) + together - 1;
                assert!(bands.iter().chain(&pieces).all(|part| part.len() <= most), "{bands:?} {pieces:?}");
            }
        }
    }
}
