//! Scatter plots of scores against accuracies, in panels of one figure.

mod axis;
mod panel;
mod pdf;
mod scatter;
#[cfg(test)]
mod tests;
pub(crate) mod ticks;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use swapnas_graph::plain;

use axis::Axis;
pub(crate) use axis::spread;
pub use scatter::{Progression, Scatter};

/// Panels of a grid, which look alike and share the meaning of colours.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The rows of the grid, from above.
    pub rows: Vec<Vec<Panel>>,
    /// Name of the number that colours points.
    pub colours: String,
}

/// A scatter plot.
///
/// Axes are logarithmic where numbers are positive and span three decades. Numbers that are so far from the others
/// that these would be squeezed together are drawn at the end of the axis, as triangles, and counted in the title.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Above the plot.
    pub title: String,
    /// Name of the horizontal axis.
    pub x_label: String,
    /// Name of the vertical axis.
    pub y_label: String,
    /// The points; if there are none, the title stands alone.
    pub points: Vec<(f64, f64)>,
    /// A third number of each point, in their order, shown as its colour.
    pub colours: Option<Vec<f64>>,
    /// A line through these places, on top of the points; none if there are fewer than two.
    pub line: Vec<(f64, f64)>,
}

/// A plot that cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The file's extension is none of those that can be drawn.
    #[error("cannot draw {}: the name of a plot ends in .svg, .pdf or .png", plain(.0))]
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

/// Files that can be drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Svg,
    Pdf,
    Png,
}

impl Format {
    fn of(path: &Path) -> Result<Self, PlotError> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(Format::Svg),
            Some("pdf") => Ok(Format::Pdf),
            Some("png") => Ok(Format::Png),
            _ => Err(PlotError::Format(path.to_owned())),
        }
    }

    /// Units of a drawing to the point: backends take whole numbers.
    fn scale(self) -> u32 {
        match self {
            Format::Svg => 1,
            Format::Pdf => 10,
            Format::Png => 2,
        }
    }
}

/// Whether a plot can be drawn to a file of this name.
///
/// # Errors
/// If its extension is none of `svg`, `pdf` and `png`.
pub fn check_path(path: &Path) -> Result<(), PlotError> {
    Format::of(path).map(|_| ())
}

/// Width of the bar that explains the colours, with its labels, in points.
const BAR: u32 = 104;

/// Sizes of what is drawn, in units of the drawing.
struct Look {
    /// Width and height of a panel.
    panel: (u32, u32),
    margin: u32,
    /// Sizes of text.
    title: u32,
    names: u32,
    numbers: u32,
    /// Room for the labels of axes.
    x_labels: u32,
    y_labels: u32,
    /// Width of the bar of colours, and of its labels.
    bar: u32,
    bar_labels: u32,
    tick: u32,
    /// Radius of a point.
    point: u32,
    /// Width of a line.
    line: u32,
    /// Up to so many points of a panel each is drawn.
    most: usize,
    /// The width of a panel over that of one that is alone.
    share: f64,
}

impl Look {
    fn of(panels: usize, has_bar: bool, scale: u32) -> Self {
        let (panel, [title, names, numbers], most, share) = match panels {
            0 | 1 => ((if has_bar { 640 - BAR } else { 640 }, 480), [16, 14, 12], 20_000, 1.0),
            _ => ((320, 264), [13, 12, 10], 5_000, 0.6),
        };
        let alone = |one: u32, several: u32| if panels < 2 { one } else { several } * scale;
        Look {
            panel: (panel.0 * scale, panel.1 * scale),
            margin: alone(12, 8),
            title: title * scale,
            names: names * scale,
            numbers: numbers * scale,
            x_labels: alone(44, 38),
            y_labels: alone(60, 52),
            bar: BAR * scale,
            bar_labels: 76 * scale,
            tick: 5 * scale,
            point: alone(3, 2),
            line: alone(4, 3) / 2,
            most,
            share,
        }
    }
}

/// What axes and colours span.
struct Axes {
    /// Of each panel that has points.
    panels: Vec<Vec<Option<[Axis; 2]>>>,
    colours: Option<Axis>,
}

impl Figure {
    /// Panels in their order, row by row in a grid that is about as wide as high.
    pub fn square(panels: Vec<Panel>, colours: String) -> Self {
        let columns = (panels.len() as f64).sqrt().ceil().max(1.0) as usize;
        let mut rows: Vec<Vec<Panel>> = Vec::new();
        for panel in panels {
            match rows.last_mut().filter(|row| row.len() < columns) {
                Some(row) => row.push(panel),
                None => rows.push(vec![panel]),
            }
        }
        Figure { rows, colours }
    }

    /// Draws the figure to a file, SVG, PDF or PNG by its extension, which is there in full or not at all. The
    /// machine needs no fonts, but that SVG names one.
    ///
    /// # Errors
    /// If there are no points, numbers cannot be drawn, the extension is another one, or the file cannot
    /// be written.
    pub fn draw(&self, path: &Path) -> Result<(), PlotError> {
        let format = Format::of(path)?;
        let axes = self.axes()?;
        let contents = self.contents(&axes, format);
        let contents = contents.map_err(|reason| PlotError::Draw { path: path.to_owned(), reason })?;
        Ok(crate::file::write(path, &contents)?)
    }

    /// The figure as SVG.
    ///
    /// # Errors
    /// If there are no points, or numbers cannot be drawn.
    pub fn svg(&self) -> Result<String, PlotError> {
        let contents = self.contents(&self.axes()?, Format::Svg);
        let contents = contents.map_err(|reason| PlotError::Draw { path: "the figure".into(), reason })?;
        Ok(String::from_utf8(contents).expect("SVG is text"))
    }

    fn panels(&self) -> impl Iterator<Item = &Panel> {
        self.rows.iter().flatten()
    }

    fn axes(&self) -> Result<Axes, PlotError> {
        if self.panels().all(|panel| panel.points.is_empty()) {
            return Err(PlotError::Empty);
        }
        let mut colours = Vec::new();
        for Panel { points, colours: own, line, .. } in self.panels() {
            for (index, (x, y)) in points.iter().enumerate() {
                let colour = own.as_ref().map_or(Some(0.0), |colours| colours.get(index).copied());
                if ![Some(*x), Some(*y), colour].iter().all(|number| number.is_some_and(f64::is_finite)) {
                    return Err(PlotError::NotFinite(index));
                }
            }
            if let Some(index) = line.iter().position(|(x, y)| !x.is_finite() || !y.is_finite()) {
                return Err(PlotError::NotFinite(index));
            }
            colours.extend(own.iter().flat_map(|own| &own[..points.len()]));
        }
        let row = |row: &Vec<Panel>| row.iter().map(panel::axes).collect();
        Ok(Axes {
            panels: self.rows.iter().map(row).collect::<Result<_, _>>()?,
            colours: Axis::of(&colours)?,
        })
    }

    fn contents(&self, axes: &Axes, format: Format) -> Result<Vec<u8>, String> {
        let font = dejavu::sans::regular();
        register_font("sans-serif", FontStyle::Normal, font)
            .map_err(|_| "the font cannot be read".to_owned())?;
        let look = Look::of(self.panels().count(), axes.colours.is_some(), format.scale());
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0) as u32;
        let bar = if axes.colours.is_some() { look.bar } else { 0 };
        let size = (columns * look.panel.0 + bar, self.rows.len() as u32 * look.panel.1);
        match format {
            Format::Svg => {
                let mut svg = String::new();
                let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
                self.draw_on(area, axes, &look)?;
                Ok(svg.into_bytes())
            }
            Format::Pdf => {
                let mut pdf = Vec::new();
                let page = pdf::Page::new(&mut pdf, size, format.scale(), font);
                let page = page.ok_or_else(|| "the font cannot be read".to_owned())?;
                self.draw_on(page.into_drawing_area(), axes, &look)?;
                Ok(pdf)
            }
            Format::Png => {
                let mut image = RgbImage::new(size.0, size.1);
                let area = BitMapBackend::with_buffer(&mut image, size).into_drawing_area();
                self.draw_on(area, axes, &look)?;
                let mut png = Vec::new();
                let written = image.write_to(&mut Cursor::new(&mut png), ImageFormat::Png);
                written.map(|()| png).map_err(|error| error.to_string())
            }
        }
    }

    fn draw_on<B: DrawingBackend>(
        &self,
        area: DrawingArea<B, Shift>,
        axes: &Axes,
        look: &Look,
    ) -> Result<(), String> {
        let drawn = || {
            area.fill(&WHITE)?;
            let (width, height) = look.panel;
            for (y, (row, of_row)) in (0..).zip(self.rows.iter().zip(&axes.panels)) {
                for (x, (panel, of_panel)) in (0..).zip(row.iter().zip(of_row)) {
                    let place = area.clone().shrink((x * width, y * height), look.panel);
                    panel::draw(&place, panel, of_panel.as_ref(), axes.colours.as_ref(), look)?;
                }
            }
            if let Some(colours) = &axes.colours {
                let (right, _) = area.dim_in_pixel();
                let bar = area.clone().shrink((right - look.bar, 0), (look.bar, height));
                panel::draw_bar(&bar, &self.colours, colours, look)?;
            }
            area.present()
        };
        drawn().map_err(|error: DrawingAreaErrorKind<B::ErrorType>| error.to_string())
    }
}
