//! Files that `tests/benchmarks/write.py` wrote after the formats' public definitions.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::{
    Archs, ColumnTitle, Options, Table, TableError, from_bytes, list_from_bytes, read, read_list,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/benchmarks")
}

/// The options that ask for columns of numbers.
fn columns(columns: &[&str]) -> Options {
    Options { columns: columns.iter().map(|&column| column.to_owned()).collect(), ..Options::default() }
}

/// What is read of a file, and what was chosen in silence.
fn shown(table: &Table) -> String {
    let arch = table.arch_column().map(ColumnTitle::to_string).unwrap_or_default();
    let part = table.part().and_then(|part| part.silent()).unwrap_or_default();
    let mut text = format!("{arch}, {}; {part}", table.accuracy_column());
    for (row, found) in table.rows().iter().enumerate() {
        let numbers = table.columns().iter().map(|column| match &column.values[row] {
            Ok(number) => format!(" {number}"),
            Err(cell) => format!(" ({})", cell.problem),
        });
        text +=
            &format!("\n{}: {} {};{}", found.place, found.arch, found.accuracy, numbers.collect::<String>());
    }
    if !table.problems().is_empty() {
        text += &format!("\n{}", table.problems());
    }
    text.replace(&folder().display().to_string(), "")
}

fn read_shown(name: &str, options: &Options) -> String {
    match read(&folder().join(name), options) {
        Ok(table) => shown(&table),
        Err(error) => error.to_string().replace(&format!("{}/", folder().display()), ""),
    }
}

#[test]
fn a_folder_of_nats_bench_is_read_by_data_set_and_epochs() {
    let all = columns(&["test_accuracy", "train_accuracy", "params", "flops", "latency", "train_seconds"]);
    insta::assert_snapshot!(read_shown("nats-tss", &all), @"
    1 (`arch`), 2 (`val_accuracy`); the data set is `cifar10`, others `cifar10-valid`, `cifar100`, `ImageNet16-120`, epochs are `200`, others `12` (`#cifar10/200` behind the file's name chooses)
    record 1: |avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2| 76.33250000000001; 70.33250000000001 279.3325 0.1 15.5 0.015000000000000001 100
    record 2: |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2| 77.70750000000001; 71.70750000000001 280.7075 0.1107421875 26.5 0.015000000000000001 100
    record 3: |none~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2| 111.83250000000001; 105.83250000000001 314.8325 0.37734375 299.5 0.015000000000000001 100
    ");
    insta::assert_snapshot!(read_shown("nats-tss#cifar100/12", &columns(&["test_accuracy"])), @"
    1 (`arch`), 2 (`val_accuracy`); 
    record 1: |avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2| 59.527; 60.527
    record 2: |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2| 60.902; 61.902
    record 3: |none~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2| 95.027; 96.027
    ");
    insta::assert_snapshot!(read_shown("nats-sss#1", &columns(&["test_accuracy", "params"])), @"
    1 (`arch`), 2 (`val_accuracy`); the data set is `cifar10`, others `cifar10-valid`, `cifar100`, `ImageNet16-120` (`#cifar10/01` behind the file's name chooses)
    record 1: 8:8:8:8:8 63.839500427246094; 57.839500427246094 0.10000000149011612
    record 2: 64:8:16:24:32 64.7145004272461; 58.714500427246094 0.10683593899011612
    ");
    insta::assert_snapshot!(read_shown("nats-sss#svhn", &all), @"nats-sss has no data set `svhn`: give one of `cifar10-valid`, `cifar10`, `cifar100`, `ImageNet16-120`, `01`, `12`, `90`");
    let few = Options { limit: Some(1), ..columns(&[]) };
    assert_eq!(read(&folder().join("nats-tss"), &few).unwrap().rows().len(), 1);
}

#[test]
fn one_file_of_nats_bench_is_a_row_and_one_of_all_is_as_the_folder() {
    let all = columns(&["test_accuracy", "latency"]);
    insta::assert_snapshot!(read_shown("nats-tss/000011.pickle.pbz2#ImageNet16-120", &all), @"
    1 (`arch`), 2 (`val_accuracy`); epochs are `200`, others `12` (`#ImageNet16-120/200` behind the file's name chooses)
    record 1: |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2| 78.70750000000001; 79.70750000000001 0.015000000000000001
    ");
    insta::assert_snapshot!(read_shown("nats-tss/meta.pickle.pbz2", &all), @"nats-tss/meta.pickle.pbz2 has the names of NATS-Bench's architectures only; give the folder that it is in");
    let of_folder = read_shown("nats-tss#cifar100", &all);
    assert_eq!(read_shown("nats-tss.pickle.pbz2#cifar100", &all), of_folder);
    let params = columns(&["params"]);
    assert_eq!(
        read_shown("nats-sss.pickle.pbz2#cifar100", &params),
        read_shown("nats-sss#cifar100", &params)
    );
    let archs = |name: &str| {
        let list = read_list(&folder().join(name)).unwrap();
        list.entries().iter().map(|entry| format!("{}: {}", entry.place, entry.arch)).collect::<Vec<_>>()
    };
    assert_eq!(archs("nats-sss"), ["record 1: 8:8:8:8:8", "record 2: 64:8:16:24:32"]);
}

#[test]
fn files_of_nas_bench_201_are_read_from_before_and_after_pytorch_wrote_archives() {
    let some = columns(&["test_accuracy", "params", "latency", "train_seconds"]);
    insta::assert_snapshot!(read_shown("nasbench201-v1_0.pth", &some), @"
    1 (`arch`), 2 (`val_accuracy`); the data set is `cifar10`, others `cifar10-valid`, `cifar100`, `ImageNet16-120`, epochs are `200`, others `12` (`#cifar10/200` behind the file's name chooses)
    record 1: |avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2| 76.277; 70.277 0.1 (column 7 (`latency`) is empty; fill it in or remove the row) (column 8 (`train_seconds`) is empty; fill it in or remove the row)
    record 2: |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2| 77.652; 71.652 0.1107421875 (column 7 (`latency`) is empty; fill it in or remove the row) (column 8 (`train_seconds`) is empty; fill it in or remove the row)
    record 3: |none~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2| 111.777; 105.777 0.37734375 (column 7 (`latency`) is empty; fill it in or remove the row) (column 8 (`train_seconds`) is empty; fill it in or remove the row)
    ");
    insta::assert_snapshot!(read_shown("nasbench201-v1_0.pth#cifar10-valid/12", &columns(&[])), @"
    1 (`arch`), 2 (`val_accuracy`); 
    record 1: |avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2| 64.527;
    record 2: |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2| 65.902;
    record 3: |none~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2| 100.027;
    ");
    insta::assert_snapshot!(read_shown("nasbench201-v1_0.pth#cifar100/12", &columns(&[])), @"
    1 (`arch`), 2 (`val_accuracy`); 
    /nasbench201-v1_0.pth: 3 records cannot be used
      record 1: it has no results of `cifar100` after `12` epochs; choose others behind the file's name, or leave it out
      record 2: it has no results of `cifar100` after `12` epochs; choose others behind the file's name, or leave it out
      record 3: it has no results of `cifar100` after `12` epochs; choose others behind the file's name, or leave it out
    ");
    insta::assert_snapshot!(read_shown("nasbench201-v1_1.pth#cifar100", &some), @"
    1 (`arch`), 2 (`val_accuracy`); epochs are `200`, others `12` (`#cifar100/200` behind the file's name chooses)
    record 1: |avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2| 71.277; 72.277 0.1 0.015000000000000001 100
    record 2: |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2| 72.652; 73.652 0.1107421875 0.015000000000000001 100
    ");
    insta::assert_snapshot!(read_shown("nasbench201-v1_1.pth#/90", &some), @"nasbench201-v1_1.pth has no number of epochs `90`: give one of `12`, `200`");
    let few = Options { limit: Some(1), ..columns(&[]) };
    assert_eq!(read(&folder().join("nasbench201-v1_1.pth"), &few).unwrap().rows().len(), 1);
}

#[test]
fn repeats_of_nas_bench_101_are_averaged() {
    let all = columns(&["test_accuracy", "params", "train_seconds", "half_val_accuracy", "repeats"]);
    insta::assert_snapshot!(read_shown("nasbench101.tfrecord", &all), @r#"
    1 (`arch`), 2 (`val_accuracy`); epochs are `108`, others `4` (`#cifar10/108` behind the file's name chooses)
    record 1: {"matrix":[[0,1,1,0],[0,0,0,1],[0,0,0,1],[0,0,0,0]],"ops":["input","conv3x3-bn-relu","maxpool3x3","output"]} 0.9296875; 0.6796875 2694282 1080 0.46484375 3
    record 2: {"matrix":[[0,1,0],[0,0,1],[0,0,0]],"ops":["input","conv1x1-bn-relu","output"]} 0.9453125; 0.6953125 1234567 1080 0.47265625 3
    "#);
    insta::assert_snapshot!(read_shown("nasbench101.tfrecord#4", &columns(&[])), @r#"
    1 (`arch`), 2 (`val_accuracy`); 
    record 1: {"matrix":[[0,1,1,0],[0,0,0,1],[0,0,0,1],[0,0,0,0]],"ops":["input","conv3x3-bn-relu","maxpool3x3","output"]} 0.5234375;
    record 2: {"matrix":[[0,1,0],[0,0,1],[0,0,0]],"ops":["input","conv1x1-bn-relu","output"]} 0.5390625;
    "#);
    insta::assert_snapshot!(read_shown("nasbench101.tfrecord#cifar10/12", &columns(&[])), @"nasbench101.tfrecord has no number of epochs `12`: give one of `4`, `108`");
}

#[test]
fn latencies_of_hw_nas_bench_are_columns() {
    insta::assert_snapshot!(read_shown("hwnas.pickle", &columns(&[])), @"hwnas.pickle has no column that is known to hold accuracies: give one of `arch`, `edgegpu_latency`, `edgegpu_energy`, `raspi4_latency`, `fpga_energy` (accuracy_column)");
    let by_latency = Options {
        accuracy_column: Some("edgegpu_latency".to_owned()),
        ..columns(&["edgegpu_energy", "raspi4_latency", "fpga_energy"])
    };
    insta::assert_snapshot!(read_shown("hwnas.pickle#cifar100", &by_latency), @"
    1 (`arch`), 2 (`edgegpu_latency`); 
    record 1: |avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2| 4; 5 6 7
    record 2: |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2| 4.25; 5.25 6.25 7.25
    record 3: |none~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2| 4.5; 5.5 6.5 7.5
    ");
}

#[test]
fn a_data_set_of_naslib_is_a_table_whose_metrics_are_columns() {
    let metrics = columns(&["nwot", "grasp", "nwot.time"]);
    insta::assert_snapshot!(read_shown("zc_nasbench201.json", &metrics), @"
    1 (`arch`), 7 (`val_accuracy`); the data set is `cifar10`, others `cifar100` (`#cifar10` behind the file's name chooses)
    record 1 (line 1): (4, 0, 3, 1, 4, 3) 90.25; 700.5 -3.5 0.25
    record 2 (line 1): (2, 2, 0, 4, 2, 0) 89.25; 701.5 (column 5 (`grasp.score`) is empty; fill it in or remove the row) 0.25
    ");
    insta::assert_snapshot!(read_shown("zc_nasbench201.json#cifar100", &columns(&[])), @"
    1 (`arch`), 7 (`val_accuracy`); 
    record 1 (line 1): (4, 0, 3, 1, 4, 3) 70.25;
    record 2 (line 1): (2, 2, 0, 4, 2, 0) 69.25;
    ");
    insta::assert_snapshot!(read_shown("zc_nasbench201.json#cifar1000", &columns(&[])), @"zc_nasbench201.json has no data set `cifar1000` (did you mean `cifar100`?): give one of `cifar10`, `cifar100`");
    insta::assert_snapshot!(read_shown("nasbench_macro.json", &columns(&["flops"])), @"
    1 (`arch`), 3 (`mean_acc`); 
    record 1 (line 1): 00000000 90.5; 100000000
    record 2 (line 1): 21221002 93.25; 100000000
    ");
    insta::assert_snapshot!(read_shown("nasbench_macro.json#cifar10", &columns(&[])), @"nasbench_macro.json has one table, and no data sets to choose from; leave out `#cifar10`");
    insta::assert_snapshot!(read_shown("write.py#cifar10", &columns(&[])), @"write.py has one table, and no data sets to choose from; leave out `#cifar10`");
    // The accuracies of the seeds are there as well.
    let seeds = Options { accuracy_column: Some("test_acc".to_owned()), ..columns(&[]) };
    assert_eq!(read(&folder().join("nasbench_macro.json"), &seeds).unwrap().problems().iter().len(), 2);
}

/// The files are those that the script writes, as far as they are read.
#[test]
fn what_python_writes_today_is_read_as_well() {
    let Some(python) = swapnas_fixtures::python(&["numpy"]) else { return };
    let written = tempfile::tempdir().unwrap();
    let status = Command::new(python).arg(folder().join("write.py")).arg(written.path()).status().unwrap();
    assert!(status.success());
    let has_torch = swapnas_fixtures::python(&["numpy", "torch"]).is_some();
    let files =
        ["nasbench201-v1_0.pth", "nasbench201-v1_1.pth#ImageNet16-120/12"].into_iter().filter(|_| has_torch);
    for name in
        ["nats-tss", "nats-sss#cifar100/12", "nasbench101.tfrecord", "zc_nasbench201.json", "hwnas.pickle"]
            .into_iter()
            .chain(files)
    {
        let options = match name {
            "hwnas.pickle" => {
                Options { accuracy_column: Some("fpga_energy".to_owned()), ..columns(&["raspi4_latency"]) }
            }
            _ => columns(&["2"]),
        };
        let here = read(&folder().join(name), &options).unwrap();
        let there = read(&written.path().join(name), &options).unwrap();
        assert_eq!((there.rows(), there.columns(), there.part()), (here.rows(), here.columns(), here.part()));
    }
}

#[test]
fn damaged_files_are_told_from_others() {
    let written = tempfile::tempdir().unwrap();
    let file = |name: &str| std::fs::read(folder().join(name)).unwrap();
    let error = |bytes: Vec<u8>| from_bytes("t", bytes, &Options::default()).unwrap_err().to_string();
    let network = file("nats-tss/000011.pickle.pbz2");
    insta::assert_snapshot!(error(network[..1500].to_vec()), @"t is no whole file of bzip2: decompression not finished but EOF reached; fetch it again");
    let mut flipped = network.clone();
    flipped[900] ^= 4;
    insta::assert_snapshot!(error(flipped), @"t is no whole file of bzip2: bzip2: invalid data; fetch it again");
    let records = file("nasbench101.tfrecord");
    insta::assert_snapshot!(error(records[..1000].to_vec()), @"t is no whole file of TFRecords: it ends within record 3; fetch it again");
    let mut flipped = records.clone();
    flipped[100] ^= 1;
    insta::assert_snapshot!(error(flipped), @"t is no whole file of TFRecords: the checksum of record 1 is of something else; fetch it again");
    let pickle = file("hwnas.pickle");
    insta::assert_snapshot!(error(pickle[..1000].to_vec()), @"t is no whole pickle: it ends too early (at byte 1000); fetch it again");
    insta::assert_snapshot!(error(b"PK\x03\x04 and more".to_vec()), @"t is a zip archive, and not one that PyTorch's `save` wrote; unpack it, and give a file of it");
    let before = file("nasbench201-v1_0.pth");
    insta::assert_snapshot!(error(before[..100].to_vec()), @"t is no whole pickle: it ends too early (at byte 100); fetch it again");
    insta::assert_snapshot!(error(before[..1000].to_vec()), @"t is no whole pickle: it ends too early (at byte 999); fetch it again");
    let archive = file("nasbench201-v1_1.pth");
    insta::assert_snapshot!(error(archive[..1000].to_vec()), @"t is no whole pickle: it ends too early (at byte 1000); fetch it again");
    insta::assert_snapshot!(error([&archive[..8], &[8], &archive[9..]].concat()), @"t is a zip archive, and not one that PyTorch's `save` wrote; unpack it, and give a file of it");
    insta::assert_snapshot!(error(b"\x80\x04}\x8c\x01a\x8c\x01bs.".to_vec()), @"t holds a dictionary with `a`, and no table that is read: NATS-Bench, NAS-Bench-201, HW-NAS-Bench or NAS-Bench-101; write it as CSV or JSON");
    insta::assert_snapshot!(error(b"\x80\x04N.".to_vec()), @"t holds nothing, and no table that is read: NATS-Bench, NAS-Bench-201, HW-NAS-Bench or NAS-Bench-101; write it as CSV or JSON");
    // Of a folder, the others are read.
    std::fs::write(written.path().join("000000.pickle.pbz2"), &network[..1500]).unwrap();
    std::fs::write(written.path().join("000011.pickle.pbz2"), &network).unwrap();
    let table = read(written.path(), &Options::default()).unwrap();
    assert_eq!(table.rows().len(), 1);
    let said = table.problems().to_string();
    insta::assert_snapshot!(said.split_once(": ").unwrap().1, @"
    1 record cannot be used
      record 1: 000000.pickle.pbz2 cannot be read: decompression not finished but EOF reached; fetch the file again
    ");
    let nothing = tempfile::tempdir().unwrap();
    let error = read(nothing.path(), &Options::default()).unwrap_err();
    assert!(matches!(error, TableError::Folder { .. }), "{error}");
}

/// Every file cut short or with a byte changed is read or refused.
#[test]
fn no_damage_makes_a_reader_fail() {
    let options = Options { archs: Archs::IfThere, ..Options::default() };
    for name in [
        "nats-sss/000000.pickle.pbz2",
        "nats-sss.pickle.pbz2",
        "nasbench201-v1_0.pth",
        "nasbench201-v1_1.pth",
        "nasbench101.tfrecord",
        "hwnas.pickle",
        "zc_nasbench201.json",
    ] {
        let bytes = std::fs::read(folder().join(name)).unwrap();
        for place in (0..bytes.len()).step_by(1 + bytes.len() / 400) {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << (place % 8);
            for bytes in [bytes[..place].to_vec(), changed] {
                drop(from_bytes("t", bytes.clone(), &options));
                drop(list_from_bytes("t", bytes));
            }
        }
    }
}
