//! The scatter plot of scores against accuracies.

#[cfg(test)]
mod tests;
pub(crate) mod ticks;

use std::io::Cursor;
use std::ops::Range;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::colors::colormaps::ViridisRGB;
use plotters::style::{FontStyle, register_font};
use swapnas_graph::plain;

/// Width and height in points.
const SIZE: (u32, u32) = (640, 480);

/// Pixels to the point in PNG files.
const RESOLUTION: u32 = 2;

/// Room around the plot, in points.
const MARGIN: u32 = 12;

/// Room for the labels of the horizontal axis, in points.
const X_LABELS: u32 = 44;

/// Width of the bar that explains the colours, with its labels, in points.
const BAR: u32 = 104;

/// Up to so many points each is drawn.
const MOST: usize = 20_000;

/// Of more, those within one of so many columns and rows are drawn once: they cover each other but for a point or
/// two of paper, and a drawing of a million circles is of no use to anybody.
const CELLS: [usize; 2] = [240, 180];

/// The colour of points that have none of their own.
const PLAIN: RGBColor = RGBColor(31, 87, 160);

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
    /// What colours the points.
    pub colours: Option<Colours<'a>>,
}

/// A third number of each point, shown as its colour.
#[derive(Clone, Debug)]
pub struct Colours<'a> {
    /// Name of the number.
    pub label: &'a str,
    /// The number of each point, in the order of the points.
    pub values: &'a [f64],
}

/// A plot that cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The file's extension is none of those that can be drawn.
    #[error("cannot draw {}: the name of a plot ends in .svg or .png", plain(.0))]
    Format(PathBuf),
    /// There is nothing to draw.
    #[error("there are no points to draw")]
    Empty,
    /// A point has no place or no colour.
    #[error("point {} cannot be drawn: its place or colour is missing, infinite or not a number", .0 + 1)]
    NotFinite(usize),
    /// Numbers on an axis are so far apart that their difference is none.
    #[error("the points cannot be drawn: numbers from {low:e} to {high:e} do not fit on one axis")]
    TooWide {
        /// The smallest number.
        low: f64,
        /// The largest number.
        high: f64,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] crate::WriteError),
    /// The drawing failed.
    #[error("cannot draw {}: {}", plain(path), plain(reason))]
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
    /// Draws the plot to a file, SVG or PNG by its extension, which is there in full or not at all. The
    /// machine needs no fonts.
    ///
    /// # Errors
    /// If there are no points, numbers cannot be drawn, the extension is another one, or the file cannot
    /// be written.
    pub fn draw(&self, path: &Path) -> Result<(), PlotError> {
        check_path(path)?;
        let ranges = self.ranges()?;
        let is_svg = extension(path).as_deref() == Some("svg");
        let contents = if is_svg { self.svg(&ranges) } else { self.png(&ranges) };
        let contents = contents.map_err(|reason| PlotError::Draw { path: path.to_owned(), reason })?;
        Ok(crate::file::write(path, &contents)?)
    }

    fn ranges(&self) -> Result<Ranges, PlotError> {
        let Scatter { points, colours, .. } = self;
        if points.is_empty() {
            return Err(PlotError::Empty);
        }
        for (index, (x, y)) in points.iter().enumerate() {
            let colour = colours.as_ref().map_or(Some(0.0), |colours| colours.values.get(index).copied());
            if ![Some(*x), Some(*y), colour].iter().all(|number| number.is_some_and(f64::is_finite)) {
                return Err(PlotError::NotFinite(index));
            }
        }
        Ok(Ranges {
            x: spread(points.iter().map(|point| point.0))?,
            y: spread(points.iter().map(|point| point.1))?,
            colour: colours.as_ref().map(|colours| spread(colours.values.iter().copied())).transpose()?,
        })
    }

    /// The points that are drawn, in their order; of many at one place the last one, which would lie on top.
    fn drawn(&self, ranges: &Ranges) -> Vec<usize> {
        if self.points.len() <= MOST {
            return (0..self.points.len()).collect();
        }
        let place = |value: f64, range: &Range<f64>, cells: usize| {
            (((value - range.start) / (range.end - range.start) * cells as f64) as usize).min(cells - 1)
        };
        let mut last = vec![None; CELLS[0] * CELLS[1]];
        for (index, &(x, y)) in self.points.iter().enumerate() {
            last[place(x, &ranges.x, CELLS[0]) * CELLS[1] + place(y, &ranges.y, CELLS[1])] = Some(index);
        }
        let mut drawn: Vec<usize> = last.into_iter().flatten().collect();
        drawn.sort_unstable();
        drawn
    }

    fn svg(&self, ranges: &Ranges) -> Result<Vec<u8>, String> {
        let mut svg = String::new();
        self.draw_on(SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(), ranges, 1)?;
        Ok(svg.into_bytes())
    }

    fn png(&self, ranges: &Ranges) -> Result<Vec<u8>, String> {
        let (width, height) = (SIZE.0 * RESOLUTION, SIZE.1 * RESOLUTION);
        let mut image = RgbImage::new(width, height);
        let area = BitMapBackend::with_buffer(&mut image, (width, height)).into_drawing_area();
        self.draw_on(area, ranges, RESOLUTION)?;
        let mut png = Vec::new();
        image.write_to(&mut Cursor::new(&mut png), ImageFormat::Png).map_err(|error| error.to_string())?;
        Ok(png)
    }

    fn draw_on<B: DrawingBackend>(
        &self,
        area: DrawingArea<B, Shift>,
        ranges: &Ranges,
        scale: u32,
    ) -> Result<(), String> {
        register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
            .map_err(|_| "the font cannot be read".to_owned())?;
        let drawn = match (&self.colours, &ranges.colour) {
            (Some(colours), Some(range)) => {
                let colour = |index: usize| colour_of(colours.values[index], range);
                let (left, right) = area.split_horizontally((SIZE.0 - BAR) * scale);
                area.fill(&WHITE)
                    .and_then(|()| self.draw_points(&left, ranges, colour, scale))
                    .and_then(|()| draw_bar(&right, colours.label, range, scale))
            }
            _ => area.fill(&WHITE).and_then(|()| self.draw_points(&area, ranges, |_| PLAIN, scale)),
        };
        drawn.and_then(|()| area.present()).map_err(|error| error.to_string())
    }

    fn draw_points<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        ranges: &Ranges,
        colour: impl Fn(usize) -> RGBColor,
        scale: u32,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let (x_ticks, y_ticks) = (ticks::labels(&ranges.x), ticks::labels(&ranges.y));
        let mut chart = ChartBuilder::on(area)
            .caption(plain(self.title).to_string(), ("sans-serif", 16 * scale))
            .margin(MARGIN * scale)
            .x_label_area_size(X_LABELS * scale)
            .y_label_area_size(60 * scale)
            .build_cartesian_2d(ranges.x.clone(), ranges.y.clone())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.1))
            .x_desc(plain(self.x_label).to_string())
            .y_desc(plain(self.y_label).to_string())
            .axis_desc_style(("sans-serif", 14 * scale))
            .label_style(("sans-serif", 12 * scale))
            .x_labels(7)
            .y_labels(7)
            .x_label_formatter(&x_ticks)
            .y_label_formatter(&y_ticks)
            .draw()?;
        let circle = |i: usize| Circle::new(self.points[i], 3 * scale, colour(i).mix(0.5).filled());
        let circles = self.drawn(ranges).into_iter().map(circle);
        chart.draw_series(circles)?;
        Ok(())
    }
}

/// What the axes and the colours span.
struct Ranges {
    x: Range<f64>,
    y: Range<f64>,
    colour: Option<Range<f64>>,
}

/// A bar of all colours with the numbers that they stand for.
fn draw_bar<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    label: &str,
    range: &Range<f64>,
    scale: u32,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    const STEPS: u32 = 64;
    let ticks = ticks::labels(range);
    let mut chart = ChartBuilder::on(area)
        .caption(" ", ("sans-serif", 16 * scale)) // as high as the title beside it
        .margin(MARGIN * scale)
        .margin_left(0)
        .margin_bottom((MARGIN + X_LABELS) * scale)
        .set_label_area_size(LabelAreaPosition::Right, 76 * scale)
        .build_cartesian_2d(0.0..1.0, range.clone())?;
    let edge = |step: u32| range.start + (range.end - range.start) * f64::from(step) / f64::from(STEPS);
    chart.draw_series((0..STEPS).map(|step| {
        let corners = [(0.0, edge(step)), (1.0, edge(step + 1))];
        Rectangle::new(corners, colour_of(edge(step), range).filled())
    }))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .set_tick_mark_size(LabelAreaPosition::Right, 5 * scale)
        .y_desc(label)
        .axis_desc_style(("sans-serif", 14 * scale))
        .label_style(("sans-serif", 12 * scale))
        .y_labels(7)
        .y_label_formatter(&ticks)
        .draw()
}

fn colour_of(value: f64, range: &Range<f64>) -> RGBColor {
    ViridisRGB.get_color_normalized(value, range.start, range.end)
}

/// The range of values with a margin on both sides.
pub(crate) fn spread(values: impl Iterator<Item = f64>) -> Result<Range<f64>, PlotError> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let margin = if high > low { (high - low) * 0.04 } else { low.abs().max(1.0) * 0.04 };
    // Ticks closer than this would be the same number.
    let margin = margin.max(low.abs().max(high.abs()) * 1e-12).max(f64::MIN_POSITIVE);
    let range = low - margin..high + margin;
    if (range.end - range.start).is_finite() { Ok(range) } else { Err(PlotError::TooWide { low, high }) }
}
