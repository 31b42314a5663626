use super::*;

fn points() -> Vec<(f64, f64)> {
    (0..50).map(|i| (f64::from(i), f64::from(i * i % 17))).collect()
}

fn scatter(points: &[(f64, f64)]) -> Scatter<'_> {
    Scatter { title: "rho = 0.12", x_label: "swap", y_label: "accuracy", points, colours: None }
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
    let colours = Some(Colours { label: "parameters", values: &values });
    Scatter { colours, ..scatter(&points) }.draw(&path).unwrap();
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
    let ranges = scatter(&points).ranges().unwrap();
    assert_eq!(scatter(&points).png(&ranges), scatter(&points).png(&ranges));
    assert_eq!(scatter(&points).svg(&ranges), scatter(&points).svg(&ranges));
}

#[test]
fn a_million_points_are_a_drawing_that_can_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let points: Vec<(f64, f64)> = (0..1_000_000).map(|i| (f64::from(i), f64::from(i).sin())).collect();
    let path = folder.path().join("plot.svg");
    scatter(&points).draw(&path).unwrap();
    let drawn = std::fs::read_to_string(&path).unwrap().matches("<circle").count();
    assert!((20_000..=CELLS[0] * CELLS[1]).contains(&drawn), "{drawn} points are drawn");
    // Few are drawn each, even if they are at the same place.
    scatter(&[(1.0, 2.0); MOST]).draw(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().matches("<circle").count(), MOST);
    scatter(&[(1.0, 2.0); MOST + 1]).draw(&path).unwrap();
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
    let colours = Some(Colours { label: "", values: &[1.0] });
    assert!(matches!(Scatter { colours, ..scatter(&points) }.draw(&path), Err(PlotError::NotFinite(1))));
    assert!(!path.exists(), "nothing is written");
    let other = |name: &str| scatter(&points).draw(Path::new(name)).unwrap_err().to_string();
    insta::assert_snapshot!(other("plot.gif"), @"cannot draw plot.gif: the name of a plot ends in .svg or .png");
    insta::assert_snapshot!(other("svg"), @"cannot draw svg: the name of a plot ends in .svg or .png");
    for name in ["no/folder/plot.svg", "no/folder/plot.png"] {
        let nowhere = scatter(&points).draw(&folder.path().join(name));
        assert!(matches!(nowhere, Err(PlotError::Write(_))));
    }
}
