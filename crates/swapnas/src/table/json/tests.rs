use std::time::Instant;

use super::super::{
    ColumnTitle, Options, Problems, Scores, Table, from_bytes, list_from_bytes, write_scores,
};

fn options(arch: &str, accuracy: &str, columns: &[&str]) -> Options {
    let name = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    Options {
        arch_column: name(arch),
        accuracy_column: name(accuracy),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        ..Options::default()
    }
}

fn read(contents: &str) -> Table {
    from_bytes("t.json", contents.into(), &Options::default()).expect("a table")
}

fn error(contents: &str, options: &Options) -> String {
    from_bytes("t.json", contents.into(), options).unwrap_err().to_string()
}

/// The columns that were found, and the rows.
fn shown(table: &Table) -> String {
    let arch = table.arch_column().map_or("none".to_owned(), ColumnTitle::to_string);
    let rows = table.rows().iter().map(|row| format!("\n{}: {} {}", row.place, row.arch, row.accuracy));
    format!("{arch}, {}{}", table.accuracy_column(), rows.collect::<String>())
}

/// Where the architectures of a list begin, and what they are.
fn listed(contents: &str) -> Vec<String> {
    let list = list_from_bytes("t.json", contents.into()).expect("a list");
    assert!(list.problems().is_empty(), "{}", list.problems());
    list.entries().iter().map(|entry| format!("{}: {}", entry.place, entry.arch)).collect()
}

#[test]
fn records_come_in_an_array_an_object_or_one_behind_the_other() {
    let array = "\u{feff} [\n {\"arch\": \"a, b\", \"mean_accuracy\": 93.1},\n\n {\"mean_accuracy\": 1e2, \"arch\": \"\\u0063\"}]\n";
    insta::assert_snapshot!(shown(&read(array)), @"
    1 (`arch`), 2 (`mean_accuracy`)
    record 1 (line 2): a, b 93.1
    record 2 (line 4): c 100
    ");
    let object =
        r#"{"00000000": {"mean_acc": 92, "params": 3}, "00000001": {"params": 4, "mean_acc": 91.5}}"#;
    insta::assert_snapshot!(shown(&read(object)), @"
    1 (`arch`), 2 (`mean_acc`)
    record 1 (line 1): 00000000 92
    record 2 (line 1): 00000001 91.5
    ");
    let lines = "{\"arch\": \"a\", \"acc\": 1}\r\n\r\n{\"arch\": \"b\", \"acc\": 2}\n";
    insta::assert_snapshot!(shown(&read(lines)), @"
    1 (`arch`), 2 (`acc`)
    record 1 (line 1): a 1
    record 2 (line 3): b 2
    ");
    for contents in [array, object, lines] {
        let archs = read(contents)
            .rows()
            .iter()
            .map(|row| format!("{}: {}", row.place, row.arch))
            .collect::<Vec<_>>();
        assert_eq!(listed(contents), archs);
    }
}

#[test]
fn an_architecture_is_named_or_a_key_or_the_whole_record() {
    let text = r#"[{"arch": {"blocks": [ 1, {"a": 2} ]}, "acc": 1}, {"acc": 2, "arch": [0.50, "x"]}]"#;
    insta::assert_snapshot!(shown(&read(text)), @r#"
    1 (`arch`), 2 (`acc`)
    record 1 (line 1): {"blocks": [ 1, {"a": 2} ]} 1
    record 2 (line 1): [0.50, "x"] 2
    "#);
    let text = r#"{"7": {"Genotype": "a", "acc": 1}, "8": {"Genotype": "b", "acc": 2}}"#;
    insta::assert_snapshot!(shown(&read(text)), @"
    2 (`Genotype`), 3 (`acc`)
    record 1 (line 1): a 1
    record 2 (line 1): b 2
    ");
    let text = r#"[{"id": 0, "layers": [{"op": "SA", "heads": 2}], "scores": {"cola": 1, "glue": 74.5}}]"#;
    insta::assert_snapshot!(shown(&read(text)), @r#"
    1 (`arch`), 5 (`scores.glue`)
    record 1 (line 1): {"id": 0, "layers": [{"op": "SA", "heads": 2}], "scores": {"cola": 1, "glue": 74.5}} 74.5
    "#);
    // What is called so within other objects is a part of an architecture, as a rule.
    let text = r#"[{"net": {"cell": "x", "depth": 2}, "acc": 1}]"#;
    insta::assert_snapshot!(shown(&read(text)), @r#"
    1 (`arch`), 4 (`acc`)
    record 1 (line 1): {"net": {"cell": "x", "depth": 2}, "acc": 1} 1
    "#);
    let by = |chosen: &str| shown(&from_bytes("t.json", text.into(), &options(chosen, "", &[])).unwrap());
    insta::assert_snapshot!(by("net"), @r#"
    2 (`net`), 3 (`acc`)
    record 1 (line 1): {"cell": "x", "depth": 2} 1
    "#);
    insta::assert_snapshot!(by("cell"), @"
    2 (`net.cell`), 4 (`acc`)
    record 1 (line 1): x 1
    ");
}

#[test]
fn columns_are_asked_for_by_their_names_or_the_last_part() {
    let text = r#"[{"arch": "a", "c10": {"top1": 90, "val": 1}, "c100": {"top1": 70, "x": {"y": 3}}, "z.w": 4},
        {"arch": "b", "c10": {"top1": null, "val": true}, "c100": {"top1": 71, "x": [1, 2]}}]"#;
    let asked = options("", "c100.top1", &["c10.top1", "val", "y", "c100.x", "w", "3"]);
    let table = from_bytes("t.json", text.into(), &asked).unwrap();
    let columns = table.columns().iter().map(|column| {
        let value = |value: &Result<f64, super::super::Cell>| match value {
            Ok(number) => number.to_string(),
            Err(cell) => format!("{}: {}", cell.place, cell.problem),
        };
        format!("{}: {}", column.name, column.values.iter().map(value).collect::<Vec<_>>().join("; "))
    });
    insta::assert_snapshot!(columns.collect::<Vec<_>>().join("\n"), @"
    c10.top1: 90; record 2 (line 2): column 2 (`c10.top1`) is empty; fill it in or remove the row
    c10.val: 1; record 2 (line 2): column 3 (`c10.val`): `true` is not a number; write it as in 94.3
    c100.x.y: 3; record 2 (line 2): column 5 (`c100.x.y`) is empty; fill it in or remove the row
    c100.x: record 1 (line 1): column 7 (`c100.x`) is empty; fill it in or remove the row; record 2 (line 2): column 7 (`c100.x`): `[1, 2]` is not a number; write it as in 94.3
    z.w: 4; record 2 (line 2): column 6 (`z.w`) is empty; fill it in or remove the row
    ");
    insta::assert_snapshot!(error(text, &options("", "top1", &[])), @"t.json has no column `top1`, but 2 that end in it: give one of `c10.top1`, `c100.top1` (accuracy_column)");
    insta::assert_snapshot!(error(text, &options("", "top5", &[])), @"t.json has no column `top5`: give one of `arch`, `c10.top1`, `c10.val`, `c100.top1`, `c100.x.y`, `z.w`, `c100.x`");
    insta::assert_snapshot!(error(text, &Options::default()), @"t.json has no column that is known to hold accuracies: give one of `arch`, `c10.top1`, `c10.val`, `c100.top1`, `c100.x.y`, `z.w`, `c100.x` (accuracy_column)");
    // The first that has such a last part.
    let text = r#"[{"arch": "a", "x": {"val_acc": 1, "test_acc": 2}, "y": {"val_acc": 3, "accuracy": 4}}]"#;
    assert_eq!(read(text).accuracy_column().to_string(), "2 (`x.val_acc`)");
    let text = r#"[{"arch": "a", "x": {"test_acc": 2, "val_acc": 1}, "y": {"val_acc": 3}}]"#;
    assert_eq!(read(text).accuracy_column().to_string(), "2 (`x.test_acc`)");
    // Tables that others have made of JSON are CSV with such names.
    let text = "arch,scores.cola,scores.glue\na,1,2\n";
    assert_eq!(read(text).accuracy_column().to_string(), "3 (`scores.glue`)");
}

#[test]
fn all_bad_records_are_reported_at_once() {
    let text = r#"[{"arch": "a", "acc": 1}, {"arch": "b"},
        {"acc": 3}, {"arch": "d", "acc": "high"}, {"arch": "e", "acc": 1e999}, 7, {"arch": "f", "acc": 1, "acc": 2},
        {"arch": "g", "acc": 1, "x": {"y": {"z": 1, "z": 1}}}, {"arch": "\ud800", "acc": 1}, {"arch": "", "acc": 1},
        {"arch": "h", "acc": 1, "x": {"y": 1}, "x.y": 2}, {"arch": "i", "acc": 2},
        {"arch": "j", "\udfff": 1}, {"arch": "k", "acc": {"mean": 1}}, {"acc": 94.50, "arch": "l"}]"#;
    let table = read(text);
    insta::assert_snapshot!(shown(&table), @"
    1 (`arch`), 2 (`acc`)
    record 1 (line 1): a 1
    record 12 (line 4): i 2
    record 15 (line 5): l 94.5
    ");
    insta::assert_snapshot!(table.problems().clone().check().unwrap_err(), @r#"
    t.json: 12 records cannot be used
      record 2 (line 1): column 2 (`acc`) is empty; fill it in or remove the row
      record 3 (line 2): column 1 (`arch`) is empty; fill it in or remove the row
      record 4 (line 2): column 2 (`acc`): `high` is not a number; write it as in 94.3
      record 5 (line 2): column 2 (`acc`): 1e999 is not finite; give a measured number or remove the row
      record 6 (line 2): `7` is no object; write it as in {"accuracy": 94.3}
      record 7 (line 2): the field `acc` is there twice; give each a name of its own
      record 8 (line 3): the field `x.y.z` is there twice; give each a name of its own
      record 9 (line 3): a text cannot be read: unexpected end of hex escape
      record 10 (line 3): column 1 (`arch`) is empty; fill it in or remove the row
      record 11 (line 4): the field `x.y` is there twice; give each a name of its own
      record 13 (line 5): a text cannot be read: lone leading surrogate in hex escape
      record 14 (line 5): column 2 (`acc`) is empty; fill it in or remove the row
    "#);
    let object = r#"{"0": {"acc": 1}, "1": {"acc": 2}, "0": {"acc": 3}}"#;
    insta::assert_snapshot!(read(object).problems(), @"
    t.json: 2 records cannot be used
      record 1 (line 1): the field `0` is there twice; give each a name of its own
      record 3 (line 1): the field `0` is there twice; give each a name of its own
    ");
    let all = r#"[{"arch": "a", "acc": 1, "acc": 2}, {"arch": "\ud800", "acc": 1}]"#;
    let list = list_from_bytes("t.json", all.into()).unwrap();
    assert_eq!(list.problems().iter().len(), 2);
    assert_eq!(read(all).problems().iter().len(), 2);
    let few = Options { limit: Some(4), ..Options::default() };
    assert_eq!(from_bytes("t.json", text.into(), &few).unwrap().problems().iter().len(), 3);
}

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    let error = |text: &str| error(text, &Options::default());
    insta::assert_snapshot!(error("[{\"arch\": \"a\",\n \"acc\": NaN}]"), @"t.json begins as JSON does, but is none: expected value at line 2 column 9; JSON has neither NaN nor infinity: write null instead");
    for number in ["Infinity", "-Infinity", "NaN"] {
        let said =
            error(&format!("[{{\"arch\": 1, \"acc\": 1}},\n{{\"arch\": 2, \"acc\": {number}, \"x\": 1}}]"));
        assert!(said.to_string().ends_with("write null instead"), "{said}");
    }
    insta::assert_snapshot!(error("[{\"arch\": 1}, "), @"t.json begins as JSON does, but is none: EOF while parsing a value at line 1 column 14");
    insta::assert_snapshot!(error("[{\"arch\": 1}] 2"), @"t.json begins as JSON does, but is none: trailing characters at line 1 column 15");
    insta::assert_snapshot!(error("{\"arch\": 1, \"acc\": 1}\n{'arch': 2}"), @"t.json begins as JSON does, but is none: key must be a string at line 2 column 2");
    insta::assert_snapshot!(error("{\"arch\": 1}, {\"arch\": 2}"), @"t.json begins as JSON does, but is none: expected value at line 1 column 12");
    insta::assert_snapshot!(error("{\"arch\": \"a\"}"), @"t.json has no column that is known to hold accuracies: give one of `arch` (accuracy_column)");
    let bytes = b"[{\"arch\": \"\xff\"}]".to_vec();
    insta::assert_snapshot!(from_bytes("t.json", bytes, &Options::default()).unwrap_err(), @"t.json begins as JSON does, but is none: invalid unicode code point at line 1 column 12");
}

/// What begins with a bracket or a brace need not be records.
#[test]
fn architectures_are_no_records() {
    let blocks = r#"{"blocks": [{"a": 1}]}"#;
    for text in [
        blocks,
        "{\"cells\": 1}\n{\"cells\": {}}",
        "[('a', 0)]",
        "[1, 2]",
        "(1, 2)",
        "{'a': {}}",
        "{a: {}}",
        "{}",
        "[]",
        "[",
        "{",
        "{\"",
        "[{'a': 1}]x",
    ] {
        let Ok(list) = list_from_bytes("t.json", text.into()) else {
            assert_eq!(text, "[{'a': 1}]x");
            continue;
        };
        let archs: Vec<&str> = list.entries().iter().map(|entry| &entry.arch[..]).collect();
        assert_eq!(archs, text.lines().collect::<Vec<_>>());
        assert!(list.entries().iter().all(|entry| entry.place.record.is_none()));
    }
    // Unless they come in an array.
    assert_eq!(listed(&format!("[{blocks}]")), [format!("record 1 (line 1): {blocks}")]);
    // Lines of which the first names an architecture are records, all of them.
    let text = "{\"arch\": \"a\"}\n{\"arch\": }";
    insta::assert_snapshot!(list_from_bytes("t.json", text.into()).unwrap_err(), @"t.json begins as JSON does, but is none: expected value at line 2 column 10");
}

#[test]
fn what_is_written_has_all_fields_and_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.csv");
    let text = r#"[{"id": 0, "net": ["a", 1.50], "scores": {"glue": 74.50}}, 7,
        {"id": 2, "note": "x\n\"y\"", "scores": {"glue": 70, "cola": null}}]"#;
    let table = read(text);
    let scores = Scores { table: &table, rows: &[0, 1], scored: None, rankings: &[] };
    write_scores(&path, &scores).unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    insta::assert_snapshot!(written, @r#"
    arch,id,net,scores.glue,note,scores.cola,reason
    "{""id"": 0, ""net"": [""a"", 1.50], ""scores"": {""glue"": 74.50}}",0,"[""a"", 1.50]",74.50,,,
    "{""id"": 2, ""note"": ""x\n\""y\"""", ""scores"": {""glue"": 70, ""cola"": null}}",2,,70,"x
    ""y""",,
    "#);
    let again = read(&written);
    let plain = |table: &Table| -> Vec<(String, f64)> {
        table.rows().iter().map(|row| (row.arch.clone(), row.accuracy)).collect()
    };
    assert_eq!(plain(&again), plain(&table));
}

/// Nothing takes longer, or more memory, than in proportion to the file.
#[test]
fn hostile_files_are_read_or_refused_in_no_time() {
    let count = 200_000;
    let many = |record: &dyn Fn(usize) -> String| {
        let records: Vec<String> = (0..count).map(record).collect();
        format!("[{}]", records.join(","))
    };
    let deep =
        |open: &str, close: &str| format!("[{{\"acc\": {}1{}}}]", open.repeat(count), close.repeat(count));
    let fields: Vec<String> = (0..count).map(|index| format!("\"{index}\": 1")).collect();
    let fields = fields.join(", ");
    for (refused, text) in [
        ("few of which are in many of them", many(&|index| format!("{{\"a{index}\": 1}}"))),
        ("known to hold accuracies", format!("[{{{fields}}}]")),
        ("known to hold accuracies", format!("[{{\"{}\": {{{fields}}}}}]", "x".repeat(1 << 20))),
        ("few of which", format!("[{}{{{fields}}}]", "{},".repeat(count))),
        ("known to hold accuracies", many(&|_| "{}".to_owned())),
        ("", deep("[", "]")),
        ("", deep("{\"\": ", "}")),
        ("", deep("{\"a\": ", "}")),
        ("is none: EOF", format!("[{}", "{\"a\": ".repeat(count))),
        ("is none: EOF", format!("[{{\"{}", "\\u0000".repeat(count))),
    ] {
        let start = Instant::now();
        match from_bytes("t.json", text.clone().into_bytes(), &Options::default()) {
            Ok(table) => assert!(refused.is_empty() && !table.problems().is_empty(), "{refused}"),
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains(refused) && error.len() < 2000, "{refused}: {error}");
            }
        }
        drop(list_from_bytes("t.json", text.into_bytes()));
        assert!(start.elapsed().as_secs() < 5, "{refused}: {:?}", start.elapsed());
    }
}

#[test]
fn the_published_table_of_flexibert_is_read() {
    let Some(path) = swapnas_fixtures::data("flexibert_glue.json") else { return };
    let table = super::super::read(&path, &options("", "", &["cola", "scores.sst"])).unwrap();
    assert_eq!(table.problems(), &Problems::new(table.file()));
    assert_eq!(table.accuracy_column().name.as_deref(), Some("scores.glue"));
    assert_eq!((table.rows().len(), table.rows()[0].accuracy), (250, 74.73375));
    assert_eq!(table.columns()[0].values[0], Ok(42.69));
    let arch: serde_json::Value = serde_json::from_str(&table.rows()[1].arch).unwrap();
    assert_eq!((&arch["id"], &arch["hidden_size"]), (&2.into(), &128.into()));
}

/// Tables of several accuracies have the one that comes first, wherever names have parts.
#[test]
fn the_first_accuracy_is_taken_and_glue_last() {
    let column = |text: &str| read(text).accuracy_column().to_string();
    assert_eq!(column("arch,a.test_acc,b.acc\nx,1,2\n"), "2 (`a.test_acc`)");
    assert_eq!(column("arch,cifar10_test_acc,x.accuracy\nx,1,2\n"), "2 (`cifar10_test_acc`)");
    assert_eq!(column("arch,glue,cifar10_test_acc\nx,1,2\n"), "3 (`cifar10_test_acc`)");
    assert_eq!(column("arch,cola,GLUE\nx,1,2\n"), "3 (`GLUE`)");
    let several = error("arch,x.glue,y.glue\na,1,2\n", &Options::default());
    assert!(several.contains("`x.glue`") && several.contains("`y.glue`"), "{several}");
    // A number is none of a name's parts.
    let beyond = error("arch,acc,epoch.9\na,1,2\n", &options("", "9", &[]));
    assert!(beyond.contains("no column `9`"), "{beyond}");
}

#[test]
fn what_holds_no_records_is_empty() {
    for text in ["[]", "{}", " [ ]\n"] {
        assert_eq!(error(text, &Options::default()), "t.json has no rows");
    }
}

#[test]
fn data_sets_of_ones_own_are_asked_for_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.json");
    std::fs::write(&path, r#"{"a": {"4321": {"acc": 1}}, "b": {"12": {"acc": 2}, "13": {"acc": 3}}}"#)
        .unwrap();
    let read = |part: &str| {
        let path = format!("{}{part}", path.display());
        super::super::read(path.as_ref(), &Options::default()).map(|table| shown(&table))
    };
    insta::assert_snapshot!(read("#b").unwrap(), @"
    1 (`arch`), 2 (`acc`)
    record 1 (line 1): 12 2
    record 2 (line 1): 13 3
    ");
    assert!(read("#c").unwrap_err().to_string().ends_with("leave out `#c`"));
}

/// Python writes numbers that JSON has not, which are read as nothing where nobody could mend them.
#[test]
fn numbers_that_are_none_are_empty_in_data_sets_alone() {
    let text = "{\"cifar10\": {\"a NaN\": {\"x\": {\"score\": -Infinity}, \"acc\": 1},\n \"b\": {\"x\": {\"score\": NaN}, \"acc\": Infinity}}}";
    let table = from_bytes("t.json", text.into(), &options("", "", &["x"])).unwrap();
    insta::assert_snapshot!(shown(&table), @"
    1 (`arch`), 3 (`acc`)
    record 1 (line 1): a NaN 1
    ");
    insta::assert_snapshot!(table.problems(), @"
    t.json: 1 record cannot be used
      record 2 (line 2): column 3 (`acc`) is empty; fill it in or remove the row
    ");
    assert!(table.columns()[0].values[0].is_err());
}
