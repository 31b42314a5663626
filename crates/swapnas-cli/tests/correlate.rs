//! `swapnas correlate` as its users type it: columns, several tables, seeds, and what comes out.

mod support;

use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use support::{error, run, stdout};

/// Options for quick scores.
const SMALL: [&str; 8] = ["--repeats", "1", "--channels", "2", "--size", "8", "--batch", "4"];

/// NAS-Bench-201 cells, with numbers that are known for some of them.
const TABLE: &str = "id,arch,val_accuracy,snip,params,note
007,4321,94.10,1.5,3,\"a, b\"
008,1234,90,2.5,2,
009,15624,91.5,,1,x
010,77,89,nan,4,y
011,9000,93,4,5,z
";

fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(folder, &[arguments, &["--json"]].concat())).unwrap()
}

fn table(folder: &Path) {
    std::fs::write(folder.join("table.csv"), TABLE).unwrap();
}

/// What is printed but for the last line, which has times.
fn without_times(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.last().unwrap().contains(" s in all, "), "{text}");
    lines[..lines.len() - 1].join("\n")
}

#[test]
fn columns_of_the_table_are_correlated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    table(path);
    // Without --space nothing is known of networks.
    let text = stdout(path, &["correlate", "table.csv", "--columns", "params,snip"]);
    assert_snapshot!(without_times(&text), @"
    5 rows of table.csv
    accuracies are in column 3 (`val_accuracy`)
     metric  Spearman (95% interval)  given params  Kendall  same size  Pearson  top 10%  regret@10  nDCG   n  undefined 
     params  0.100 (-1.000 to 1.000)             -    0.000          -    0.151    0.000      0.000  0.854  5          0 
     snip                     -0.500             -   -0.333          -   -0.147    0.000      0.000  0.843  3          2 
    snip: line 4: column 4 (`snip`) is empty; fill it in or remove the row
    snip: line 5: column 4 (`snip`): nan is not finite; give a measured number or remove the row
    snip: in 101 of 1000 resamples the coefficient is undefined
    numbers of parameters are not known: --space says what architectures are of
    ");
    // With it, networks are built, but no metric is computed.
    let told = json(path, &["correlate", "table.csv", "--columns", "snip,params", "--space", "nb201"]);
    assert_eq!(told["metrics"].as_object().unwrap().len(), 2);
    let snip = &told["metrics"]["snip"];
    assert_eq!((&snip["n"], &snip["undefined"]), (&3.into(), &2.into()));
    assert!(snip["spearman_given_params"].is_number(), "{snip}");
    // Ranks 1, 2, 3 against 3, 1, 2.
    assert_eq!(snip["spearman"], -0.5);
    assert_eq!(told["scores"][1]["arch"], "1234");
    assert_eq!(told["scores"][1]["values"]["snip"]["mean"], 2.5);
    let reason = told["scores"][2]["values"]["snip"]["reason"].as_str().unwrap();
    assert_snapshot!(reason, @"line 4: column 4 (`snip`) is empty; fill it in or remove the row");
    // Both, where names have to be told from each other.
    let both =
        ["correlate", "table.csv", "--space", "nb201", "--metrics", "params,macs", "--columns", "5,snip"];
    let told = json(path, &[&both[..], &SMALL].concat());
    let names: Vec<&String> = told["metrics"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["macs", "params", "params (table)", "snip"]);
    assert_eq!(told["metrics"]["params (table)"]["n"], 5);
    assert_ne!(told["metrics"]["params (table)"]["spearman"], told["metrics"]["params"]["spearman"]);
    // Neither architectures nor a space.
    std::fs::write(path.join("numbers.csv"), "acc,a\n1,2\n2,4\n3,3\n").unwrap();
    let told = json(path, &["correlate", "numbers.csv", "--columns", "a"]);
    assert_eq!(told["metrics"]["a"]["spearman"], 0.5);
    assert!(told["metrics"]["a"]["kendall_same_size"].is_null() && told["space"].is_null());
    assert!(told["arch_column"].is_null() && told["scores"][0].get("arch").is_none());
}

#[test]
fn mistakes_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    table(path);
    let error = |arguments: &[&str]| error(path, &[&["correlate", "table.csv"], arguments].concat());
    assert_snapshot!(error(&["--columns", "snp"]), @"error: table.csv has no column `snp` (did you mean `snip`?): give one of `id`, `arch`, `val_accuracy`, `snip`, `params`, `note`");
    assert_snapshot!(error(&["--columns", "snip,"]), @"error: the list of columns `snip,` has an empty place; put one comma between two columns");
    assert_snapshot!(error(&["table.csv", "table.csv", "--space", "nb201", "--space", "darts"]), @"error: --space is given 2 times for 3 tables; give it once, or once for each");
    assert_snapshot!(error(&["table.csv", "--out", "scores.csv"]), @"error: --out writes one table with its scores, and there are 2; give one");
    assert_snapshot!(error(&["--format", "csv", "--compare"]), @"error: --compare makes a matrix, which is no row of --format csv; give --json or another format");
    assert_snapshot!(error(&["--seeds", "2", "--seed", "18446744073709551615"]), @"error: --seeds 2 goes beyond the largest seed; give a smaller --seed");
    assert_snapshot!(error(&["--seeds", "0"]), @"error: invalid value '0' for '--seeds <N>': give a number from 1 to 10000");
    assert_snapshot!(self::error(path, &["correlate", "-", "-"]), @"error: standard input can be read once; give the name of a file");
    assert_snapshot!(error(&["--plot", "plot.gif"]), @"error: cannot draw plot.gif: the name of a plot ends in .svg, .pdf or .png");
}

#[test]
fn rankings_are_compared_with_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    table(path);
    let arguments = ["correlate", "table.csv", "--columns", "params,snip,val_accuracy", "--compare"];
    let told = json(path, &arguments);
    assert_eq!(told["comparison"]["names"], serde_json::json!(["params", "snip", "val_accuracy"]));
    // Where snip is known, params are 3, 2, 5: ranks 2, 1, 3 against 1, 2, 3.
    let rho = &told["comparison"]["spearman"];
    assert_eq!((&rho[0][0], &rho[0][1], &rho[1][0]), (&1.0.into(), &0.5.into(), &0.5.into()));
    assert_eq!(told["comparison"]["n"][0], serde_json::json!([5, 3, 5]));
    let text = stdout(path, &arguments);
    let (_, matrix) = text.split_once("Spearman's rho of each with each\n").unwrap();
    assert_snapshot!(matrix.lines().take(4).collect::<Vec<_>>().join("\n"), @"
                  params  snip    val_accuracy 
    params         1.000   0.500         0.100 
    snip           0.500   1.000        -0.500 
    val_accuracy   0.100  -0.500         1.000
    ");
    assert!(json(path, &arguments[..4]).get("comparison").is_none());
}

#[test]
fn seeds_are_those_that_could_be_asked_for_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    table(path);
    let arguments =
        ["correlate", "table.csv", "--space", "nb201", "--metrics", "l2_norm,params", "--columns", "id"];
    let arguments = [&arguments[..], &SMALL].concat();
    let told = json(path, &[&arguments[..], &["--seeds", "3", "--seed", "5"]].concat());
    assert_eq!(told["seeds"], 3);
    let alone: Vec<Value> = ["5", "6", "7"]
        .map(|seed| json(path, &[&arguments[..], &["--seed", seed]].concat()))
        .into_iter()
        .collect();
    let rhos: Vec<f64> =
        alone.iter().map(|told| told["metrics"]["l2_norm"]["spearman"].as_f64().unwrap()).collect();
    let spread = &told["metrics"]["l2_norm"]["spearman_over_seeds"];
    let mean = rhos.iter().sum::<f64>() / 3.0;
    assert!((spread["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{spread} of {rhos:?}");
    let std = (rhos.iter().map(|rho| (rho - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    assert!((spread["std"].as_f64().unwrap() - std).abs() < 1e-12);
    assert_eq!(spread["min"].as_f64(), rhos.iter().copied().reduce(f64::min));
    assert_eq!(spread["n"], 3);
    // All else is of the first seed.
    assert_eq!(told["scores"], alone[0]["scores"]);
    assert_eq!(told["settings"], alone[0]["settings"]);
    assert_eq!(told["metrics"]["params"]["spearman_over_seeds"]["std"], 0.0);
    // Columns have no seed, and one seed has no spread.
    assert!(told["metrics"]["id"]["spearman_over_seeds"].is_null());
    assert!(alone[0]["metrics"]["l2_norm"]["spearman_over_seeds"].is_null());
    let text = stdout(path, &[&arguments[..], &["--seeds", "2"]].concat());
    assert!(text.contains("over seeds"), "{text}");
}

#[test]
fn several_tables_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    table(path);
    let macro_space = "arch,test_acc,val_acc\n00000000,90,91\n21221002,94,93\n11111111,92,93\n";
    std::fs::write(path.join("macro.csv"), macro_space).unwrap();
    let arguments = ["correlate", "table.csv", "macro.csv", "macro.csv", "--metrics", "params,macs"];
    let spaces = ["--space", "nb201", "--space", "nbmacro", "--space", "nbmacro"];
    let columns =
        ["--accuracy-column", "val_accuracy", "--accuracy-column", "2", "--accuracy-column", "val_acc"];
    let arguments = [&arguments[..], &spaces, &columns, &SMALL].concat();
    let told = json(path, &arguments);
    let tables = told["tables"].as_array().unwrap();
    let labels: Vec<&Value> = tables.iter().map(|table| &table["label"]).collect();
    assert_eq!(labels, ["table", "macro test_acc", "macro val_acc"]);
    assert_eq!(tables[2]["accuracy_column"], serde_json::json!({ "number": 3, "name": "val_acc" }));
    // Each is as if it were alone.
    let alone =
        ["correlate", "macro.csv", "--space", "nbmacro", "--metrics", "params,macs", "--accuracy-column"];
    for (place, column) in [(1, "test_acc"), (2, "val_acc")] {
        let alone = json(path, &[&alone[..], &[column], &SMALL].concat());
        for key in ["metrics", "scores", "settings", "space", "n", "table"] {
            assert_eq!(tables[place][key], alone[key], "{key} of {column}");
        }
    }
    let text = stdout(path, &arguments);
    assert_snapshot!(without_times(&text), @"
    table: nb201: 5 architectures of table.csv
    macro test_acc: nbmacro: 3 architectures of macro.csv
    macro val_acc: nbmacro: 3 architectures of macro.csv
    nb201: network benchmark: 3 stages of 5 cells, 2, 4 and 8 channels, 3x8x8, 10 classes
    inputs spectral, batch 4, seed 0, f32
    nbmacro: network benchmark: stem 2, 8 blocks of 4 to 16 channels, 3x8x8, 10 classes
    inputs spectral, batch 4, seed 0, f32
    table: architectures are in column 2 (`arch`)
    macro test_acc: architectures are in column 1 (`arch`)
    macro val_acc: architectures are in column 1 (`arch`)
     metric  table                     macro test_acc  macro val_acc 
     params  -0.154 (-1.000 to 1.000)           1.000          0.866 
     macs    -0.154 (-1.000 to 1.000)           1.000          0.866 
    macro test_acc: params: in 101 of 1000 resamples the coefficient is undefined
    macro test_acc: params: the scores are ordered exactly as the parameter counts or exactly against them
    macro test_acc: params: no two networks have parameter counts that differ by a tenth or less
    macro test_acc: macs: in 101 of 1000 resamples the coefficient is undefined
    macro test_acc: macs: the scores are ordered exactly as the parameter counts or exactly against them
    macro test_acc: macs: no two networks have parameter counts that differ by a tenth or less
    macro val_acc: params: in 321 of 1000 resamples the coefficient is undefined
    macro val_acc: params: the scores are ordered exactly as the parameter counts or exactly against them
    macro val_acc: params: no two networks have parameter counts that differ by a tenth or less
    macro val_acc: macs: in 321 of 1000 resamples the coefficient is undefined
    macro val_acc: macs: the scores are ordered exactly as the parameter counts or exactly against them
    macro val_acc: macs: no two networks have parameter counts that differ by a tenth or less
    ");
    let latex = stdout(path, &[&arguments[..], &["--format", "latex"]].concat());
    let lines: Vec<&str> = latex.lines().filter(|line| !line.starts_with('%')).collect();
    assert_eq!(lines[0], r"\begin{tabular}{lrrr}");
    assert_eq!(lines[2], r"metric & table & macro test\_acc & macro val\_acc \\");
    assert_eq!(lines.len(), 8);
    let csv = stdout(path, &[&arguments[..], &["--format", "csv"]].concat());
    assert_eq!(csv.lines().count(), 7);
    assert!(
        csv.lines().nth(3).unwrap().starts_with("macro test_acc,macro.csv,test_acc,nbmacro,params,3,0,"),
        "{csv}"
    );
    for end in ["svg", "pdf", "png"] {
        let plot = format!("plot.{end}");
        stdout(path, &[&arguments[..], &["--plot", &plot]].concat());
        assert!(std::fs::metadata(path.join(plot)).unwrap().len() > 1000);
    }
    let plot = std::fs::read_to_string(path.join("plot.svg")).unwrap();
    assert_eq!(plot.matches("<circle").count(), 2 * (5 + 3 + 3));
}

#[test]
fn what_is_written_can_be_joined_and_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    table(path);
    let arguments =
        ["correlate", "table.csv", "--space", "nb201", "--metrics", "params,ntk,rank(params,macs)"];
    let arguments = [&arguments[..], &SMALL, &["--out", "scores.csv"]].concat();
    let told = json(path, &arguments);
    let written = std::fs::read_to_string(path.join("scores.csv")).unwrap();
    let mut lines = written.lines();
    assert_eq!(
        lines.next().unwrap(),
        "id,arch,val_accuracy,snip,params,note,swapnas_params,macs,units,params_mean,params_std,ntk_mean,ntk_std,\"rank(params,macs)\",reason"
    );
    assert!(lines.next().unwrap().starts_with("007,4321,94.10,1.5,3,\"a, b\","), "{written}");
    assert_eq!(told["arch_column"], serde_json::json!({ "number": 2, "name": "arch" }));
    let settings = &told["settings"];
    assert_eq!((&settings["batch"], &settings["seed"]), (&4.into(), &0.into()));
    assert_eq!(settings["repeats"], serde_json::json!({ "ntk": 1 }));
    assert_eq!((&settings["inputs"], &settings["precision"]), (&"spectral".into(), &"f32".into()));
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    assert!(settings["network"].as_str().unwrap().contains("2, 4 and 8 channels"), "{settings}");
    let first = &told["scores"][0];
    assert_eq!(
        (&first["arch"], &first["accuracy"], &first["line"]),
        (&"4321".into(), &94.1.into(), &2.into())
    );
    assert_eq!(first["values"]["params"]["mean"], first["params"].as_f64().unwrap());
    let score = stdout(
        path,
        &[&["score", "4321", "--space", "nb201", "--json", "--metrics", "ntk"], &SMALL[..]].concat(),
    );
    let score: Value = serde_json::from_str(&score).unwrap();
    assert_eq!((&score["settings"]["seed"], &score["space"]), (&0.into(), &"nb201".into()));
    assert_eq!(score["scores"]["ntk"], first["values"]["ntk"]);
}

#[test]
fn mu_and_sigma_that_were_found_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    table(path);
    let arguments = ["correlate", "table.csv", "--space", "nb201", "--metrics", "swap-reg,params"];
    let arguments = [&arguments[..], &SMALL].concat();
    let found = json(path, &arguments)["settings"]["found"].clone();
    let [mu, sigma] = ["mu", "sigma"].map(|name| found["swap-reg"][name].as_f64().unwrap());
    assert_eq!(found.as_object().unwrap().len(), 1);
    let text = stdout(path, &arguments);
    let line = format!("swap-reg with mu={mu} and sigma={sigma}, by the sizes of the space");
    assert!(text.lines().any(|other| other == line), "{text}");
    // With these numbers given, it is the same.
    let given = format!("swap-reg:mu={mu}:sigma={sigma}");
    let both = format!("swap-reg,{given}");
    let arguments = ["correlate", "table.csv", "--space", "nb201", "--metrics", &both];
    let told = json(path, &[&arguments[..], &SMALL].concat());
    assert!(told["settings"]["found"][&given].is_null());
    for network in told["scores"].as_array().unwrap() {
        assert_eq!(network["values"]["swap-reg"], network["values"][&given]);
    }
}

#[test]
fn choices_are_said_unless_they_were_made_by_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    table(path);
    let base = ["correlate", "table.csv", "--space", "nb201", "--metrics", "params"];
    let said = |more: &[&str]| {
        let text = stdout(path, &[&base[..], &SMALL, more].concat());
        text.lines().find(|line| line.contains("in column")).map(str::to_owned)
    };
    assert_eq!(
        said(&[]).unwrap(),
        "architectures are in column 2 (`arch`), accuracies are in column 3 (`val_accuracy`)"
    );
    assert_eq!(said(&["--accuracy-column", "3"]).unwrap(), "architectures are in column 2 (`arch`)");
    assert_eq!(said(&["--accuracy-column", "3", "--arch-column", "arch"]), None);
}

#[test]
fn csv_is_all_there_is_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("table.csv"), format!("{TABLE}012,no cell,90,1,1,\n")).unwrap();
    let arguments = ["correlate", "table.csv", "--space", "nb201", "--metrics", "params", "--format", "csv"];
    let output = run(path, &[&arguments[..], &SMALL, &["--skip-bad"]].concat());
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("skipped line 7: "));
}

/// Records as benchmarks publish them: by architecture, and with the numbers of several tasks.
#[test]
fn tables_in_json_are_those_in_csv() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows = [("4321", 94.1, 1.5), ("1234", 90.0, 2.5), ("15624", 91.5, 0.5), ("77", 89.0, 3.0)];
    let record = |(arch, acc, snip): &(&str, f64, f64)| format!("{arch},{acc},{snip}\n");
    let csv = "arch,val_acc,snip\n".to_owned() + &rows.iter().map(record).collect::<String>();
    std::fs::write(path.join("table.csv"), csv).unwrap();
    let record = |(arch, acc, snip): &(&str, f64, f64)| {
        format!(r#"{{"arch": "{arch}", "c10": {{"val_acc": {acc}, "proxies": {{"snip": {snip}}}}}}}"#)
    };
    let records = rows.iter().map(record).collect::<Vec<_>>();
    std::fs::write(path.join("array.json"), format!("[{}]", records.join(", "))).unwrap();
    std::fs::write(path.join("lines.json"), records.join("\n")).unwrap();
    let record =
        |(arch, acc, snip): &(&str, f64, f64)| format!(r#""{arch}": {{"val_acc": {acc}, "snip": {snip}}}"#);
    let records = rows.iter().map(record).collect::<Vec<_>>();
    std::fs::write(path.join("keys.json"), format!("{{{}}}", records.join(",\n"))).unwrap();
    let small = [&["--space", "nb201", "--metrics", "params", "--columns", "snip"][..], &SMALL].concat();
    let told = |file: &str| json(path, &[&["correlate", file], &small[..]].concat());
    let csv = told("table.csv");
    for file in ["array.json", "lines.json", "keys.json"] {
        let mut found = told(file);
        assert_eq!(found["metrics"]["params"], csv["metrics"]["params"], "{file}");
        let name = if file == "keys.json" { "snip" } else { "c10.proxies.snip" };
        assert_eq!(found["metrics"][name], csv["metrics"]["snip"], "{file}");
        let list = |told: &Value| -> Vec<Value> {
            told["scores"].as_array().unwrap().iter().map(|score| score["arch"].clone()).collect()
        };
        assert_eq!(list(&found), list(&csv), "{file}");
        let first = found["scores"][1].as_object_mut().unwrap();
        let line = if file == "array.json" { 1 } else { 2 };
        assert_eq!((&first["record"], &first["line"]), (&2.into(), &line.into()), "{file}");
        let scored = |file: &str| {
            stdout(
                path,
                &[&["score", "--space=nb201", "--json", "--metrics=params", "--archs", file], &SMALL[..]]
                    .concat(),
            )
        };
        assert_eq!(scored(file), scored("table.csv"), "{file}");
    }
    let text = stdout(path, &[&["correlate", "array.json", "--out", "scores.csv"], &small[..]].concat());
    assert!(
        text.contains("architectures are in column 1 (`arch`), accuracies are in column 2 (`c10.val_acc`)"),
        "{text}"
    );
    let written = std::fs::read_to_string(path.join("scores.csv")).unwrap();
    assert!(written.starts_with("arch,c10.val_acc,c10.proxies.snip,params,macs,units,"), "{written}");
    assert_eq!(told("scores.csv")["metrics"], told("array.json")["metrics"]);
}

#[test]
fn architectures_in_json_may_be_objects_or_whole_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let digits = ["21221002", "01221002", "22222222"];
    let small = [&["--space", "nbmacro", "--metrics", "params"][..], &SMALL].concat();
    let blocks = digits.map(|digits| {
        let text = stdout(path, &["export", digits, "--space", "nbmacro", "--format", "json"]);
        let export: Value = serde_json::from_str(&text).unwrap();
        export["architecture"].clone()
    });
    let table: Vec<Value> = blocks
        .iter()
        .zip(90..)
        .map(|(arch, acc)| serde_json::json!({ "arch": arch, "accuracy": acc }))
        .collect();
    std::fs::write(path.join("table.json"), serde_json::to_string_pretty(&table).unwrap()).unwrap();
    let told = json(path, &[&["correlate", "table.json"], &small[..]].concat());
    assert_eq!(told["n"], 3);
    // A list of whole records, and one of lines, which are architectures as ever.
    std::fs::write(path.join("list.json"), serde_json::to_string(&blocks).unwrap()).unwrap();
    std::fs::write(path.join("lines.txt"), blocks.iter().map(|arch| format!("{arch}\n")).collect::<String>())
        .unwrap();
    std::fs::write(path.join("list.txt"), digits.join("\n")).unwrap();
    let scored = |file: &str| stdout(path, &[&["score", "--json", "--archs", file], &small[..]].concat());
    let expected = scored("list.txt");
    assert_eq!(expected.lines().count(), 3);
    for file in ["table.json", "list.json", "lines.txt"] {
        assert_eq!(scored(file), expected, "{file}");
    }
}

#[test]
fn bad_records_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = "[{\"arch\": \"4321\", \"acc\": 90}, {\"arch\": \"x\", \"acc\": 91},\n{\"arch\": \"77\"},\n{\"arch\": \"78\", \"acc\": 89}]";
    std::fs::write(path.join("table.json"), text).unwrap();
    let words =
        [&["correlate", "table.json", "--space", "nb201", "--metrics", "params"][..], &SMALL].concat();
    assert_snapshot!(error(path, &words), @"
    error: nothing is scored; mend these, or leave them out with --skip-bad: table.json: 2 records cannot be used
      record 2 (line 1): column 1: expected `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, six numbers `(...)`, an index or a JSON object, found `x`
      record 3 (line 2): column 2 (`acc`) is empty; fill it in or remove the row
    ");
    let text = stdout(path, &[&words[..], &["--skip-bad"]].concat());
    assert!(text.contains("\nskipped record 3 (line 2): column 2 (`acc`) is empty"), "{text}");
    let told = json(path, &[&words[..], &["--skip-bad"]].concat());
    assert_eq!((&told["failed"][1]["record"], &told["failed"][1]["line"]), (&3.into(), &2.into()));
    // Where nothing is left, what was left out is the reason.
    let bad = "[{\"arch\": \"77\", \"acc\": \"high\"},\n{\"arch\": \"78\"}]";
    std::fs::write(path.join("table.json"), bad).unwrap();
    assert_snapshot!(error(path, &[&words[..], &["--skip-bad"]].concat()), @"
    error: table.json has 0 usable rows; a correlation takes two: table.json: 2 records cannot be used
      record 1 (line 1): column 2 (`acc`): `high` is not a number; write it as in 94.3
      record 2 (line 2): column 2 (`acc`) is empty; fill it in or remove the row
    ");
    std::fs::write(path.join("table.json"), "[{\"arch\": \"4321\",\n\"acc\": 90}").unwrap();
    assert_snapshot!(error(path, &words), @"error: table.json begins as JSON does, but is none: EOF while parsing a list at line 2 column 10");
}
