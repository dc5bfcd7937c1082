//! Files that cannot be used: each error names the value and what to do.

use parity_learning::{
    Error,
    csv::{InferOptions, TaskKind, encode, encode_unlabelled, infer, prepare},
};
use proptest::prelude::*;

use crate::csv_infer::File;

fn refused(text: impl AsRef<[u8]>) -> String {
    infer(&File::new(text).path(), &InferOptions::default()).unwrap_err().to_string()
}

fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "'{part}' not in: {message}");
    }
}

#[test]
fn a_file_that_is_not_there() {
    let error = infer("/nowhere/data.csv".as_ref(), &InferOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Read { .. }));
}

#[test]
fn an_empty_file_and_a_lonely_header() {
    says(&refused(""), &["empty"]);
    says(&refused("\n \n"), &["empty"]);
    says(&refused("a,b,y\n"), &["no row"]);
    says(&refused(";;\n;;\n"), &["every cell is empty"]);
}

#[test]
fn one_column_or_no_text() {
    says(&refused("1\n2\n3\n"), &["only one column"]);
    says(&refused([0xff, 0xfe, b'a', 0, b',', 0]), &["UTF-16", "UTF-8"]);
}

#[test]
fn a_ragged_row_with_its_line() {
    says(&refused("a,b,y\n1,2,x\n\n3,4\n5,6,z\n"), &["line 4", "2 cells", "has 3"]);
    says(&refused("a,b,y\r\n\r\n1,\"2\r\n\",x\r\n3,4\r\n5,6,z\r\n"), &["line 5", "2 cells"]);
    says(&refused("sep=,\na,b,y\n1,2,x\n3,4,5,6\n5,6,z\n"), &["line 4", "4 cells", "quotes"]);
}

#[test]
fn infinite_numbers_and_stray_texts_with_line_column_and_remedy() {
    says(&refused("a,y\n1,x\ninf,z\n2,x\n"), &["line 3", "'inf'", "'a'", "leave it empty"]);
    says(&refused("a,y\n1,x\n1e39,z\n2,x\n"), &["line 3", "'1e39'"]);
    let rows: String = (0..40).map(|row| format!("{row}.5,{}\n", row % 2)).collect();
    says(&refused(format!("a,y\n{rows}oops,1\n")), &["line 42", "'oops'", "'a'", "40 other cells"]);
    says(
        &refused(format!("y,a\n{}", rows.replace(",", ",0").replace("7.5", "seven"))),
        &["'seven'", "--task classification"],
    );
}

#[test]
fn one_class_only() {
    says(&refused("a,y\n1,x\n2,x\n3,\n"), &["one class only", "'x'", "--label"]);
    says(&refused("a,y\n1,0\n2,0\n"), &["one class only"]);
}

#[test]
fn a_numeric_label_that_never_changes() {
    let options = InferOptions { task: Some(TaskKind::Regression), ..InferOptions::default() };
    let message = infer(&File::new("a,y\n1,5\n2,5\n").path(), &options).unwrap_err().to_string();
    says(&message, &["'y' is 5 in every row", "--label"]);
}

#[test]
fn too_many_classes() {
    let rows: String = (0..60).map(|row| format!("{row}.5,name{row}\n")).collect();
    says(&refused(format!("a,y\n{rows}")), &["60 distinct values", "--label"]);
}

#[test]
fn a_label_that_is_not_there() {
    let options = InferOptions { label: Some("diagnosis".into()), ..InferOptions::default() };
    let message = infer(&File::new("a,b\n1,2\n3,4\n").path(), &options).unwrap_err().to_string();
    says(&message, &["'diagnosis'", "'a', 'b'"]);
}

#[test]
fn no_column_beside_the_label() {
    says(&refused("id,y\n1,a\n2,b\n"), &["no usable column", "'y'"]);
}

#[test]
fn what_can_be_read_in_two_ways_asks_for_one_flag() {
    says(&refused("label,target,a\n1,2,3\n4,5,6\n"), &["--label label|target"]);
    let rows: String = (0..60).map(|row| format!("{row}.5,{}\n", 3 + row % 6)).collect();
    says(
        &refused(format!("a,quality\n{rows}")),
        &["6 distinct whole numbers from 3 to 8", "--task classification|regression"],
    );
    let rows: String = (0..60).map(|row| format!("{},{row}.5,{row}.25\n", ["M", "B"][row % 2])).collect();
    says(&refused(rows), &["--label column_1|column_3"]);
}

#[test]
fn a_holdout_that_would_be_empty() {
    let file = File::new("a,y\n1,x\n2,z\n");
    let message = prepare(&file.path(), &InferOptions::default(), 0.1, 0).unwrap_err().to_string();
    says(&message, &["0.1 of 2 rows"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever the bytes: an answer or an error, and what is inferred can be encoded again.
    #[test]
    fn no_file_makes_it_panic(text in "[a-c0-2,;|\t\r\n\" .?-]{0,80}|(([a-c0-9.]{0,3}[,;]){2,3}[xy01]?\n){1,12}") {
        let file = File::new(&text);
        let Ok(inferred) = infer(&file.path(), &InferOptions::default()) else { return Ok(()) };
        prop_assert!(inferred.schema.validate().is_ok());
        if let Ok(encoded) = encode(&file.path(), &inferred.schema) {
            prop_assert_eq!(encoded.table.x.len(), encoded.table.rows() * inferred.schema.features());
        }
        let _ = encode_unlabelled(&file.path(), &inferred.schema);
        let _ = prepare(&file.path(), &InferOptions::default(), 0.3, 1);
    }
}
