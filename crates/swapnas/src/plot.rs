//! The scatter plot of scores against accuracies.

use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

/// Width and height in points; PNG files have twice as many pixels.
const SIZE: (u32, u32) = (640, 480);

/// What is drawn.
#[derive(Clone, Debug)]
pub struct Scatter<'a> {
    /// Above the plot.
    pub title: &'a str,
    /// Name of the horizontal axis.
    pub x_label: &'a str,
    /// Name of the vertical axis.
    pub y_label: &'a str,
    /// The points.
    pub points: &'a [(f64, f64)],
}

/// A plot that cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The file's extension is none of those that can be drawn.
    #[error("cannot draw {}: the name of a plot ends in .svg or .png", .0.display())]
    Format(PathBuf),
    /// There is nothing to draw.
    #[error("there are no points to draw")]
    Empty,
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] crate::WriteError),
    /// The drawing failed.
    #[error("cannot draw {}: {reason}", path.display())]
    Draw {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Whether a plot can be drawn to a file of this name.
///
/// # Errors
/// If its extension is neither `svg` nor `png`.
pub fn check_path(path: &Path) -> Result<(), PlotError> {
    match extension(path).as_deref() {
        Some("svg" | "png") => Ok(()),
        _ => Err(PlotError::Format(path.to_owned())),
    }
}

fn extension(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}

impl Scatter<'_> {
    /// Draws the plot to a file, SVG or PNG by its extension.
    ///
    /// # Errors
    /// If there are no points, the extension is another one, or the file cannot be written.
    pub fn draw(&self, path: &Path) -> Result<(), PlotError> {
        check_path(path)?;
        if self.points.is_empty() {
            return Err(PlotError::Empty);
        }
        let failed = |reason: String| PlotError::Draw { path: path.to_owned(), reason };
        // No font of the machine is needed: this one comes with the library.
        register_font("sans-serif", FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
            .map_err(|_| failed("the font cannot be read".to_owned()))?;
        if extension(path).as_deref() == Some("svg") {
            let mut svg = String::new();
            self.draw_on(SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(), 1).map_err(&failed)?;
            Ok(crate::file::write(path, svg.as_bytes())?)
        } else {
            let size = (SIZE.0 * 2, SIZE.1 * 2);
            self.draw_on(BitMapBackend::new(path, size).into_drawing_area(), 2).map_err(&failed)
        }
    }

    fn draw_on<B: DrawingBackend>(&self, area: DrawingArea<B, Shift>, scale: u32) -> Result<(), String> {
        let text = |error: DrawingAreaErrorKind<B::ErrorType>| error.to_string();
        area.fill(&WHITE).map_err(text)?;
        let x = spread(self.points.iter().map(|p| p.0));
        let y = spread(self.points.iter().map(|p| p.1));
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 17 * scale))
            .margin(12 * scale)
            .x_label_area_size(44 * scale)
            .y_label_area_size(56 * scale)
            .build_cartesian_2d(x, y)
            .map_err(text)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.1))
            .x_desc(self.x_label)
            .y_desc(self.y_label)
            .axis_desc_style(("sans-serif", 15 * scale))
            .label_style(("sans-serif", 13 * scale))
            .x_labels(7)
            .y_labels(7)
            .draw()
            .map_err(text)?;
        let style = RGBColor(31, 87, 160).mix(0.45).filled();
        let circles = self.points.iter().map(|&point| Circle::new(point, 3 * scale, style));
        chart.draw_series(circles).map_err(text)?;
        area.present().map_err(text)
    }
}

/// The range of values with a margin on both sides.
fn spread(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let margin = if high > low { (high - low) * 0.04 } else { low.abs().max(1.0) * 0.04 };
    low - margin..high + margin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_are_drawn_and_others_refused() {
        let folder = tempfile::tempdir().unwrap();
        let points: Vec<(f64, f64)> = (0..50).map(|i| (f64::from(i), f64::from(i * i % 17))).collect();
        let scatter = Scatter { title: "rho = 0.12", x_label: "swap", y_label: "accuracy", points: &points };
        let svg = folder.path().join("plot.svg");
        scatter.draw(&svg).unwrap();
        let text = std::fs::read_to_string(&svg).unwrap();
        assert_eq!(text.matches("<circle").count(), points.len());
        assert!(text.contains("rho = 0.12") && text.contains("accuracy"));
        let png = folder.path().join("plot.png");
        scatter.draw(&png).unwrap();
        assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
        let gif = scatter.draw(Path::new("plot.gif")).unwrap_err().to_string();
        insta::assert_snapshot!(gif, @"cannot draw plot.gif: the name of a plot ends in .svg or .png");
        let one = Scatter { points: &[(1.0, 2.0)], ..scatter.clone() };
        one.draw(&svg).unwrap();
        let nowhere = one.draw(&folder.path().join("no/folder/plot.svg"));
        assert!(matches!(nowhere.unwrap_err(), PlotError::Write { .. }));
    }
}
