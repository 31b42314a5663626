//! What a browser makes of the page of a search.

use std::path::{Path, PathBuf};
use std::process::Command;

use scraper::{Html, Selector};
use serde::Deserialize;
use swapnas::report::{Report, render};
use swapnas::search::{AlgorithmKind, Configuration, ScoringOptions, Search, SearchOptions};
use swapnas::{Level, Preset, results};

use super::report;

/// Shows pages of searches in all spaces, and of awkward data, in headless Chromium: wide, narrow, light and
/// dark. `SWAPNAS_CHROMIUM` says which program that is.
#[test]
#[ignore = "needs Chromium"]
fn a_browser_shows_pages_in_full() {
    let folder = tempfile::tempdir().unwrap();
    let mut pages: Vec<(String, PathBuf)> = Vec::new();
    for &space in swapnas::spaces() {
        let path = search(space.name(), &folder.path().join(space.name()));
        pages.push((space.name().to_owned(), path));
    }
    let empty = Report { title: "Search".to_owned(), ..Report::default() };
    for (name, report) in [("awkward", awkward()), ("empty", empty)] {
        let path = folder.path().join(format!("{name}.html"));
        std::fs::write(&path, render(&report)).unwrap();
        pages.push((name.to_owned(), path));
    }
    for (name, page) in pages {
        let (_, log) = open(&page, &[]);
        assert_eq!(complaints(&log), Vec::<&str>::new(), "{name}");
        for dark in [false, true] {
            for measured in measure(&page, dark) {
                assert_eq!(measured.dark, dark);
                // Where there is room, nobody has to scroll to see the numbers.
                assert!(name == "awkward" || measured.width < 1000.0 || !measured.cut, "{name}");
                measured.check(&format!("{name}, {} pixels wide", measured.width), name == "empty");
            }
        }
    }
}

/// Were there anything to complain of, the browser would.
#[test]
#[ignore = "needs Chromium"]
fn a_browser_refuses_to_load_anything_into_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let text = render(&report(5));
    std::fs::write(&page, text.replace("</main>", "<img src=\"http://127.0.0.1/a.png\"></main>")).unwrap();
    let (_, log) = open(&page, &[]);
    assert!(complaints(&log).iter().any(|line| line.contains("Content Security Policy")), "{log}");
}

/// A small search; returns its page.
fn search(space: &str, folder: &Path) -> PathBuf {
    let space = swapnas::space(space).unwrap();
    let scored = space.default_network();
    let one_cell = scored.preset == Preset::Swap && space.one_cell().is_some();
    let configuration = Configuration {
        space: space.name().to_owned(),
        one_cell,
        scoring: ScoringOptions {
            // Networks of some spaces take long; counting takes no time in any.
            metrics: Some(
                if one_cell { "swap-reg,swap,params" } else { "rank(units,live-params),params" }.to_owned(),
            ),
            repeats: Some(1),
            network: (&scored).into(),
            ..ScoringOptions::default()
        },
        proxies: Default::default(),
        search: SearchOptions {
            algorithm: if space.name() == "nb201" { AlgorithmKind::Nsga2 } else { AlgorithmKind::SwapNas },
            population: 10,
            sample: 5,
            cycles: 20,
            mutations: 3,
            trained: (&space.final_network()).into(),
            ..SearchOptions::default()
        },
    };
    let mut search = Search::create(folder, configuration, Level::best()).unwrap();
    let ended = search.run(&(), None).unwrap();
    results::write(&search, ended, 5).unwrap();
    folder.join("report.html")
}

/// Long names, long numbers, negative scores, sizes far apart, and latencies.
fn awkward() -> Report {
    let mut report = report(300);
    report.score = "logrank(swap-reg:mu=3300:sigma=125600,live-params,az-progressivity)".to_owned();
    for (place, point) in report.points.iter_mut().enumerate() {
        point.score = point.score * -1_234.567_89 - 5e5;
        point.params *= 1 + place as u64 * 20;
        point.latency = Some(0.0123 * (1 + place) as f64);
    }
    report.curve.iter_mut().for_each(|(_, score)| *score *= 1e-7);
    report.best[1].latency = Some(123.456_789);
    report.notes.push("A".repeat(300));
    report.settings.push(("b".repeat(100), "c".repeat(300)));
    report
}

/// Where everything on a page is, at several widths.
fn measure(page: &Path, dark: bool) -> Vec<Measured> {
    let frame = page.with_file_name("measure.html");
    let name = page.file_name().unwrap().to_str().unwrap();
    std::fs::write(&frame, include_str!("measure.html").replace("PAGE", name)).unwrap();
    let scheme = format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 });
    let (dom, log) = open(&frame, &["--allow-file-access-from-files", &scheme]);
    let dom = Html::parse_document(&dom);
    let measured = dom.select(&Selector::parse("#measured").unwrap()).next().expect(&log);
    serde_json::from_str(&measured.text().collect::<String>()).expect(&log)
}

/// The document once it is loaded, and what the browser logs. The browser knows nobody on any network, and
/// starts with an empty profile.
fn open(page: &Path, options: &[&str]) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let program = std::env::var_os("SWAPNAS_CHROMIUM").unwrap_or("chromium".into());
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--enable-logging=stderr"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=5000"])
        .args(options)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--window-size=1300,1000", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("SWAPNAS_CHROMIUM names Chromium");
    let [dom, log] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{log}");
    (dom, log)
}

/// What is written to the console of the page.
fn complaints(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("CONSOLE")).collect()
}

/// Left, top, right and bottom, in pixels.
type Area = [f64; 4];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    width: f64,
    scroll_width: f64,
    resources: Vec<String>,
    cut: bool,
    dark: bool,
    charts: Vec<Chart>,
    drawings: Vec<Drawing>,
    blocks: Vec<Text>,
    cells: Vec<Cell>,
    inks: Vec<Ink>,
}

#[derive(Deserialize)]
struct Chart {
    #[serde(rename = "box")]
    area: Area,
    texts: Vec<Text>,
    marks: Vec<Area>,
}

#[derive(Deserialize)]
struct Drawing {
    #[serde(rename = "box")]
    area: Area,
    scrolls: bool,
    texts: Vec<Text>,
    nodes: Vec<Area>,
}

#[derive(Debug, Deserialize)]
struct Text {
    text: String,
    #[serde(rename = "box")]
    area: Area,
}

#[derive(Debug, Deserialize)]
struct Cell {
    text: String,
    #[serde(rename = "box")]
    area: Area,
    content: Area,
}

#[derive(Deserialize)]
struct Ink {
    text: String,
    contrast: f64,
}

impl Measured {
    fn check(&self, page: &str, empty: bool) {
        assert_eq!(self.resources, Vec::<String>::new(), "{page} loads something");
        assert!(self.scroll_width <= self.width, "{page} is {} pixels wide", self.scroll_width);
        let here = [0.0, 0.0, self.width, f64::INFINITY];
        for Text { text, area } in &self.blocks {
            assert!(within(area, &here) && size(area) > 0.0, "{page}: {text} at {area:?}");
        }
        for cell in self.cells.iter().filter(|cell| !cell.text.is_empty()) {
            assert!(within(&cell.content, &cell.area), "{page}: {cell:?}");
        }
        // What the guidelines for accessible pages ask for.
        for Ink { text, contrast } in &self.inks {
            assert!(*contrast >= 4.5, "{page}: {text} has a contrast of {contrast}");
        }
        assert!(
            empty || !self.inks.is_empty() && self.charts.len() >= 3 && self.drawings.len() >= 5,
            "{page}"
        );
        for Chart { area, texts, marks } in &self.charts {
            assert!(area[2] - area[0] > 250.0 && area[3] - area[1] > 150.0, "{page}: a chart at {area:?}");
            assert!(texts.len() >= 6 && !marks.is_empty(), "{page}");
            assert!(marks.iter().all(|mark| within(mark, area)), "{page}: a mark outside of {area:?}");
            check_texts(texts, area, page);
        }
        for Drawing { area, scrolls, texts, nodes } in &self.drawings {
            assert!(size(area) > 1000.0 && nodes.len() >= 2, "{page}: a drawing at {area:?}");
            assert!(nodes.iter().all(|node| within(node, area) && size(node) > 100.0), "{page}");
            assert!(!scrolls || self.width < 1000.0, "{page}: a drawing is cut off");
            check_texts(texts, area, page);
            // A label is on a node, or beside all nodes.
            for Text { text, area } in texts {
                let fits = |node: &Area| within(area, node) || !overlap(area, node);
                assert!(nodes.iter().all(fits), "{page}: {text} is across the border of a node");
            }
        }
    }
}

/// Texts are there, within the area, and apart from each other.
fn check_texts(texts: &[Text], around: &Area, page: &str) {
    for (place, Text { text, area }) in texts.iter().enumerate() {
        assert!(size(area) > 0.0 && within(area, around), "{page}: {text} at {area:?} in {around:?}");
        // Lines of one label have boxes as high as the lines are apart.
        let [left, top, right, bottom] = *area;
        let inner = [left, top + (bottom - top) / 6.0, right, bottom - (bottom - top) / 6.0];
        let other = texts[..place].iter().find(|other| overlap(&inner, &other.area));
        assert!(other.is_none(), "{page}: {text} on {other:?}");
    }
}

fn size(area: &Area) -> f64 {
    (area[2] - area[0]) * (area[3] - area[1])
}

/// Up to what rounding to pixels does.
fn within(area: &Area, outer: &Area) -> bool {
    let [left, top, right, bottom] = outer;
    area[0] >= left - 1.0 && area[1] >= top - 1.0 && area[2] <= right + 1.0 && area[3] <= bottom + 1.0
}

fn overlap(a: &Area, b: &Area) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}
