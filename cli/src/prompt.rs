//! Questions to a person at a terminal.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
};

use anyhow::{Context, bail};

/// Asks a yes-or-no question; no terminal means an error that names the flag.
pub(crate) fn confirm(question: &str) -> anyhow::Result<bool> {
    let answer = ask(question, "--yes")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Asks for a line; `instead` is the flag that makes the question unnecessary.
fn ask(question: &str, instead: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        bail!("there is no terminal to ask '{}'; use {instead}", question.trim());
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

/// Asks for a password without showing it.
pub(crate) fn password(question: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        bail!("there is no terminal to ask for the password; use --password-file FILE");
    }
    Ok(rpassword::prompt_password(format!("{question}: "))?)
}

/// The password from a file (one trailing newline is cut) or from the terminal.
pub(crate) fn password_or_file(file: Option<&Path>, question: &str) -> anyhow::Result<String> {
    match file {
        Some(file) => {
            let text = fs::read_to_string(file).with_context(|| format!("reading password file {}", file.display()))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        None => password(question),
    }
}
