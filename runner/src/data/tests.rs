use super::*;

const BLOOD: &str = "age,pressure,class\n31,120,no\n44,150,yes\n27,110,no\n61,160,yes\n";

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn added(state: &Path, name: &str, text: &str) -> Result<Added> {
    let file = written(state, &format!("{name}.csv"), text);
    add(state, &file, None, None, &InferOptions::default())
}

#[test]
fn a_file_is_copied_listed_and_removed() {
    let state = tempfile::tempdir().unwrap();
    let data = added(state.path(), "Blood Tests", BLOOD).unwrap().data;
    assert_eq!((data.name.as_str(), data.rows), ("blood-tests", 4));
    fs::remove_file(state.path().join("Blood Tests.csv")).unwrap();
    assert_eq!(list(state.path()).unwrap(), [data]);
    assert_eq!(fs::read_to_string(content(state.path(), "blood-tests")).unwrap(), BLOOD);
    remove(state.path(), "blood-tests").unwrap();
    assert_eq!(list(state.path()).unwrap(), []);
    assert!(remove(state.path(), "blood-tests").unwrap_err().to_string().contains("no data set"));
}

#[test]
fn only_the_user_may_read_the_copy() {
    let state = tempfile::tempdir().unwrap();
    added(state.path(), "blood", BLOOD).unwrap();
    let copy = content(state.path(), "blood");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&copy), mode(copy.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn a_taken_name_and_a_dangerous_name_are_refused() {
    let state = tempfile::tempdir().unwrap();
    added(state.path(), "blood", BLOOD).unwrap();
    assert!(added(state.path(), "blood", BLOOD).unwrap_err().to_string().contains("already registered"));
    let file = written(state.path(), "other.csv", BLOOD);
    for name in ["../up", "", "a/b", ".hidden"] {
        let error = add(state.path(), &file, Some(name), None, &InferOptions::default()).unwrap_err();
        assert!(error.to_string().contains("cannot name"), "{error}");
    }
}

#[test]
fn a_bad_file_registers_nothing() {
    let state = tempfile::tempdir().unwrap();
    for (name, text) in [("empty", ""), ("one-class", "a,class\n1,x\n2,x\n"), ("ragged", "a,b,class\n1,2,x\n3,y\n")] {
        assert!(added(state.path(), name, text).is_err(), "{name}");
    }
    assert_eq!(list(state.path()).unwrap(), []);
}

#[test]
fn a_given_schema_must_fit_the_file() {
    let state = tempfile::tempdir().unwrap();
    let schema = added(state.path(), "blood", BLOOD).unwrap().data.schema;
    let file = written(state.path(), "wrong.csv", "age,weight,class\n31,70,no\n44,80,yes\n");
    let error = add(state.path(), &file, None, Some(schema.clone()), &InferOptions::default()).unwrap_err();
    assert!(error.to_string().contains("pressure"), "{error}");
    let file = written(state.path(), "right.csv", "pressure,class,age\n130,no,20\n155,yes,50\n");
    assert_eq!(add(state.path(), &file, None, Some(schema), &InferOptions::default()).unwrap().data.rows, 2);
}

#[test]
fn the_largest_data_set_that_fits_is_chosen() {
    let state = tempfile::tempdir().unwrap();
    let schema = added(state.path(), "small", BLOOD).unwrap().data.schema;
    added(state.path(), "large", &format!("{BLOOD}35,125,no\n58,170,yes\n")).unwrap();
    added(state.path(), "other", "height,class\n1,no\n2,yes\n3,no\n4,yes\n").unwrap();
    let fit = best_fit(state.path(), &schema).unwrap().unwrap();
    assert_eq!((fit.name.as_str(), fit.table.rows()), ("large", 6));
}

#[test]
fn why_nothing_fits_is_said_per_data_set() {
    let state = tempfile::tempdir().unwrap();
    let schema = added(state.path(), "blood", BLOOD).unwrap().data.schema;
    remove(state.path(), "blood").unwrap();
    assert!(best_fit(state.path(), &schema).unwrap().unwrap_err().contains("nothing is registered"));
    added(state.path(), "short", "age,class\n1,no\n2,yes\n3,no\n4,yes\n").unwrap();
    added(state.path(), "label", "age,pressure,sick\n1,2,no\n2,3,yes\n3,4,no\n4,5,yes\n").unwrap();
    added(state.path(), "class", "age,pressure,class\n1,2,maybe\n2,3,yes\n3,4,no\n4,5,maybe\n").unwrap();
    let reason = best_fit(state.path(), &schema).unwrap().unwrap_err();
    for expected in ["short: the column 'pressure' is missing", "label: its label is 'sick'", "no class 'maybe'"] {
        assert!(reason.contains(expected), "{reason}");
    }
}
