//! `swapnas convert` as its users type it.

mod support;

use std::path::{Path, PathBuf};

use insta::assert_snapshot;

use support::{error, run, stdout};

const TABLE: &str = "id,arch,val_accuracy,snip,note
007,4321,94.10,1.5,\"a, b\"
008,\"(2, 2, 0, 4, 2, 0)\",90,nan,
009,99999,91,2,x
";

fn benchmarks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../swapnas/tests/benchmarks")
}

/// What a command prints on standard error, and on standard output.
fn both(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("{}{}", text(&output.stderr), text(&output.stdout))
}

#[test]
fn a_table_is_written_as_it_is_or_in_another_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("table.csv"), TABLE).unwrap();
    assert_snapshot!(both(path, &["convert", "table.csv"]), @r#"
    3 rows of table.csv; architectures are in column 2 (`arch`), accuracies are in column 3 (`val_accuracy`)
    id,arch,val_accuracy,snip,note
    007,4321,94.10,1.5,"a, b"
    008,"(2, 2, 0, 4, 2, 0)",90,nan,
    009,99999,91,2,x
    "#);
    assert_snapshot!(both(path, &["convert", "table.csv", "--space", "nb201", "--skip-bad", "--columns", "id"]), @"
    skipped line 4: column 1: expected an index from 0 to 15624, found `99999`
    2 rows of table.csv; architectures are in column 2 (`arch`), accuracies are in column 3 (`val_accuracy`)
    arch,val_accuracy,id
    |skip_connect~0|+|none~0|skip_connect~1|+|none~0|nor_conv_1x1~1|none~2|,94.10,007
    |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|,90,008
    ");
    let naslib =
        ["convert", "table.csv", "--space", "nb201", "--encoding", "naslib", "--limit", "1", "--json"];
    assert_snapshot!(both(path, &naslib), @r#"
    1 row of table.csv; architectures are in column 2 (`arch`), accuracies are in column 3 (`val_accuracy`)
    {"id":"007","arch":"(0, 1, 1, 0, 3, 1)","val_accuracy":94.1,"snip":1.5,"note":"a, b"}
    "#);
    assert_snapshot!(error(path, &["convert", "table.csv", "--space", "nb201"]), @"
    error: nothing is written; mend these, or leave them out with --skip-bad: table.csv: 1 line cannot be used
      line 4: column 1: expected an index from 0 to 15624, found `99999`
    ");
    assert_snapshot!(error(path, &["convert", "table.csv", "--encoding", "naslib"]), @"
    error: the following required arguments were not provided:
      --space <SPACE>

    Usage: swapnas convert --space <SPACE> --encoding <NAME> <TABLE>
    ");
    assert_snapshot!(error(path, &["convert", "none.csv#cifar10"]), @"error: cannot read none.csv: No such file or directory (os error 2)");
    assert_snapshot!(error(path, &["convert", "table.csv#cifar10"]), @"error: table.csv has one table, and no data sets to choose from; leave out `#cifar10`");
}

#[test]
fn what_is_written_is_the_same_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let records =
        r#"[{"arch": "4321", "acc": 1.50, "id": 0}, {"arch": "12", "acc": 2, "id": "x", "note": [1, "a"]}]"#;
    std::fs::write(path.join("table.json"), records).unwrap();
    let options = ["--space", "nb201", "--encoding", "index"];
    let convert =
        |from: &str, more: &[&str]| stdout(path, &[&["convert", from][..], &options, more].concat());
    let csv = convert("table.json", &[]);
    assert_snapshot!(csv, @r#"
    arch,acc,id,note
    4321,1.50,0,
    12,2,x,"[1, ""a""]"
    "#);
    std::fs::write(path.join("table.csv"), &csv).unwrap();
    assert_eq!(convert("table.csv", &[]), csv);
    let lines = convert("table.csv", &["--json"]);
    assert_snapshot!(lines, @r#"
    {"arch":"4321","acc":1.5,"id":0,"note":null}
    {"arch":"12","acc":2,"id":"x","note":"[1, \"a\"]"}
    "#);
    std::fs::write(path.join("lines.json"), lines).unwrap();
    assert_eq!(convert("lines.json", &[]).replace("1.5,", "1.50,"), csv);
    convert("table.json", &["--out", "again.csv"]);
    assert_eq!(std::fs::read_to_string(path.join("again.csv")).unwrap(), csv);
    // Without names, they are those of `correlate --out`.
    std::fs::write(path.join("plain.csv"), "4321,94.1,x\n12,90\n").unwrap();
    assert_snapshot!(stdout(path, &["convert", "plain.csv"]), @"
    arch,accuracy,column_3
    4321,94.1,x
    12,90,
    ");
}

#[test]
fn files_of_benchmarks_are_converted_and_correlated() {
    let benchmarks = benchmarks();
    let space = ["--space", "nb201", "--encoding", "index"];
    assert_snapshot!(both(&benchmarks, &[&["convert", "nats-tss#/12"][..], &space].concat()), @"
    3 rows of nats-tss; architectures are in column 1 (`arch`), accuracies are in column 2 (`val_accuracy`), the data set is `cifar10`, others `cifar10-valid`, `cifar100`, `ImageNet16-120` (`#cifar10/12` behind the file's name chooses)
    arch,val_accuracy,test_accuracy,train_accuracy,params,flops,latency,train_seconds
    0,64.527,58.527,79.527,0.1,15.5,0.015000000000000001,6
    12910,65.902,59.902,80.902,0.1107421875,26.5,0.015000000000000001,6
    1933,100.027,94.027,115.027,0.37734375,299.5,0.015000000000000001,6
    ");
    let zc = [
        "convert",
        "zc_nasbench201.json#cifar100",
        "--columns",
        "nwot",
        "--space",
        "nb201",
        "--encoding",
        "index",
    ];
    assert_snapshot!(both(&benchmarks, &zc), @"
    2 rows of zc_nasbench201.json; architectures are in column 1 (`arch`), accuracies are in column 7 (`val_accuracy`)
    arch,val_accuracy,nwot.score
    2631,70.25,700.5
    1,69.25,701.5
    ");
    let nb101 = [
        "convert",
        "nasbench101.tfrecord",
        "--space",
        "nb101",
        "--encoding",
        "naslib",
        "--columns",
        "params",
    ];
    assert_snapshot!(both(&benchmarks, &nb101), @r#"
    2 rows of nasbench101.tfrecord; architectures are in column 1 (`arch`), accuracies are in column 2 (`val_accuracy`), epochs are `108`, others `4` (`#cifar10/108` behind the file's name chooses)
    arch,val_accuracy,params
    "(0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 2, 1)",0.9296875,2694282
    "(0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 3, 1)",0.9453125,1234567
    "#);
    let silent = ["correlate", "nats-tss", "--columns", "latency,test_accuracy"];
    let said = stdout(&benchmarks, &silent);
    assert_snapshot!(said.lines().nth(1).unwrap(), @"accuracies are in column 2 (`val_accuracy`), the data set is `cifar10`, others `cifar10-valid`, `cifar100`, `ImageNet16-120`, epochs are `200`, others `12` (`#cifar10/200` behind the file's name chooses)");
    let columns = ["--columns", "edgegpu_energy", "--accuracy-column", "edgegpu_latency"];
    let correlate = [&["correlate", "hwnas.pickle#cifar10", "hwnas.pickle#cifar100"][..], &columns].concat();
    let text = stdout(&benchmarks, &correlate);
    assert_snapshot!(text.rsplit_once("\n").unwrap().0.lines().filter(|line| !line.contains(" s in all")).collect::<Vec<_>>().join("\n"), @"
    hwnas cifar10: 3 rows of hwnas.pickle
    hwnas cifar100: 3 rows of hwnas.pickle
     metric          hwnas cifar10  hwnas cifar100 
     edgegpu_energy          1.000           1.000 
    hwnas cifar10: edgegpu_energy: in 101 of 1000 resamples the coefficient is undefined
    hwnas cifar10: numbers of parameters are not known: --space says what architectures are of
    hwnas cifar100: edgegpu_energy: in 101 of 1000 resamples the coefficient is undefined
    hwnas cifar100: numbers of parameters are not known: --space says what architectures are of
    ");
}
