//! Scores of ONNX files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use swapnas::export::Export;
use swapnas::onnx::{Images, Model, score, score_each};
use swapnas::{
    Array, Columns, Finding, InputSpec, Level, NetworkConfig, Precision, Progress, Refusals, Scored,
    Settings, Shape, Sharing, Undefined, Unread, refused, score_readable, values,
};

fn settings(metrics: &[&str]) -> Settings {
    Settings {
        metrics: metrics.iter().map(|metric| metric.parse().unwrap()).collect(),
        inputs: InputSpec::default(),
        batch: 8,
        repeats: Some(2),
        seed: 0,
        init: None,
        sharing: Sharing::Shared,
        level: Level::best(),
        precision: Precision::Single,
    }
}

/// The file of an architecture of NAS-Bench-201.
fn file(folder: &Path, index: &str, input: Shape, seed: u64) -> PathBuf {
    let space = swapnas::space("nb201").unwrap();
    let arch = space.parse(index).unwrap();
    let network =
        NetworkConfig { input, channels: Some(4), cells: Some(1), classes: 5, ..space.final_network() };
    let path = folder.join(format!("{index}-{input}-{seed}.onnx"));
    let export = Export { space, arch: &arch, network, seed };
    export.write(swapnas::export::Format::Onnx, &path).unwrap();
    path
}

fn read(path: &Path) -> Model {
    Model::read(path, Images::OfFile).unwrap()
}

fn mean(scored: &Option<Scored>, metric: usize) -> f64 {
    scored.as_ref().unwrap().scores[metric].as_ref().unwrap().mean
}

#[test]
fn scores_depend_on_the_network_and_not_on_its_file_or_company() {
    let folder = tempfile::tempdir().unwrap();
    let (small, large) = (Shape::new(3, 16, 16), Shape::new(3, 24, 20));
    let files = [("4321", small, 0), ("4321", small, 1), ("15624", small, 0), ("4321", large, 0)];
    let models = files.map(|(index, input, seed)| read(&file(folder.path(), index, input, seed)));
    let settings = settings(&["swap", "params", "synflow", "nwot", "units"]);
    let scored = score(&models, &settings, &()).unwrap();
    // The weights in the file play no part.
    assert_eq!(scored[0], scored[1]);
    assert_ne!(mean(&scored[0], 0), mean(&scored[2], 0));
    assert_eq!(mean(&scored[0], 1), mean(&scored[3], 1));
    assert_ne!(mean(&scored[0], 4), mean(&scored[3], 4));
    for (model, together) in models.iter().zip(&scored) {
        let alone = score(std::slice::from_ref(model), &settings, &()).unwrap();
        assert_eq!(&alone[0], together);
    }
    assert_eq!((models[3].input(), models[3].classes()), (large, 5));
    assert!(!models[0].lacks_normalisation());
}

#[test]
fn metrics_that_look_at_other_networks_are_undefined() {
    let folder = tempfile::tempdir().unwrap();
    let model = read(&file(folder.path(), "4321", Shape::new(3, 16, 16), 0));
    let scored = score(&[model], &settings(&["meco", "linear-regions", "swap"]), &()).unwrap();
    let scores = &scored[0].as_ref().unwrap().scores;
    let reason = |result: &Result<_, Undefined>| result.as_ref().map(|_| ()).unwrap_err().to_string();
    insta::assert_snapshot!(reason(&scores[0]), @"the network for this metric cannot be built: the network is given as it is, without the same for images of another size");
    insta::assert_snapshot!(reason(&scores[1]), @"the network for this metric cannot be built: the network is given as it is, without a space that has a smallest one");
    assert!(scores[2].is_ok());
}

#[test]
fn files_are_read_for_other_images() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "4321", Shape::new(3, 16, 16), 0);
    assert_eq!(Model::read(&path, Images::Side(20)).unwrap().input(), Shape::new(3, 20, 20));
    let shape = Shape::new(3, 8, 12);
    assert_eq!(Model::read(&path, Images::Shape(shape)).unwrap().input(), shape);
    let error = Model::read(&path, Images::Shape(Shape::new(1, 8, 8))).unwrap_err().to_string();
    assert!(error.ends_with(": the network takes images of 3 channels, not of 1"), "{error}");
    assert!(Model::is_named("a/b.ONNX") && !Model::is_named("onnx") && !Model::is_named("4321"));
}

/// Stops at once.
struct Stopped;

impl Progress for Stopped {
    fn advance(&self, _networks: f64) {}

    fn stopped(&self) -> bool {
        true
    }
}

#[test]
fn what_is_stopped_has_no_scores() {
    let folder = tempfile::tempdir().unwrap();
    let model = read(&file(folder.path(), "4321", Shape::new(3, 16, 16), 0));
    assert_eq!(score(&[model], &settings(&["swap"]), &Stopped).unwrap(), [None]);
}

#[test]
fn a_list_keeps_its_order_whatever_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (small, large) = (Shape::new(3, 16, 16), Shape::new(3, 24, 20));
    let files = [("4321", small), ("15624", large), ("15624", small)];
    let models = files.map(|(index, input)| read(&file(folder.path(), index, input, 0)));
    let none = Model::read(&folder.path().join("none.onnx"), Images::OfFile).unwrap_err();
    assert!(none.to_string().contains("none.onnx") && none.reason().starts_with("it cannot be read: "));
    // Images that one of the networks does not take.
    let images = Array::new([8, 3, 16, 16], (0..8 * 3 * 256).map(|i| (i as f32).sin()).collect(), None);
    let columns: Columns = "swap,rank(swap,params)".parse().unwrap();
    let settings =
        Settings { inputs: InputSpec::Array(Arc::new(images.unwrap())), ..settings(&["swap", "params"]) };
    let [first, other, last] = models;
    let list = [
        Ok(first.clone()),
        Err(Unread { name: "none.onnx".into(), reason: none.reason() }),
        Ok(other),
        Ok(last.clone()),
    ];
    let each = |refusals| score_readable(&list, &(), |models| score_each(models, &settings, refusals, &()));
    let found = each(Refusals::Kept).unwrap();
    let alone = score(&[first, last], &settings, &()).unwrap();
    let scored = |place: usize| found[place].as_ref().and_then(|found: &Finding| found.as_ref().ok());
    assert_eq!(
        [scored(0), scored(1), scored(2), scored(3)],
        [alone[0].as_ref(), None, None, alone[1].as_ref()]
    );
    assert_eq!(refused(&found).unwrap(), "2 of 4 networks were refused");
    assert_eq!(refused(&found[1..3]).unwrap(), "all 2 networks were refused");
    assert_eq!(refused(&found[..1]), None);

    let rows: Vec<_> = values(&columns, &found).into_iter().map(Option::unwrap).collect();
    let networks: Vec<&Scored> = alone.iter().flatten().collect();
    for (column, place) in columns.iter().zip(0..) {
        let [first, last] = &columns.values(column, &networks)[..] else { panic!("there are two") };
        assert_eq!((&rows[0][place], &rows[3][place]), (first, last));
        assert_eq!(rows[1][place], Err(Undefined::Refused(none.reason())));
        let why = rows[2][place].as_ref().unwrap_err().to_string();
        assert!(why.starts_with("the images are 3x16x16, but the network takes 3x24x20"), "{why}");
    }
    let error = each(Refusals::Errors).unwrap_err().to_string();
    assert!(error.starts_with("the images are 3x16x16, but the network takes 3x24x20"), "{error}");
}
