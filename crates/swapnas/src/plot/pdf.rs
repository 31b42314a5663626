//! Drawings as PDF, for papers: nothing but paths, text included, so that no reader needs a font.

use std::convert::Infallible;

use ab_glyph::{Font, FontRef, OutlineCurve, Point};
use pdf_writer::types::LineCapStyle;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontTransform,
};

/// plotters has sizes of text that are so many times those of the font, as its other drawings show.
const TEXT: f32 = 1.24;

/// What a page is drawn on. Coordinates are whole numbers, from above, of `scale` to the point.
pub(super) struct Page<'a> {
    size: (u32, u32),
    scale: u32,
    font: FontRef<'static>,
    content: Content,
    /// The opacities that occur, in per cent; each has a name in the file.
    opacities: Vec<u8>,
    /// Where the file goes.
    target: &'a mut Vec<u8>,
}

impl<'a> Page<'a> {
    /// An empty page of a size, `scale` units of which are a point; `None` if the font cannot be read.
    pub(super) fn new(
        target: &'a mut Vec<u8>,
        size: (u32, u32),
        scale: u32,
        font: &'static [u8],
    ) -> Option<Self> {
        let font = FontRef::try_from_slice(font).ok()?;
        let mut content = Content::new();
        let unit = 1.0 / scale as f32;
        // Upside down, as coordinates are.
        content.transform([unit, 0.0, 0.0, -unit, 0.0, size.1 as f32 * unit]);
        Some(Page { size, scale, font, content, opacities: Vec::new(), target })
    }

    /// The whole file.
    fn file(&mut self) -> Vec<u8> {
        const CATALOG: Ref = Ref::new(1);
        const PAGES: Ref = Ref::new(2);
        const PAGE: Ref = Ref::new(3);
        const CONTENT: Ref = Ref::new(4);
        const FIRST_STATE: i32 = 5;
        let content = std::mem::replace(&mut self.content, Content::new()).finish();
        let mut pdf = Pdf::new();
        pdf.catalog(CATALOG).pages(PAGES);
        pdf.pages(PAGES).kids([PAGE]).count(1);
        let points = |length: u32| length as f32 / self.scale as f32;
        let mut page = pdf.page(PAGE);
        page.parent(PAGES).contents(CONTENT);
        page.media_box(Rect::new(0.0, 0.0, points(self.size.0), points(self.size.1)));
        let states: Vec<(String, Ref, u8)> = (FIRST_STATE..)
            .zip(&self.opacities)
            .map(|(number, &opacity)| (name(opacity), Ref::new(number), opacity))
            .collect();
        let mut resources = page.resources();
        let mut named = resources.ext_g_states();
        for (name, state, _) in &states {
            named.pair(Name(name.as_bytes()), *state);
        }
        named.finish();
        resources.finish();
        page.finish();
        pdf.stream(CONTENT, &content);
        for (_, state, opacity) in states {
            let share = f32::from(opacity) / 100.0;
            pdf.ext_graphics(state).stroking_alpha(share).non_stroking_alpha(share);
        }
        pdf.finish()
    }

    /// Takes a colour for what is filled and for lines; returns whether it can be seen.
    fn take(&mut self, BackendColor { alpha, rgb: (red, green, blue) }: BackendColor) -> bool {
        let opacity = (alpha * 100.0).round() as u8;
        if opacity == 0 {
            return false;
        }
        if !self.opacities.contains(&opacity) {
            self.opacities.push(opacity);
        }
        let [red, green, blue] = [red, green, blue].map(|part| f32::from(part) / 255.0);
        self.content.set_parameters(Name(name(opacity).as_bytes()));
        self.content.set_fill_rgb(red, green, blue).set_stroke_rgb(red, green, blue);
        true
    }

    fn draw_outline(&mut self, points: impl IntoIterator<Item = BackendCoord>) {
        for (place, (x, y)) in points.into_iter().enumerate() {
            let (x, y) = (x as f32, y as f32);
            if place == 0 {
                self.content.move_to(x, y);
            } else {
                self.content.line_to(x, y);
            }
        }
    }

    /// How many units wide a text is whose em is one.
    fn width(&self, text: &str) -> f32 {
        let advance = |letter| self.font.h_advance_unscaled(self.font.glyph_id(letter));
        text.chars().map(advance).sum::<f32>() / self.em()
    }

    /// The units of the font to an em.
    fn em(&self) -> f32 {
        self.font.units_per_em().unwrap_or(1000.0)
    }

    /// Fills the outlines of a glyph, whose points are put where they belong by a function.
    fn fill_glyph(&mut self, curves: &[OutlineCurve], place: impl Fn(Point) -> (f32, f32)) {
        let mut end = None;
        for curve in curves {
            let (OutlineCurve::Line(from, ..) | OutlineCurve::Quad(from, ..) | OutlineCurve::Cubic(from, ..)) =
                *curve;
            if end != Some(from) {
                let (x, y) = place(from);
                self.content.move_to(x, y);
            }
            let ([a, b], to) = match *curve {
                OutlineCurve::Line(_, to) => {
                    let (x, y) = place(to);
                    self.content.line_to(x, y);
                    end = Some(to);
                    continue;
                }
                // The cubic curve that is the same.
                OutlineCurve::Quad(from, control, to) => {
                    let towards = |end: Point| Point {
                        x: end.x + (control.x - end.x) * 2.0 / 3.0,
                        y: end.y + (control.y - end.y) * 2.0 / 3.0,
                    };
                    ([towards(from), towards(to)], to)
                }
                OutlineCurve::Cubic(_, a, b, to) => ([a, b], to),
            };
            let [(ax, ay), (bx, by), (x, y)] = [a, b, to].map(&place);
            self.content.cubic_to(ax, ay, bx, by, x, y);
            end = Some(to);
        }
        self.content.fill_nonzero();
    }
}

/// What an opacity is called.
fn name(opacity: u8) -> String {
    format!("A{opacity}")
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Page<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        *self.target = self.file();
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        if self.take(colour) {
            self.content.rect(x as f32, y as f32, 1.0, 1.0).fill_nonzero();
        }
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        if self.take(style.color()) {
            self.content.rect(left as f32, top as f32, (right - left) as f32, (bottom - top) as f32);
            if fill {
                self.content.fill_nonzero();
            } else {
                self.content.set_line_width(style.stroke_width() as f32).stroke();
            }
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        if self.take(style.color()) {
            self.content.set_line_cap(LineCapStyle::ButtCap).set_line_width(style.stroke_width() as f32);
            self.draw_outline(path);
            self.content.stroke();
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        if self.take(style.color()) {
            // A line of no length with round ends takes less than four curves do.
            self.content.set_line_cap(LineCapStyle::RoundCap).set_line_width(2.0 * radius as f32);
            self.draw_outline([(x, y), (x, y)]);
            self.content.stroke();
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        if self.take(style.color()) {
            self.draw_outline(corners);
            self.content.close_path().fill_nonzero();
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, pos: BackendCoord) -> Drawn {
        if !self.take(style.color()) {
            return Ok(());
        }
        let size = style.size() as f32 / TEXT;
        // Where the text begins on its base line, seen from where it belongs: as in SVG drawings of plotters.
        let left = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -self.width(text) / 2.0,
            HPos::Right => -self.width(text),
        };
        let base = match style.anchor().v_pos {
            VPos::Top => 0.76,
            VPos::Center => 0.27, // half the height of an x
            VPos::Bottom => -0.27,
        };
        let turned = |x: f32, y: f32| match style.transform() {
            FontTransform::None => (x, y),
            FontTransform::Rotate90 => (-y, x),
            FontTransform::Rotate180 => (-x, -y),
            FontTransform::Rotate270 => (y, -x),
        };
        let (em, mut start) = (self.em(), left);
        for letter in text.chars() {
            let glyph = self.font.glyph_id(letter);
            if let Some(outline) = self.font.outline(glyph) {
                self.fill_glyph(&outline.curves, |point| {
                    let (x, y) = turned((start + point.x / em) * size, (base - point.y / em) * size);
                    (pos.0 as f32 + x, pos.1 as f32 + y)
                });
            }
            start += self.font.h_advance_unscaled(glyph) / em;
        }
        Ok(())
    }
}
