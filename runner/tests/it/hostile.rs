//! Trainers that a test can rely on to behave badly (or well): shell scripts under a static busybox, as programs for the
//! process sandbox and as images for the Docker sandbox. Arguments as for the real one: job folder, output folder.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Echoes the starting model as the update and the number of rows as its result.
pub(crate) const HONEST: &str = r#"
rows=$(head -c 300 "$1/data.safetensors" | tr -cd ' -~' | sed 's/.*"shape":\[\([0-9]*\)\].*/\1/')
[ -s "$1/job.json" ] && [ -n "$rows" ] || exit 2
[ ! -f "$1/model.safetensors" ] || cat "$1/model.safetensors" >"$2/update.safetensors"
echo "{\"samples\":$rows,\"metrics\":{\"samples\":$rows,\"loss\":0.5,\"accuracy\":0.9,\"r2\":null,\"mae\":null},\"determinism\":\"processor\",\"seconds\":0.01}" >"$2/result.json"
"#;

/// A static busybox: `PARITY_BUSYBOX`, or where Debian puts it.
pub(crate) fn busybox() -> PathBuf {
    let candidates = std::env::var_os("PARITY_BUSYBOX").map(PathBuf::from).into_iter();
    let candidates = candidates.chain(["/usr/bin/busybox", "/bin/busybox"].map(PathBuf::from));
    let found = candidates.into_iter().find(|path| path.is_file());
    found.expect("these tests need a static busybox: run script/setup, or set PARITY_BUSYBOX")
}

/// Writes a script as a program into `folder`.
pub(crate) fn program(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("trainer");
    write_program(&path, &format!("#!{} sh\n{script}", busybox().display()));
    path
}

/// An image whose entry point is a script; removed with this value. Nothing but busybox is in it: its shell runs its own applets.
pub(crate) struct Image {
    pub(crate) id: String,
}

impl Image {
    pub(crate) fn of(script: &str) -> Self {
        let root = TempDir::new().unwrap();
        for folder in ["bin", "job", "out", "tmp"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        fs::copy(busybox(), root.path().join("bin/busybox")).unwrap();
        fs::set_permissions(root.path().join("bin/busybox"), fs::Permissions::from_mode(0o755)).unwrap();
        write_program(&root.path().join("trainer"), &format!("#!/bin/busybox sh\n{script}"));
        let mut tar =
            Command::new("tar").arg("-C").arg(root.path()).args(["-c", "."]).stdout(Stdio::piped()).spawn().unwrap();
        let import = Command::new("docker")
            .args(["import", "--change", r#"ENTRYPOINT ["/trainer"]"#, "-"])
            .stdin(tar.stdout.take().unwrap())
            .output()
            .unwrap();
        assert!(tar.wait().unwrap().success());
        assert!(import.status.success(), "docker import: {}", String::from_utf8_lossy(&import.stderr));
        Self { id: String::from_utf8(import.stdout).unwrap().trim().to_owned() }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // Fails where a container of a test that was killed still uses it; nothing depends on it.
        Command::new("docker").args(["rmi", "--force", &self.id]).output().ok();
    }
}

fn write_program(path: &Path, text: &str) {
    let mut file = fs::File::create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
