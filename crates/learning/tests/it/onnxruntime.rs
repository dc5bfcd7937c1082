//! Models in the real onnxruntime, started in the Python environment that `script/setup` installs. The command line's tests
//! include this file.

use std::{env, fs, process::Command};

use serde_json::Value;

/// What runs there.
const SCRIPT: &str = include_str!("../onnxruntime.py");

/// What onnxruntime answers about rows: for every model an object of the values of its outputs, row by row, `types` (element
/// type and shape of input and outputs) and `properties` (of the file). A model is an ONNX file with encoded features
/// `[rows, features]`.
pub(crate) fn run(models: &[(Vec<u8>, &[f32])]) -> Vec<Value> {
    let python = env::var("PARITY_ONNX_PYTHON").expect(
        "PARITY_ONNX_PYTHON names a Python with onnxruntime: run script/setup, then 'source script/lib/env.sh'",
    );
    let folder = tempfile::tempdir().unwrap();
    let file = |number: usize, kind: &str| folder.path().join(format!("{number:03}.{kind}"));
    for (number, (model, rows)) in models.iter().enumerate() {
        fs::write(file(number, "onnx"), model).unwrap();
        fs::write(file(number, "rows"), rows.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>()).unwrap();
    }
    let output = Command::new(python).args(["-c", SCRIPT]).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |number| serde_json::from_slice(&fs::read(file(number, "json")).unwrap()).unwrap();
    (0..models.len()).map(read).collect()
}
