//! Files that people have, and what is found in them.

use std::path::PathBuf;

use parity_learning::{
    csv::{InferOptions, Inferred, TaskKind, infer, prepare},
    table::Labels,
};
use parity_protocol::schema::{ColumnKind, Task};

/// A file in a folder that goes with the value.
pub(crate) struct File(tempfile::TempDir);

impl File {
    pub(crate) fn new(text: impl AsRef<[u8]>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("data.csv"), text).unwrap();
        Self(dir)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("data.csv")
    }
}

pub(crate) fn found(text: impl AsRef<[u8]>) -> Inferred {
    infer(&File::new(text).path(), &InferOptions::default()).unwrap()
}

fn names(inferred: &Inferred) -> Vec<&str> {
    inferred.schema.columns.iter().map(|column| column.name.as_str()).collect()
}

fn classes(inferred: &Inferred) -> Vec<&str> {
    match &inferred.schema.label.task {
        Task::Classification { classes } => classes.iter().map(String::as_str).collect(),
        Task::Regression { .. } => panic!("{:?}", inferred.report),
    }
}

fn reports(inferred: &Inferred, what: &str) {
    assert!(inferred.report.iter().any(|line| line.contains(what)), "'{what}' not in {:#?}", inferred.report);
}

const IRIS: &str = "5.1,3.5,1.4,setosa\n7.0,3.2,4.7,versicolor\n6.3,3.3,6.0,virginica\n4.9,3.0,1.4,setosa\n";

#[test]
fn the_bundled_examples_are_understood_without_a_flag() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/data");
    let health = infer(&folder.join("healthcare_data.csv"), &InferOptions::default()).unwrap();
    assert_eq!((health.schema.columns.len(), health.schema.features()), (30, 30));
    assert_eq!((health.schema.label.name.as_str(), classes(&health)), ("diagnosis", vec!["benign", "malignant"]));
    let iris = infer(&folder.join("iris_data.csv"), &InferOptions::default()).unwrap();
    assert_eq!(iris.schema.label.name, "species");
    assert_eq!(classes(&iris), ["setosa", "versicolor", "virginica"]);
    assert_eq!(iris.schema.features(), 4);
}

#[test]
fn a_file_without_header_has_numbered_columns_and_the_last_is_the_label() {
    let inferred = found(IRIS);
    assert_eq!(names(&inferred), ["column_1", "column_2", "column_3"]);
    assert_eq!(inferred.schema.label.name, "column_4");
    assert_eq!(classes(&inferred), ["setosa", "versicolor", "virginica"]);
    reports(&inferred, "no header");
}

#[test]
fn semicolons_decimal_commas_a_byte_order_mark_and_crlf_are_understood() {
    let inferred = found("\u{feff}größe;\"gewicht\";art\r\n1,5;2,25;a\r\n1.002,5;3;b\r\n2,5;;a\r\n");
    assert_eq!(names(&inferred), ["größe", "gewicht"]);
    assert_eq!(inferred.schema.columns[0].kind, ColumnKind::Numeric { fill: 2.5 });
    assert_eq!(inferred.schema.columns[1].kind, ColumnKind::Numeric { fill: 2.625 });
    assert_eq!(classes(&inferred), ["a", "b"]);
    reports(&inferred, "separated by semicolons, a header, decimal commas");
}

#[test]
fn tabs_bars_and_a_declared_separator_are_understood() {
    for text in ["a\tb\ty\n1\t2\tn\n3\t4\tm\n", "a|b|y\n1|2|n\n3|4|m\n", "sep=;\na;b;y\n1;2;n\n3;4;m\n"] {
        assert_eq!(names(&found(text)), ["a", "b"], "{text}");
    }
}

#[test]
fn commas_inside_quotes_do_not_mislead() {
    let inferred = found("town,size,label\n\"Bonn, am Rhein\",1.5,x\n\"Ulm; Donau\",2.5,y\n\"say \"\"hi\"\"\",2.5,y\n");
    assert_eq!(names(&inferred), ["town", "size"]);
    let ColumnKind::Categorical { values } = &inferred.schema.columns[0].kind else { panic!() };
    assert_eq!(values, &["Bonn, am Rhein", "Ulm; Donau", "say \"hi\""]);
}

#[test]
fn latin_1_text_is_read_and_said() {
    let inferred = found(b"gr\xf6\xdfe,y\n1,a\n2,b\n");
    assert_eq!(names(&inferred), ["größe"]);
    reports(&inferred, "Latin-1");
}

#[test]
fn missing_cells_are_filled_and_rows_without_label_left_out() {
    let inferred = found("age,sex,target\n10,m,yes\nNA,f,no\n30,?,yes\n20,f,\nNaN,f,null\n50,m,no\n");
    assert_eq!(inferred.schema.columns[0].kind, ColumnKind::Numeric { fill: 30.0 });
    assert_eq!(inferred.schema.columns[1].kind, ColumnKind::Categorical { values: vec!["f".into(), "m".into()] });
    reports(&inferred, "2 rows left out: their label is missing");
    reports(&inferred, "column 'age': 1 missing cells get the median");
    reports(&inferred, "column 'sex' becomes 2 features");
}

#[test]
fn the_label_is_found_by_name_wherever_it_stands() {
    for name in ["label", "Target", "class", "Diagnosis", "species", "y", "OUTCOME"] {
        let inferred = found(format!("{name},a,b\nx,1,2\nz,3,4\n"));
        assert_eq!(inferred.schema.label.name, name);
        assert_eq!(names(&inferred), ["a", "b"]);
    }
    // "class" is a feature here, for "target" says more.
    assert_eq!(found("target,class,a\nx,1,2\nz,3,4\n").schema.label.name, "target");
    assert_eq!(found("a,b,kind\n1,2,x\n3,4,z\n").schema.label.name, "kind");
}

#[test]
fn options_decide_over_what_would_be_found() {
    let file = File::new("a,b,target\n1.5,0,x\n2.5,1,z\n3.5,1,z\n4.5,0,z\n");
    let label = |text: &str| InferOptions { label: Some(text.into()), ..InferOptions::default() };
    let by_name = infer(&file.path(), &label("B")).unwrap();
    assert_eq!((by_name.schema.label.name.as_str(), classes(&by_name)), ("b", vec!["0", "1"]));
    let by_number = infer(&file.path(), &label("1")).unwrap();
    assert_eq!(by_number.schema.label.task, Task::Regression { mean: 3.0, deviation: 1.25_f64.sqrt() });
    let task = InferOptions { task: Some(TaskKind::Regression), ..label("b") };
    assert!(matches!(infer(&file.path(), &task).unwrap().schema.label.task, Task::Regression { .. }));
    let header = InferOptions { header: Some(false), ..label("3") };
    assert_eq!(infer(&file.path(), &header).unwrap().schema.label.name, "column_3");
}

#[test]
fn few_consecutive_whole_numbers_are_classes_and_others_a_quantity() {
    let file = |label: fn(u32) -> String| {
        (0..60).fold("a,y\n".to_owned(), |text, row| text + &format!("{}.5,{}\n", row % 7, label(row)))
    };
    assert_eq!(classes(&found(file(|row| (row % 3).to_string()))), ["0", "1", "2"]);
    assert_eq!(
        classes(&found(file(|row| (1 + row % 10).to_string()))),
        ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
    );
    assert_eq!(classes(&found(file(|row| if row % 2 == 0 { "-1" } else { "1" }.into()))), ["-1", "1"]);
    assert_eq!(classes(&found(file(|row| format!("{}.0", row % 2)))), ["0.0", "1.0"]);
    for regression in [file(|row| (row * row).to_string()), file(|row| format!("{}.25", row % 4))] {
        assert!(matches!(found(regression).schema.label.task, Task::Regression { .. }));
    }
}

#[test]
fn row_numbers_are_left_out_and_suspicious_columns_reported() {
    let rows: String = (0..60).map(|row| format!("{row},{},{},7,,t{row},{}\n", 900 - row, row % 9, row % 2)).collect();
    let inferred = found(format!(",patient_id,a,constant,empty,name,y\n{rows}"));
    assert_eq!(names(&inferred), ["a", "constant"]);
    for what in ["'column_1' left out: it numbers", "'patient_id' left out", "'constant' is 7 in every row"] {
        reports(&inferred, what);
    }
    reports(&inferred, "'empty' left out: it has no value");
    reports(&inferred, "'name' left out: 60 different texts");
    let rows: String = (0..60).map(|row| format!("{},{}\n", 900 - row, row % 2)).collect();
    reports(&found(format!("code,y\n{rows}")), "'code' has another whole number in every row");
}

#[test]
fn a_header_is_told_from_data() {
    let headed = |text: &str| found(text).report[0].contains("a header");
    assert!(headed("a,b\nx,y\nz,w\nx,w\nz,y\n"));
    assert!(!headed("x,y\nx,w\nz,y\nz,w\n"));
    assert!(headed("0,1,2\n0.5,1.5,a\n2.5,3.5,b\n"));
    assert!(!headed("0.5,1.5,a\n2.5,3.5,b\n"));
    assert!(!headed("NA,1.5,a\n2.5,3.5,b\n"));
    assert!(headed("x,1990,1991,kind\n1.5,2.5,1.5,a\n3.5,4.5,0.5,b\n"));
}

#[test]
fn names_that_come_twice_are_numbered() {
    assert_eq!(names(&found("a,a,,y\n1,2,3,n\n4,5,6,m\n")), ["a", "a_2", "column_3"]);
}

#[test]
fn statistics_come_from_training_rows_alone() {
    let rows: String = (0..50).map(|row| format!("{},{}\n", row * row, f64::from(row) / 4.0)).collect();
    let file = File::new(format!("a,y\n{rows}"));
    let prepared = prepare(&file.path(), &InferOptions::default(), 0.2, 5).unwrap();
    assert_eq!((prepared.train.rows(), prepared.holdout.rows()), (40, 10));
    let Labels::Numbers(numbers) = &prepared.train.labels else { panic!() };
    let mean = numbers.iter().map(|y| f64::from(*y)).sum::<f64>() / 40.0;
    let Task::Regression { mean: found, .. } = prepared.schema.label.task else { panic!() };
    assert!((found - mean).abs() < 1e-9);
    let feature = prepared.train.x.iter().map(|x| f64::from(*x)).sum::<f64>() / 40.0;
    assert!((prepared.scaling.mean[0] - feature).abs() < 1e-9);
    assert_eq!(prepare(&file.path(), &InferOptions::default(), 0.2, 5).unwrap(), prepared);
}

#[test]
fn two_hundred_thousand_rows_take_seconds() {
    let mut text = String::from("a,b,c,d,e,f,g,h,i,j,kind,y\n");
    for row in 0_u32..200_000 {
        for column in 0..10 {
            text += &format!("{}.{},", row.wrapping_mul(2_654_435_761) % 1000, column);
        }
        text += ["red,1\n", "blue,0\n", "green,1\n"][usize::try_from(row % 3).unwrap()];
    }
    let file = File::new(text);
    let start = std::time::Instant::now();
    let prepared = prepare(&file.path(), &InferOptions::default(), 0.2, 0).unwrap();
    assert_eq!((prepared.train.rows(), prepared.train.features), (160_000, 13));
    // 1 s on two idle cores; the bound is for crowded machines.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
