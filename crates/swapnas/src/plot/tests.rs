use super::*;

fn points() -> Vec<(f64, f64)> {
    (0..50).map(|i| (f64::from(i), f64::from(i * i % 17))).collect()
}

fn panel(points: &[(f64, f64)]) -> Panel {
    let [title, x_label, y_label] = ["rho = 0.12", "swap", "accuracy"].map(str::to_owned);
    Panel { title, x_label, y_label, points: points.to_vec(), colours: None, line: Vec::new() }
}

fn scatter(points: &[(f64, f64)]) -> Figure {
    Figure::square(vec![panel(points)], "parameters".to_owned())
}

fn coloured(points: &[(f64, f64)], values: &[f64]) -> Figure {
    let panel = Panel { colours: Some(values.to_vec()), ..panel(points) };
    Figure::square(vec![panel], "parameters".to_owned())
}

#[test]
fn svg_shows_all_points_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plot.SVG");
    let (points, values) = (points(), [0.0; 49].into_iter().chain([2e6]).collect::<Vec<_>>());
    scatter(&points).draw(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("<circle").count(), points.len());
    assert!(["rho = 0.12", "swap", "accuracy"].iter().all(|label| text.contains(label)));
    coloured(&points, &values).draw(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("parameters") && text.contains("1.5×10⁶"));
    let fills =
        text.split("<circle").skip(1).filter_map(|circle| circle.split("fill=").nth(1)?.split(' ').next());
    let fills: Vec<&str> = fills.collect();
    assert!(fills[..49].iter().all(|fill| *fill == fills[0]) && fills[49] != fills[0]);
}

#[test]
fn png_shows_points_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plot.png");
    let corners = [(0.0, 0.0), (1.0, 1.0)];
    scatter(&corners).draw(&path).unwrap();
    let image = image::open(&path).unwrap().into_rgb8();
    assert_eq!(image.dimensions(), (1280, 960));
    let is_blue =
        |&&[red, green, blue]: &&[u8; 3]| blue > 180 && red < 180 && green < 210 && blue > green + 20;
    let blue = image.enumerate_pixels().filter(|(.., pixel)| is_blue(&&pixel.0)).map(|(x, y, _)| (x, y));
    let (low, high): (Vec<_>, Vec<_>) = blue.partition(|(x, _)| *x < 640);
    assert!(!low.is_empty() && low.iter().all(|(_, y)| *y > 700), "{low:?}");
    assert!(!high.is_empty() && high.iter().all(|(_, y)| *y < 200), "{high:?}");
}

#[test]
fn the_same_plot_has_the_same_bytes() {
    let points = points();
    for format in [Format::Svg, Format::Pdf, Format::Png] {
        let bytes = || {
            let figure = scatter(&points);
            figure.contents(&figure.axes().unwrap(), format).unwrap()
        };
        assert!(bytes() == bytes());
    }
}

#[test]
fn a_million_points_are_a_drawing_that_can_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let points: Vec<(f64, f64)> = (0..1_000_000).map(|i| (f64::from(i), f64::from(i).sin())).collect();
    let path = folder.path().join("plot.svg");
    scatter(&points).draw(&path).unwrap();
    let drawn = std::fs::read_to_string(&path).unwrap().matches("<circle").count();
    assert!((15_000..=240 * 180).contains(&drawn), "{drawn} points are drawn");
    // Few are drawn each, even if they are at the same place.
    scatter(&[(1.0, 2.0); 20_000]).draw(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().matches("<circle").count(), 20_000);
    scatter(&[(1.0, 2.0); 20_001]).draw(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().matches("<circle").count(), 1);
}

#[test]
fn awkward_numbers_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plot.svg");
    for x in [
        [1.0, 1.0],
        [0.0, 0.0],
        [1.0, 1.0 + f64::EPSILON],
        [1e16, 1e16 + 2.0],
        [-1e300, 1e300],
        [0.0, 5e-324],
    ] {
        for points in [x.map(|x| (x, 1.0)), x.map(|x| (1.0, x))] {
            scatter(&points).draw(&path).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap().matches("<circle").count(), 2, "{points:?}");
        }
    }
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plot.svg");
    let error = |points: &[(f64, f64)]| scatter(points).draw(&path).unwrap_err().to_string();
    insta::assert_snapshot!(error(&[]), @"there are no points to draw");
    insta::assert_snapshot!(error(&[(1.0, 2.0), (1.0, f64::NAN)]), @"point 2 cannot be drawn: its place or colour is missing, infinite or not a number");
    insta::assert_snapshot!(error(&[(f64::MAX, 2.0), (f64::MIN, 0.0)]), @"the points cannot be drawn: numbers from -1.7976931348623157e308 to 1.7976931348623157e308 do not fit on one axis");
    let points = points();
    assert!(matches!(coloured(&points, &[1.0]).draw(&path), Err(PlotError::NotFinite(1))));
    assert!(!path.exists(), "nothing is written");
    let other = |name: &str| scatter(&points).draw(Path::new(name)).unwrap_err().to_string();
    insta::assert_snapshot!(other("plot.gif"), @"cannot draw plot.gif: the name of a plot ends in .svg, .pdf or .png");
    insta::assert_snapshot!(other("svg"), @"cannot draw svg: the name of a plot ends in .svg, .pdf or .png");
    for name in ["no/folder/plot.svg", "no/folder/plot.pdf", "no/folder/plot.png"] {
        let nowhere = scatter(&points).draw(&folder.path().join(name));
        assert!(matches!(nowhere, Err(PlotError::Write(_))));
    }
}

#[test]
fn panels_form_a_grid() {
    let rows = |panels: usize| -> Vec<usize> {
        let figure = Figure::square(vec![panel(&[]); panels], String::new());
        figure.rows.iter().map(Vec::len).collect()
    };
    assert_eq!(rows(1), [1]);
    assert_eq!(rows(2), [2]);
    assert_eq!(rows(4), [2, 2]);
    assert_eq!(rows(7), [3, 3, 1]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plot.svg");
    let titled = |title: &str, points: &[(f64, f64)]| Panel { title: title.to_owned(), ..panel(points) };
    let panels = vec![titled("one", &points()), titled("none", &[]), titled("three", &points())];
    Figure::square(panels, String::new()).draw(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        ["one", "none", "three"].iter().all(|title| text.contains(title)),
        "a panel without points has a title"
    );
    assert_eq!(text.matches("<circle").count(), 2 * points().len());
    assert!(text.contains("width=\"640\" height=\"528\""), "{}", &text[..200]);
}

#[test]
fn points_outside_are_marked_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plot.svg");
    let mut points: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), f64::from(i % 10))).collect();
    points.extend([(1e6, 5.0), (50.0, -1e6), (1e7, 1e7)]);
    scatter(&points).draw(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!((text.matches("<circle").count(), text.matches("<polygon").count()), (100, 3));
    assert!(text.contains("rho = 0.12, 3 outside"));
}

#[test]
fn a_pdf_holds_what_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plot.pdf");
    let values: Vec<f64> = (0..50).map(|i| 10_f64.powi(i % 5)).collect();
    coloured(&points(), &values).draw(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.") && bytes.ends_with(b"%%EOF"));
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("/MediaBox [0 0 640 480]"), "{}", &text[..300]);
    // Points are lines with round ends, in five colours that are half transparent.
    let points: Vec<&str> = text.split("/A50 gs").skip(1).collect();
    assert_eq!(points.len(), 50);
    let colours: std::collections::BTreeSet<&str> =
        points.iter().filter_map(|point| point.split(" rg").next()).collect();
    assert_eq!(colours.len(), 5);
    assert!(points.iter().all(|point| point.contains("1 J\n60 w")), "{}", points[0]);
    // Text is drawn as curves, and no font is asked for.
    assert!(text.matches(" c\n").count() > 500 && !text.contains("/Font"));
}

#[test]
fn a_line_is_drawn_on_top_of_the_points() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = |line: &[(f64, f64)], name: &str| {
        let panel = Panel { line: line.to_vec(), ..panel(&points()) };
        let path = folder.path().join(name);
        Figure::square(vec![panel], String::new()).draw(&path).map(|()| std::fs::read(&path).unwrap())
    };
    let svg = String::from_utf8(drawn(&[(0.0, 1.0), (20.0, 1.0), (20.0, 9.0)], "plot.svg").unwrap()).unwrap();
    let line = svg.rfind("<polyline").unwrap();
    assert!(svg[line..].contains("#B3470B") && line > svg.rfind("<circle").unwrap(), "{}", &svg[line..]);
    for name in ["plot.svg", "plot.pdf", "plot.png"] {
        assert!(
            drawn(&[(0.0, 1.0), (20.0, 1.0)], name).unwrap() != drawn(&[(0.0, 1.0)], name).unwrap(),
            "{name}"
        );
    }
    assert!(matches!(drawn(&[(0.0, 1.0), (f64::NAN, 1.0)], "plot.svg"), Err(PlotError::NotFinite(1))));
}
