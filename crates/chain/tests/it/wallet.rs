//! Keystores, and that `cast wallet` and we read each other's.

use std::process::Command;

use parity_chain::{Error, Wallet};

/// Runs cast, which script/setup installs with anvil.
fn cast(arguments: &[&str]) -> String {
    let output = Command::new("cast").args(arguments).output().expect("cast is installed with anvil by script/setup");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_wallet_is_found_again_with_its_password_alone() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = Wallet::create(folder.path(), "alice", "secret").unwrap();
    let path = folder.path().join("alice");
    assert_eq!(Wallet::load(&path, "secret").unwrap().address(), wallet.address());
    let error = Wallet::load(&path, "wrong").unwrap_err();
    assert!(error.to_string().contains("the password is wrong"), "{error}");
    let listed = Wallet::list(folder.path()).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].name.as_str(), listed[0].address), ("alice", Some(wallet.address())));
}

#[cfg(unix)]
#[test]
fn a_keystore_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    Wallet::create(folder.path(), "alice", "secret").unwrap();
    let mode = std::fs::metadata(folder.path().join("alice")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_taken_name_a_path_and_a_bad_key_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    Wallet::create(folder.path(), "alice", "secret").unwrap();
    for (name, key) in [("alice", "11".repeat(32)), ("../bob", "11".repeat(32)), ("bob", "xyz".to_owned())] {
        let error = Wallet::import(folder.path(), name, &key, "secret").unwrap_err();
        assert!(matches!(error, Error::Keystore { .. }), "{error}");
    }
    assert_eq!(Wallet::list(folder.path()).unwrap().len(), 1);
    let error = Wallet::load(&folder.path().join("nobody"), "secret").unwrap_err();
    assert!(error.to_string().contains("parity wallet new"), "{error}");
}

#[test]
fn cast_reads_our_keystore_and_we_read_its() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_string_lossy().into_owned();
    let ours = Wallet::create(folder.path(), "ours", "secret").unwrap();
    let told = cast(&["wallet", "address", "--keystore", &format!("{place}/ours"), "--password", "secret"]);
    assert_eq!(told, ours.address().to_checksum(None));

    let key = format!("0x{}", "42".repeat(32));
    cast(&[
        "wallet",
        "import",
        "theirs",
        "--keystore-dir",
        &place,
        "--private-key",
        &key,
        "--unsafe-password",
        "secret",
    ]);
    let theirs = Wallet::load(&folder.path().join("theirs"), "secret").unwrap();
    assert_eq!(theirs.address().to_checksum(None), cast(&["wallet", "address", "--private-key", &key]));
}
