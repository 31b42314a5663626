//! One scatter plot within a figure.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::colors::colormaps::ViridisRGB;
use swapnas_graph::plain;

use super::axis::Axis;
use super::{Look, Panel, PlotError};

/// Of many points, those within one of so many columns and rows of a panel of full size are drawn once: they cover
/// each other but for a point or two of paper, and a drawing of a million circles is of no use to anybody.
const CELLS: [f64; 2] = [240.0, 180.0];

/// The colour of points that have none of their own.
const PLAIN: RGBColor = RGBColor(31, 87, 160);

/// The colour of lines, which is none of points.
const LINE: RGBColor = RGBColor(179, 71, 11);

/// A point as it is drawn.
struct Mark {
    at: (f64, f64),
    colour: RGBColor,
    /// Whether it lies beyond the axes, and is drawn at their ends.
    is_outside: bool,
}

/// The axes of a panel; `None` if it has no points.
pub(super) fn axes(panel: &Panel) -> Result<Option<[Axis; 2]>, PlotError> {
    let (x, y): (Vec<f64>, Vec<f64>) = panel.points.iter().copied().unzip();
    Ok(Axis::of(&x)?.zip(Axis::of(&y)?).map(|(x, y)| [x, y]))
}

/// Draws a panel.
pub(super) fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    panel: &Panel,
    axes: Option<&[Axis; 2]>,
    colours: Option<&Axis>,
    look: &Look,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let title = plain(&panel.title);
    let Some([x, y]) = axes else {
        return area.titled(&title.to_string(), ("sans-serif", look.title)).map(|_| ());
    };
    let (marks, outside) = marks(panel, [x, y], colours, look);
    let title = if outside > 0 { format!("{title}, {outside} outside") } else { title.to_string() };
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", look.title))
        .margin(look.margin)
        .x_label_area_size(look.x_labels)
        .y_label_area_size(look.y_labels)
        .build_cartesian_2d(coordinate(x), coordinate(y))?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.1))
        .x_desc(plain(&panel.x_label).to_string())
        .y_desc(plain(&panel.y_label).to_string())
        .axis_desc_style(("sans-serif", look.names))
        .label_style(("sans-serif", look.numbers))
        .x_label_formatter(&x.label())
        .y_label_formatter(&y.label())
        .draw()?;
    let size = look.point;
    chart.draw_series(
        marks
            .iter()
            .filter(|mark| !mark.is_outside)
            .map(|mark| Circle::new(mark.at, size, mark.colour.mix(0.5).filled())),
    )?;
    chart.draw_series(
        marks
            .iter()
            .filter(|mark| mark.is_outside)
            .map(|mark| TriangleMarker::new(mark.at, size + size / 2, mark.colour.mix(0.8).filled())),
    )?;
    if panel.line.len() > 1 {
        let line = panel.line.iter().map(|(along, up)| (x.place(*along).0, y.place(*up).0));
        let style = LINE.mix(0.8).stroke_width(look.line);
        chart.draw_series([PathElement::new(line.collect::<Vec<_>>(), style)])?;
    }
    Ok(())
}

/// The axis for plotters, with our ticks.
struct Coordinate {
    numbers: RangedCoordf64,
    ticks: Vec<f64>,
}

fn coordinate(axis: &Axis) -> Coordinate {
    Coordinate { numbers: axis.range.clone().into(), ticks: axis.ticks.clone() }
}

impl Ranged for Coordinate {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.numbers.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.numbers.range()
    }
}

/// The points that are drawn, in their order, and how many of all lie outside; of many at one place, the last one is
/// drawn, which would lie on top.
fn marks(panel: &Panel, [x, y]: [&Axis; 2], colours: Option<&Axis>, look: &Look) -> (Vec<Mark>, usize) {
    let colour = |index: usize| match (colours, &panel.colours) {
        (Some(axis), Some(values)) => colour_of(axis.place(values[index]).0, axis),
        _ => PLAIN,
    };
    let mut outside = 0;
    let mut marks: Vec<Mark> = Vec::with_capacity(panel.points.len());
    for (index, point) in panel.points.iter().enumerate() {
        let ((x, x_is_outside), (y, y_is_outside)) = (x.place(point.0), y.place(point.1));
        let is_outside = x_is_outside || y_is_outside;
        outside += usize::from(is_outside);
        marks.push(Mark { at: (x, y), colour: colour(index), is_outside });
    }
    if marks.len() > look.most {
        let cells = CELLS.map(|cells| (cells * look.share) as usize);
        let cell = |value: f64, axis: &Axis, cells: usize| {
            let (start, end) = (axis.range.start, axis.range.end);
            (((value - start) / (end - start) * cells as f64) as usize).min(cells - 1)
        };
        let mut last = vec![None; cells[0] * cells[1]];
        for (index, mark) in marks.iter().enumerate() {
            last[cell(mark.at.0, x, cells[0]) * cells[1] + cell(mark.at.1, y, cells[1])] = Some(index);
        }
        let mut is_drawn = vec![false; marks.len()];
        last.into_iter().flatten().for_each(|index| is_drawn[index] = true);
        let mut is_drawn = is_drawn.into_iter();
        marks.retain(|_| is_drawn.next() == Some(true));
    }
    (marks, outside)
}

/// A bar of all colours with the numbers that they stand for.
pub(super) fn draw_bar<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    label: &str,
    axis: &Axis,
    look: &Look,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    const STEPS: u32 = 64;
    let range = &axis.range;
    let mut chart = ChartBuilder::on(area)
        .caption(" ", ("sans-serif", look.title)) // as high as the title beside it
        .margin(look.margin)
        .margin_left(0)
        .margin_bottom(look.margin + look.x_labels)
        .set_label_area_size(LabelAreaPosition::Right, look.bar_labels)
        .build_cartesian_2d(0.0..1.0, coordinate(axis))?;
    let edge = |step: u32| range.start + (range.end - range.start) * f64::from(step) / f64::from(STEPS);
    chart.draw_series((0..STEPS).map(|step| {
        let corners = [(0.0, edge(step)), (1.0, edge(step + 1))];
        Rectangle::new(corners, colour_of(edge(step), axis).filled())
    }))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .set_tick_mark_size(LabelAreaPosition::Right, look.tick)
        .y_desc(plain(label).to_string())
        .axis_desc_style(("sans-serif", look.names))
        .label_style(("sans-serif", look.numbers))
        .y_label_formatter(&axis.label())
        .draw()
}

fn colour_of(place: f64, axis: &Axis) -> RGBColor {
    ViridisRGB.get_color_normalized(place, axis.range.start, axis.range.end)
}
