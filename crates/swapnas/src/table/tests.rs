use std::path::Path;

use super::list::list;
use super::read::table;
use super::records::Text;
use super::*;

fn text(contents: impl AsRef<[u8]>) -> Text {
    Text::new("t.csv".to_owned(), contents.as_ref().to_vec())
}

fn columns(arch: &str, accuracy: &str) -> Options {
    let name = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    Options { arch_column: name(arch), accuracy_column: name(accuracy), ..Options::default() }
}

fn read_with(contents: &str, options: &Options) -> Table {
    table(text(contents), options).expect("a table")
}

fn rows(table: &Table) -> Vec<(u64, &str, f64)> {
    table.rows().iter().map(|row| (row.place.line, row.arch.as_str(), row.accuracy)).collect()
}

/// Where architectures and accuracies are.
fn titles(table: &Table) -> [String; 2] {
    let arch = table.arch_column().map_or("none".to_owned(), ColumnTitle::to_string);
    [arch, table.accuracy_column().to_string()]
}

#[test]
fn a_table_without_header() {
    let table = read_with("\"Genotype([('a', 0)])\",94.5\n\n\"Genotype([])\", 93 \n", &Options::default());
    assert_eq!(titles(&table), ["1", "2"]);
    assert_eq!(rows(&table), [(1, "Genotype([('a', 0)])", 94.5), (3, "Genotype([])", 93.0)]);
    assert!(table.problems().is_empty());
}

#[test]
fn lines_are_counted_through_blank_lines_and_line_breaks() {
    let table = read_with("arch,acc\r\n\r\n\r\na,1\r\n\"b\nb\",2\r\n\nc,x\n", &Options::default());
    assert_eq!(rows(&table), [(4, "a", 1.0), (5, "b\nb", 2.0)]);
    assert_eq!(table.problems().iter().map(|(place, _)| place.line).collect::<Vec<_>>(), [8]);
}

#[test]
fn headers_are_told_from_rows() {
    let titles = |contents, options: &Options| {
        let table = read_with(contents, options);
        format!("{} {}", self::titles(&table).join(" "), table.rows().len())
    };
    let default = Options::default();
    assert_eq!(titles("\u{feff}Arch,Val Accuracy\na,1\n", &default), "1 (`Arch`) 2 (`Val Accuracy`) 1");
    assert_eq!(titles(",test-acc,genotype\n0,1,a\n", &default), "3 (`genotype`) 2 (`test-acc`) 1");
    assert_eq!(
        titles("arch,std,x_test_accuracy,y_acc\na,1,2,3\n", &default),
        "1 (`arch`) 3 (`x_test_accuracy`) 1"
    );
    assert_eq!(titles("arch,acc (best),accuracy\na,1,2\n", &default), "1 (`arch`) 3 (`accuracy`) 1");
    assert_eq!(titles("21221002,92.1\n01221002,91\n", &default), "1 2 2");
    assert_eq!(titles("21221002,92.1\n", &columns("1", "2")), "1 2 1");
    assert_eq!(titles("92.1,a\n91,b\n", &columns("2", "1")), "2 1 2");
    assert_eq!(titles("2,92.1\n", &columns("1", "2")), "1 2 1");
    assert_eq!(titles("arch,50,200\na,1,2\n", &columns("", "200")), "1 (`arch`) 3 (`200`) 1");
    assert_eq!(titles("arch,50,200\na,1,2\n", &columns("", "2")), "1 (`arch`) 2 (`50`) 1");
    assert_eq!(
        titles("my (net),score (%)\na,1\n", &columns("my (net)", "2")),
        "1 (`my (net)`) 2 (`score (%)`) 1"
    );
    assert_eq!(titles("net,top1\na,1\n", &columns("net", "top1")), "1 (`net`) 2 (`top1`) 1");
    // A first row that is bad is no header.
    assert_eq!(read_with("\"Genotype()\",\n\"Genotype()\",1\n", &default).rows().len(), 1);
    assert_eq!(read_with("\"Genotype()\",x\n\"Genotype()\",1\n", &default).problems().iter().len(), 1);
}

#[test]
fn columns_that_are_not_there_are_explained() {
    let error = |contents: &str, options: &Options| table(text(contents), options).unwrap_err().to_string();
    let default = Options::default();
    insta::assert_snapshot!(error("", &default), @"t.csv has no rows");
    insta::assert_snapshot!(error("arch,acc\n", &default), @"t.csv has no rows");
    insta::assert_snapshot!(error("arch,top1\na,1\n", &default), @"t.csv has no column that is known to hold accuracies: give one of `arch`, `top1` (accuracy_column)");
    insta::assert_snapshot!(error("model,acc\na,1\n", &default), @"t.csv has no column that is known to hold architectures: give one of `model`, `acc` (arch_column)");
    insta::assert_snapshot!(error("arch,acc\na,1\n", &columns("net", "")), @"t.csv has no column `net`: give one of `arch`, `acc`");
    insta::assert_snapshot!(error("21221002,1\n", &columns("", "3")), @"t.csv has no column `3`: it has no header, so give a number from 1 to 2");
    insta::assert_snapshot!(error("21221002,1\n", &columns("0", "")), @"t.csv has no column `0`: it has no header, so give a number from 1 to 2");
    insta::assert_snapshot!(error("21221002\n", &default), @"t.csv has no column that is known to hold accuracies: it has no header, and one column only (accuracy_column)");
    let missing = read(Path::new("no/such.csv"), &default).unwrap_err();
    assert!(missing.to_string().starts_with("cannot read no/such.csv: "), "{missing}");
}

#[test]
fn columns_that_are_there_twice_are_not_guessed_at() {
    let error = |contents: &str, options: &Options| table(text(contents), options).unwrap_err().to_string();
    let default = Options::default();
    insta::assert_snapshot!(error("arch,accuracy,accuracy\na,1,2\n", &default), @"t.csv has the column `accuracy` twice, as 2 and 3; give each column a name of its own, or choose one by its number (accuracy_column)");
    insta::assert_snapshot!(error("arch,Accuracy,x,accuracy,ACCURACY\na,1,2,3,4\n", &default), @"t.csv has the column `Accuracy` 3 times, first as 2 and 4; give each column a name of its own, or choose one by its number (accuracy_column)");
    insta::assert_snapshot!(error("arch,genotype,arch,acc\na,b,c,1\n", &default), @"t.csv has the column `arch` twice, as 1 and 3; give each column a name of its own, or choose one by its number (arch_column)");
    insta::assert_snapshot!(error("arch,x_acc,x-acc\na,1,2\n", &default), @"t.csv has the column `x_acc` twice, as 2 and 3; give each column a name of its own, or choose one by its number (accuracy_column)");
    insta::assert_snapshot!(error("arch,top1,top1\na,1,2\n", &columns("", "top1")), @"t.csv has the column `top1` twice, as 2 and 3; give each column a name of its own, or choose one by its number (accuracy_column)");
    insta::assert_snapshot!(error("a\u{1b},a\u{1b},acc\na,1,2\n", &columns("a\u{1b}", "")), @r#"t.csv has the column `a\u{1b}` twice, as 1 and 2; give each column a name of its own, or choose one by its number (arch_column)"#);
    let list = list(&text("arch,arch\na,b\n")).unwrap_err().to_string();
    insta::assert_snapshot!(list, @"t.csv has the column `arch` twice, as 1 and 2; give each column a name of its own");
    // Which is meant is clear, or it does not matter.
    let titles = |contents: &str, options: &Options| {
        let table = read_with(contents, options);
        titles(&table).join(" ")
    };
    assert_eq!(titles("arch,acc,acc\na,1,2\n", &columns("", "3")), "1 (`arch`) 3 (`acc`)");
    assert_eq!(titles("arch,Acc,acc\na,1,2\n", &columns("", "acc")), "1 (`arch`) 3 (`acc`)");
    assert_eq!(titles("arch,params,params,acc,,\na,1,2,3,,\n", &default), "1 (`arch`) 4 (`acc`)");
    assert_eq!(titles("arch,acc,accuracy\na,1,2\n", &default), "1 (`arch`) 3 (`accuracy`)");
    assert_eq!(titles("arch,x_acc,y_acc\na,1,2\n", &default), "1 (`arch`) 2 (`x_acc`)");
    // Numbers of columns that were asked for are not listed without end.
    let wide = format!("arch{}\na\n", ",x".repeat(10_000));
    insta::assert_snapshot!(error(&wide, &default), @"t.csv has no column that is known to hold accuracies: give one of `arch`, `x`, `x`, `x`, `x`, `x`, `x`, `x`, `x`, `x`, `x`, `x`, or one of 9989 more (accuracy_column)");
}

#[test]
fn sixteen_bits_a_letter_are_told_with_and_without_a_mark() {
    let bytes = |text: &str, to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    for text in ["\u{feff}arch,acc\na,1\n", "arch,acc\na,1\n"] {
        for to in [u16::to_le_bytes, u16::to_be_bytes] {
            let error = Text::decode("t.csv".to_owned(), bytes(text, to)).err().unwrap();
            assert!(matches!(error, TableError::Utf16 { .. }), "{error}");
        }
    }
    // Parts in another encoding, and zeros, are problems of their lines.
    let table = table(text(b"arch,acc\na,1\ncaf\xe9,2\n\0b,3\nc,\0\n"), &Options::default()).unwrap();
    assert_eq!(table.problems().iter().map(|(place, _)| place.line).collect::<Vec<_>>(), [3, 5]);
}

#[test]
fn lines_end_as_on_any_system() {
    let lines = |ends: [&str; 3]| {
        let [a, b, c] = ends;
        let table = read_with(&format!("arch,acc{a}x,1{b}{b}\"y{a}z\",2{c}w,3"), &Options::default());
        table.rows().iter().map(|row| row.place.line).collect::<Vec<_>>()
    };
    for end in ["\n", "\r\n", "\r"] {
        assert_eq!(lines([end; 3]), [2, 4, 6], "{end:?}");
    }
    assert_eq!(lines(["\r", "\r\n", "\n"]), [2, 4, 6]);
    let entries = list(&text("21221002\r\r\n(1, 2)\n3\r")).unwrap();
    let entries: Vec<_> =
        entries.entries().iter().map(|entry| (entry.place.line, entry.arch.as_str())).collect();
    assert_eq!(entries, [(1, "21221002"), (3, "(1, 2)"), (4, "3")]);
}

/// What is white but no space of ASCII leaves nothing of a line.
#[test]
fn lines_without_anything_to_see_are_no_architectures() {
    let list = list(&text("21221002\n\u{a0}\n")).unwrap();
    assert_eq!(list.entries().len(), 1);
    insta::assert_snapshot!(list.problems(), @r"
    t.csv: 1 line cannot be used
      line 2: column 1 is empty; fill it in or remove the row
    ");
}

#[test]
fn problems_are_in_order_whoever_finds_them() {
    let mut problems = Problems::new("t.csv");
    for line in [9, 2, 5, 2, 7] {
        problems.add(Place::line(line), format!("number {line}"));
    }
    assert_eq!(problems.iter().map(|(place, _)| place.line).collect::<Vec<_>>(), [2, 2, 5, 7, 9]);
    // Millions of lines that are found by turns are put in order at once.
    let mut many = Problems::new("t.csv");
    for line in 0..200_000 {
        many.add(Place::line(line), "");
        many.add(Place::line(400_000 - line), "");
    }
    assert_eq!(many.iter().len(), 400_000);
}

#[test]
fn all_bad_lines_are_reported_at_once() {
    let mut contents =
        b"arch,val_accuracy\na,90\nb\n,91\nc,\nd,high\ne,94%\nf,nan\ng,1e999\n\xff,1\nh,92\n".to_vec();
    contents.extend(b"\"i,93\nj,94\n");
    let table = table(text(contents), &Options::default()).unwrap();
    assert_eq!(rows(&table), [(2, "a", 90.0), (11, "h", 92.0)]);
    let mut problems = table.problems().clone();
    problems.add(Place::line(2), "column 3: expected an operation, found `a`");
    insta::assert_snapshot!(problems.check().unwrap_err(), @r#"
        t.csv: 10 lines cannot be used
          line 2: column 3: expected an operation, found `a`
          line 3: there is no column 2 (`val_accuracy`), as the line has only 1; add it
          line 4: column 1 (`arch`) is empty; fill it in or remove the row
          line 5: column 2 (`val_accuracy`) is empty; fill it in or remove the row
          line 6: column 2 (`val_accuracy`): `high` is not a number; write it as in 94.3
          line 7: column 2 (`val_accuracy`): `94%` is not a number; write it as in 94.3
          line 8: column 2 (`val_accuracy`): nan is not finite; give a measured number or remove the row
          line 9: column 2 (`val_accuracy`): 1e999 is not finite; give a measured number or remove the row
          line 10: column 1 (`arch`) is not valid UTF-8; save the file in this encoding
          line 12: there is no column 2 (`val_accuracy`), as the line has only 1; add it, or close a quotation mark: the fields go on over several lines
        "#);
}

#[test]
fn long_listings_are_cut() {
    let contents = "arch,acc\n".to_owned() + &"a,?\n".repeat(23);
    let table = read_with(&contents, &Options::default());
    let listing = table.problems().to_string();
    assert_eq!(listing.lines().count(), 22);
    assert!(listing.starts_with("t.csv: 23 lines cannot be used\n"), "{listing}");
    assert!(listing.ends_with("\n  and 3 more"), "{listing}");
    let few = read_with(&contents, &Options { limit: Some(1), ..Options::default() });
    assert_eq!(few.problems().iter().len(), 1);
    assert!(few.problems().to_string().starts_with("t.csv: 1 line cannot be used\n"));
}

#[test]
fn lists_of_architectures() {
    let archs = |contents: &str| {
        let list = list(&text(contents)).expect("a list");
        assert!(list.problems().is_empty());
        list.entries().iter().map(|entry| (entry.place.line, entry.arch.clone())).collect::<Vec<_>>()
    };
    let plain = [(1, "Genotype(a, b)".to_owned()), (3, "Genotype(c, d)".to_owned())];
    assert_eq!(archs("Genotype(a, b)\n\n Genotype(c, d)\r\n"), plain);
    assert_eq!(archs("\"Genotype(a, b)\",94\n\n\"Genotype(c, d)\",93\n"), plain);
    assert_eq!(archs("genotype\nGenotype(a, b)\n"), [(2, "Genotype(a, b)".to_owned())]);
    assert_eq!(archs("genotype\n\"Genotype(a, b)\"\n"), [(2, "Genotype(a, b)".to_owned())]);
    assert_eq!(archs("accuracy,arch\n1,\"a, b\"\n2,c\n"), [(2, "a, b".to_owned()), (3, "c".to_owned())]);
    assert_eq!(archs("|a~0|+|b~0|c~1|\n"), [(1, "|a~0|+|b~0|c~1|".to_owned())]);
    let error = |contents: &str| list(&text(contents)).unwrap_err().to_string();
    assert_eq!(error(""), "t.csv has no rows");
    assert_eq!(error("\n \narch\n"), "t.csv has no rows");
    let bad = list(&text(b"accuracy,arch\n1\n2,a\n")).unwrap();
    assert_eq!(bad.problems().iter().map(|(place, _)| place.line).collect::<Vec<_>>(), [2]);
    let bad = list(&text(b"a\n\xff\n")).unwrap();
    assert_eq!(bad.problems().iter().map(|(place, _)| place.line).collect::<Vec<_>>(), [2]);
}

#[test]
fn further_columns_are_read() {
    let contents = "arch,acc,snip,\"syn,flow\",empty\na,90,1.5,2e3,\nb,91,,nan,\nc,x,3,4,\nd,92,-inf,high\n";
    let chosen = ["snip", "4", "snip", "3", "empty"].map(str::to_owned).to_vec();
    let table = read_with(contents, &Options { columns: chosen, ..Options::default() });
    let shown: Vec<String> = table
        .columns()
        .iter()
        .map(|column| {
            let value = |value: &Result<f64, Cell>| match value {
                Ok(number) => number.to_string(),
                Err(Cell { place, problem }) => format!("{place}: {problem}"),
            };
            format!("{}: {}", column.name, column.values.iter().map(value).collect::<Vec<_>>().join("; "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    snip: 1.5; line 3: column 3 (`snip`) is empty; fill it in or remove the row; line 5: column 3 (`snip`): -inf is not finite; give a measured number or remove the row
    syn,flow: 2000; line 3: column 4 (`syn,flow`): nan is not finite; give a measured number or remove the row; line 5: column 4 (`syn,flow`): `high` is not a number; write it as in 94.3
    empty: line 2: column 5 (`empty`) is empty; fill it in or remove the row; line 3: column 5 (`empty`) is empty; fill it in or remove the row; line 5: there is no column 5 (`empty`), as the line has only 4; add it
    ");
    // Line 4 has no accuracy, and other columns do not make a line unusable.
    assert_eq!(rows(&table), [(2, "a", 90.0), (3, "b", 91.0), (5, "d", 92.0)]);
    assert_eq!(table.problems().iter().count(), 1);
    let error = |column: &str| {
        let options = Options { columns: vec![column.to_owned()], ..Options::default() };
        table_error(contents, &options)
    };
    insta::assert_snapshot!(error("snp"), @"t.csv has no column `snp` (did you mean `snip`?): give one of `arch`, `acc`, `snip`, `syn,flow`, `empty`");
    insta::assert_snapshot!(error("zen"), @"t.csv has no column `zen`: give one of `arch`, `acc`, `snip`, `syn,flow`, `empty`");
    insta::assert_snapshot!(error("6"), @"t.csv has no column `6`: give one of `arch`, `acc`, `snip`, `syn,flow`, `empty`");
    let headerless = Options { columns: vec!["3".to_owned()], ..Options::default() };
    assert_eq!(read_with("a,1,2\n", &headerless).columns()[0].name, "column 3");
    // A column that is chosen by name makes the first line a header.
    let chosen = Options { columns: vec!["swap(2)".to_owned()], ..columns("1", "2") };
    assert_eq!(read_with("50,60,swap(2)\na,1,2\n", &chosen).columns()[0].values, [Ok(2.0)]);
}

fn table_error(contents: &str, options: &Options) -> String {
    table(text(contents), options).unwrap_err().to_string()
}

#[test]
fn architectures_need_not_be_there() {
    let if_there = Options { archs: Archs::IfThere, ..Options::default() };
    let none = read_with("val_acc,snip\n1,2\n3,4\n", &if_there);
    assert_eq!(titles(&none), ["none", "1 (`val_acc`)"]);
    assert_eq!(rows(&none), [(2, "", 1.0), (3, "", 3.0)]);
    let some = read_with("arch,acc\na,1\n,2\n", &if_there);
    assert_eq!(rows(&some), [(2, "a", 1.0), (3, "", 2.0)]);
    let first = Options { accuracy_column: Some("1".to_owned()), ..if_there.clone() };
    assert_eq!(titles(&read_with("1,2\n3,4\n", &first)), ["none", "1"]);
    let chosen = Options { arch_column: Some("cell".to_owned()), ..if_there };
    insta::assert_snapshot!(table_error("val_acc,snip\n1,2\n", &chosen), @"t.csv has no column `cell`: give one of `val_acc`, `snip`");
}

mod writing {
    use swapnas_metrics::{Columns, Score, Scored, Undefined};

    use super::super::{Scores, write_scores};
    use super::*;
    use crate::Ranking;

    /// What is written of the rows of a table with these places, all of which have one value of one metric and none of
    /// another.
    fn written(path: &Path, contents: &str, rows: &[usize]) -> String {
        let columns: Columns = "swap,swap-reg:mu=2,rank(swap,swap-reg:mu=2)".parse().unwrap();
        let score = Score { mean: 1234.5, std: 0.25 };
        let scored = |scores| Scored { params: 10, macs: 20, units: 30, scores, saturation: None };
        let both = scored(vec![Ok(score), Ok(Score { mean: 1e-30, std: 0.0 })]);
        let none = scored(vec![Ok(score), Err(Undefined::NoRelu)]);
        let networks: Vec<&Scored> = [&both, &none].into_iter().cycle().take(rows.len()).collect();
        let table = read_with(contents, &Options::default());
        let rankings = Ranking::of_metrics(&columns, &networks);
        let scores = Scores { table: &table, rows, scored: Some(&networks), rankings: &rankings };
        write_scores(path, &scores).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn scores_are_written_behind_the_columns_of_the_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        let contents = "id, acc ,arch,params,\"swap_mean\"\n\n007,94.10,\"Genotype(a, b)\",1e6,\n8,bad,b,,\n009,93,\"c \"\"x\"\"\",,7,more\n";
        let mut text = String::new();
        for _ in 0..2 {
            text = written(&path, contents, &[0, 1]);
        }
        insta::assert_snapshot!(text, @r#"
        id, acc ,arch,params,swap_mean,column_6,swapnas_params,macs,units,swapnas_swap_mean,swap_std,swap-reg:mu=2_mean,swap-reg:mu=2_std,"rank(swap,swap-reg:mu=2)",reason
        007,94.10,"Genotype(a, b)",1e6,,,10,20,30,1234.5,0.25,1e-30,0.0,1.0,
        009,93,"c ""x""",,7,more,10,20,30,1234.5,0.25,,,,"swap-reg:mu=2: the network has no ReLU nor an activation like it; rank(swap,swap-reg:mu=2): swap-reg:mu=2: the network has no ReLU nor an activation like it"
        "#);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left");
        // What is written can be read, and rows can be left out.
        let again = read_with(&text, &Options::default());
        assert_eq!(rows(&again), [(2, "Genotype(a, b)", 94.1), (3, "c \"x\"", 93.0)]);
        insta::assert_snapshot!(written(&path, "\"a, b\",9.50,z\nc,8,\n", &[1]), @r#"
        arch,accuracy,column_3,params,macs,units,swap_mean,swap_std,swap-reg:mu=2_mean,swap-reg:mu=2_std,"rank(swap,swap-reg:mu=2)",reason
        c,8,,10,20,30,1234.5,0.25,1e-30,0.0,1.0,
        "#);
    }

    #[test]
    fn what_cannot_be_written_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("no/scores.csv");
        let table = read_with("a,1\n", &Options::default());
        let scores = Scores { table: &table, rows: &[], scored: None, rankings: &[] };
        let error = write_scores(&nowhere, &scores).unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot write {}: ", nowhere.display())), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_plain_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let [target, link] = ["target.csv", "link.csv"].map(|name| folder.path().join(name));
        std::fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let text = written(&link, "a,1\n", &[]);
        assert!(link.is_symlink());
        assert!(text.starts_with("arch,accuracy,params,macs,units,swap_mean,"), "{text}");
        assert_eq!(std::fs::read_to_string(&target).unwrap(), text);
        written("/dev/null".as_ref(), "a,1\n", &[0]);
        assert!(!Path::new("/dev/null").is_file());
    }
}

#[test]
fn fixtures_of_all_benchmarks_are_read() {
    let Some(folder) = swapnas_fixtures::data("") else { return };
    let proxies = ("1 (`arch`)", "2 (`val_accuracy`)");
    let expected = [
        ("DARTS_archs_CIFAR10", ("1", "2"), 1000),
        ("nasbench101_cifar10_proxies", proxies, 250),
        ("nasbench201_ImageNet16-120_proxies", proxies, 245),
        ("nasbench201_cifar100_proxies", proxies, 245),
        ("nasbench201_cifar10_13proxies", proxies, 500),
        ("nasbench201_cifar10_proxies", proxies, 245),
        ("nasbench201_test_accuracy_sample", ("1 (`arch`)", "2 (`cifar10_test_accuracy`)"), 500),
        ("nasbench301_cifar10_proxies", proxies, 250),
        ("nasbench_macro_cifar10", ("1 (`arch`)", "2 (`mean_accuracy`)"), 500),
        ("transnas_micro_proxies", proxies, 500),
    ];
    let mut tables = 0;
    for (name, titles, count) in expected {
        let path = folder.join(name).with_extension("csv");
        let table = read(&path, &Options::default()).expect(name);
        assert_eq!(self::titles(&table), [titles.0, titles.1], "{name}");
        assert_eq!((table.rows().len(), table.problems()), (count, &Problems::new(table.file())), "{name}");
        let archs = read_list(&path).expect(name);
        assert!(archs.entries().iter().map(|e| &e.arch).eq(table.rows().iter().map(|r| &r.arch)), "{name}");
        tables += 1;
    }
    let there = std::fs::read_dir(folder).expect("a folder").flatten();
    let csv = there.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "csv"));
    assert_eq!(tables, csv.count(), "all tables are tested");
}
