//! The page of a search, as parsers of HTML read it.

mod browser;

use scraper::{Html, Selector};
use swapnas::drawing;
use swapnas::report::{Best, Point, Report, render};

/// What a search over DARTS could have found.
fn report(count: u64) -> Report {
    let space = swapnas::space("darts").unwrap();
    let archs = swapnas::sample(space, count as usize, 1);
    let size = |i: u64| 600_000 + (i * 7919) % 1000 * (i * 104_729 % 4001);
    let score = |i: u64| (size(i) as f64).ln() * 900.0 + (i * 31 % 97) as f64 * 15.0 - 9000.0;
    let mut points: Vec<Point> = archs
        .iter()
        .zip(0..)
        .map(|(arch, i)| Point {
            arch: space.print(arch),
            params: size(i),
            macs: size(i) * 160 + i * 1_000_003,
            latency: None,
            score: score(i),
            on_front: false,
        })
        .collect();
    for i in 0..points.len() {
        let (params, score) = (points[i].params, points[i].score);
        points[i].on_front = !points.iter().any(|other| {
            other.params <= params && other.score >= score && (other.params, other.score) != (params, score)
        });
    }
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| points[b].score.total_cmp(&points[a].score));
    let best = order.iter().take(10).enumerate().map(|(place, &i)| Best {
        rank: place + 1,
        arch: points[i].arch.clone(),
        scores: vec![
            ("swap-reg".to_owned(), Some(points[i].score)),
            ("swap".to_owned(), Some(points[i].score * 1.7)),
            ("jacov".to_owned(), (place != 3).then_some(-276.123_456_7)),
        ],
        params: points[i].params,
        macs: points[i].macs,
        latency: None,
        drawings: vec![drawing::svg(&space.diagrams(&archs[i]))],
    });
    let best: Vec<Best> = best.collect();
    let mut curve: Vec<(u64, f64)> = Vec::new();
    for (point, i) in points.iter().zip(1..) {
        let so_far = curve.last().map_or(f64::NEG_INFINITY, |last| last.1);
        curve.push((i, so_far.max(point.score)));
    }
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Report {
        title: "Search in darts by swap-reg".to_owned(),
        notes: vec!["The search was stopped after 1000 of 4020 evaluations.".to_owned()],
        score: "swap-reg".to_owned(),
        curve,
        against: "parameters".to_owned(),
        points,
        best,
        settings: vec![
            pair("space", "darts"),
            pair("algorithm", "swap-nas: population 20, sample 10, 200 cycles, 5 mutations"),
            pair("inputs", "spectral, batch 16"),
            pair("network that is scored", "swap: no stem, 3 channels, 1 cell, 3x32x32, 10 classes"),
            pair("seed", "0"),
        ],
        versions: vec![pair("swapnas", "0.1.0"), pair("instructions", "avx512")],
        command: "swapnas search --space darts --metric swap-reg --seed 0".to_owned(),
    }
}

fn count(page: &Html, selector: &str) -> usize {
    page.select(&Selector::parse(selector).unwrap()).count()
}

#[test]
fn a_page_of_a_thousand_points_is_valid_and_complete() {
    let report = report(1000);
    let text = render(&report);
    assert!(text.len() < 1_000_000, "{} bytes", text.len());
    let page = Html::parse_document(&text);
    assert_eq!(page.errors, Vec::<String>::new());
    assert_eq!(count(&page, "figure > svg.chart"), 3);
    assert_eq!(count(&page, "svg.drawing"), report.best.len());
    assert_eq!(count(&page, "details[open]"), 3);
    // Every architecture of the front is in both charts and in the table.
    let front = report.points.iter().filter(|point| point.on_front).count();
    assert!(front > 3);
    assert_eq!(count(&page, "path.strong > title"), 2 * front);
    assert_eq!(count(&page, "circle > title"), 2 * (1000 - front));
    assert!(!text.contains("left out"));
    for table in ["Best architectures", "Pareto front"] {
        let rows = count(&page, &format!("div[aria-label='{table}'] tbody tr"));
        assert_eq!(rows, if table == "Pareto front" { front } else { report.best.len() });
    }
    for shown in [&report.command, &report.notes[0], &report.settings[1].1, &report.best[9].arch] {
        let shown = page.root_element().text().any(|text| text == *shown);
        assert!(shown);
    }
}

#[test]
fn a_page_of_very_many_points_shows_some_of_them() {
    let mut report = report(200);
    report.points.iter_mut().for_each(|point| point.on_front = false);
    report.points = report.points.iter().cycle().take(20_000).cloned().collect();
    report.points[123].on_front = true;
    let text = render(&report);
    assert!(text.len() < 1_000_000, "{} bytes", text.len());
    let page = Html::parse_document(&text);
    let circles = count(&page, "circle > title") / 2;
    assert!(circles > 1000, "{circles}");
    assert_eq!(count(&page, "path.strong"), 2);
    assert!(text.contains(&format!("{} architectures off the front are left out", 19_999 - circles)));
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    let text = render(&report(30));
    let namespace = "xmlns=\"http://www.w3.org/2000/svg\"";
    assert!(!text.replace(namespace, "").contains("//"), "no address");
    for loading in ["src=", "url(", "@import", "<script", "javascript:"] {
        assert!(!text.contains(loading), "{loading}");
    }
    let page = Html::parse_document(&text);
    let links = Selector::parse("[href]").unwrap();
    assert!(page.select(&links).all(|link| link.attr("href") == Some("data:,")));
}

#[test]
fn text_stays_text() {
    let mut report = report(5);
    let hostile = "</title></style><script>alert(1)</script>\"'&<b>".to_owned();
    report.title.clone_from(&hostile);
    report.command.clone_from(&hostile);
    report.notes = vec![hostile.clone()];
    report.settings = vec![(hostile.clone(), hostile.clone())];
    report.points.iter_mut().for_each(|point| point.arch.clone_from(&hostile));
    report.score.clone_from(&hostile);
    let page = Html::parse_document(&render(&report));
    assert_eq!(page.errors, Vec::<String>::new());
    assert_eq!(count(&page, "script") + count(&page, "b"), 0);
    assert_eq!(count(&page, "title") - count(&page, "svg title"), 1);
}

#[test]
fn pages_of_little_or_odd_data_are_valid() {
    let mut odd = report(6);
    odd.points[0].score = f64::NAN;
    odd.points[1].score = f64::NEG_INFINITY;
    odd.points.iter_mut().for_each(|point| point.params = 0);
    odd.curve = vec![(1, f64::NAN), (2, 3.0)];
    let mut single = report(1);
    single.best[0].scores.clear();
    for report in [Report::default(), odd, single] {
        let text = render(&report);
        assert_eq!(Html::parse_document(&text).errors, Vec::<String>::new());
        assert!(!text.contains("NaN") && !text.contains("inf\""), "{text}");
    }
    assert!(render(&Report::default()).contains("No architecture was evaluated."));
}

#[test]
fn latencies_are_shown_where_they_are_known() {
    let mut report = report(30);
    report.best[0].latency = Some(12.5);
    report.points.iter_mut().zip(1..).for_each(|(point, place)| point.latency = Some(f64::from(place)));
    report.against = "latency".to_owned();
    let text = render(&report);
    let page = Html::parse_document(&text);
    assert_eq!(count(&page, "figure > svg.chart"), 4);
    assert!(text.contains("12.5000 ms") && text.contains("Pareto front of swap-reg against latency"));
}

#[test]
fn labels_of_axes_are_cut_where_there_is_no_room() {
    let mut report = report(30);
    report.score = "a".repeat(200);
    let page = Html::parse_document(&render(&report));
    let labels = Selector::parse(".chart text").unwrap();
    let longest = page.select(&labels).map(|label| label.text().collect::<String>().chars().count()).max();
    assert!((30..60).contains(&longest.unwrap()), "{longest:?}");
}
