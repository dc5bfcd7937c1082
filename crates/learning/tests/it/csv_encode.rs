//! Reading a second file by the schema of a first.

use parity_learning::{
    Error,
    csv::{InferOptions, encode, encode_unlabelled, infer},
    table::Labels,
};
use parity_protocol::schema::Schema;

use crate::csv_infer::{File, found};

fn schema() -> Schema {
    found("id,age,sex,y\n1,10,m,no\n2,20,f,yes\n3,30,f,no\n4,20,m,yes\n").schema
}

fn refused(text: &str, schema: &Schema) -> String {
    let error = encode(&File::new(text).path(), schema).unwrap_err();
    assert!(matches!(error, Error::Schema { .. } | Error::Line { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn columns_are_found_by_name_in_any_order_and_others_ignored() {
    let file = File::new("Y;SEX;extra;AGE\nyes;m;1;1,5\nno;x;2;\n;f;3;7\n");
    let encoded = encode(&file.path(), &schema()).unwrap();
    assert_eq!(encoded.table.x, [1.5, 0.0, 1.0, 20.0, 0.0, 0.0]);
    assert_eq!(encoded.table.labels, Labels::Classes(vec![1, 0]));
    let report = encoded.report.join("\n");
    for part in ["ignored: 'extra'", "1 rows left out", "1 missing cells", "'sex': 1 cells with a value"] {
        assert!(report.contains(part), "'{part}' not in {report}");
    }
}

#[test]
fn without_a_header_columns_are_found_by_position() {
    let expected = [40.0, 0.0, 1.0, 50.0, 1.0, 0.0];
    for text in ["40,m,no\n50,f,yes\n", "no,40,m\nyes,50,f\n"] {
        let encoded = encode(&File::new(text).path(), &schema()).unwrap();
        assert_eq!(encoded.table.x, expected, "{text}");
        assert_eq!(encoded.table.labels, Labels::Classes(vec![0, 1]));
    }
    let plain = encode_unlabelled(&File::new("40,m\n50,f\n").path(), &schema()).unwrap();
    assert_eq!((plain.x, plain.labels, plain.features), (expected.to_vec(), None, 3));
}

#[test]
fn the_schema_of_a_file_without_header_means_positions() {
    let schema = found("5.1,a,3.5,x\n7.0,b,3.2,y\n6.0,a,3.2,y\n6.5,b,3.3,x\n").schema;
    let same = encode(&File::new("1.5,b,2.5,y\n2.5,a,1.5,x\n").path(), &schema).unwrap();
    assert_eq!(same.table.x, [1.5, 0.0, 1.0, 2.5, 2.5, 1.0, 0.0, 1.5]);
    assert_eq!(same.table.labels, Labels::Classes(vec![1, 0]));
    let plain = encode_unlabelled(&File::new("1.5,b,2.5\n2.5,a,1.5\n").path(), &schema).unwrap();
    assert_eq!((plain.x, plain.labels), (same.table.x, None));
}

#[test]
fn numeric_classes_match_however_they_are_written() {
    let schema = found("a,y\n1.5,0\n2.5,1\n3.5,1\n").schema;
    let encoded = encode(&File::new("a,y\n1.5,1.0\n2.5,0.0\n").path(), &schema).unwrap();
    assert_eq!(encoded.table.labels, Labels::Classes(vec![1, 0]));
}

#[test]
fn rows_to_predict_keep_their_number_and_their_labels_where_known() {
    let with = |text: &str| encode_unlabelled(&File::new(text).path(), &schema()).unwrap();
    assert_eq!(with("age,sex,y\n1,m,no\n2,f,yes\n").labels, Some(Labels::Classes(vec![0, 1])));
    let partly = with("age,sex,y\n1,m,no\n2,f,\n");
    assert_eq!((partly.rows(), partly.labels), (2, None));
    assert_eq!(with("age,sex,y\n1,m,other\n2,f,no\n").labels, None);
}

#[test]
fn what_does_not_fit_is_refused_with_the_remedy() {
    let schema = schema();
    let says = |text: &str, parts: &[&str]| {
        let message = refused(text, &schema);
        assert!(parts.iter().all(|part| message.contains(part)), "{parts:?} not in: {message}");
    };
    says("age,gender,y\n1,m,no\n2,f,yes\n", &["missing columns 'sex'", "'gender'"]);
    says("age,sex\n1,m\n2,f\n", &["label column 'y' is missing"]);
    says("age,sex,y\n1,m,no\ntwo,f,yes\n", &["line 3", "'two'", "'age'"]);
    says("age,sex,y\n1,m,no\ninf,f,yes\n", &["line 3", "'inf'"]);
    says("age,sex,y\n1,m,no\n2,f,maybe\n", &["line 3", "'maybe'", "'no', 'yes'"]);
    says("age,sex,y\n1,m,\n2,f,\n", &["no row has a value", "'y'"]);
    says("40,m,no,7\n50,f,yes,8\n", &["4 columns, expected 2 features", "header line"]);
}

#[test]
fn encoding_the_file_of_the_schema_gives_the_same_rows_as_preparing_it() {
    let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/data");
    let path = folder.join("healthcare_data.csv");
    let schema = infer(&path, &InferOptions::default()).unwrap().schema;
    let encoded = encode(&path, &schema).unwrap().table;
    let prepared = parity_learning::csv::prepare(&path, &InferOptions::default(), 0.0, 0).unwrap();
    assert_eq!(encoded, prepared.train);
    assert_eq!((encoded.rows(), encoded.features), (569, 30));
}
