//! What a job prints: counted, and only its end kept.

use std::collections::VecDeque;

use super::{
    Error, Result,
    limits::{LOG_BYTES, LOG_TAIL},
};

/// The end of what a job printed.
#[derive(Debug, Default)]
pub(crate) struct Log {
    tail: VecDeque<u8>,
    total: u64,
}

impl Log {
    /// Adds text; an error once there is too much of it.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.total = self.total.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let kept = &bytes[bytes.len().saturating_sub(LOG_TAIL)..];
        let excess = (self.tail.len() + kept.len()).saturating_sub(LOG_TAIL);
        self.tail.drain(..excess);
        self.tail.extend(kept);
        if self.total > LOG_BYTES {
            return Err(Error::LogTooLarge { limit: LOG_BYTES, log: self.text() });
        }
        Ok(())
    }

    /// The end as one line of printable text: it comes from code that is not trusted and goes to a terminal.
    pub(crate) fn text(&self) -> String {
        let bytes: Vec<u8> = self.tail.iter().copied().collect();
        let text: String = String::from_utf8_lossy(&bytes)
            .chars()
            .map(|c| if c == '\n' { ' ' } else { c })
            .filter(|c| !c.is_control())
            .collect();
        let text = text.trim();
        if text.is_empty() { "it printed nothing".into() } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_kept_and_control_characters_are_dropped() {
        let mut log = Log::default();
        log.push(&[b'a'; 5000]).unwrap();
        log.push(b"\x1b[31mlast\nline\n").unwrap();
        let text = log.text();
        assert!(text.ends_with("[31mlast line"), "{text}");
        assert!(text.len() <= LOG_TAIL);
    }

    #[test]
    fn a_flood_is_an_error_that_names_the_limit() {
        let mut log = Log::default();
        let error = (0..3000).find_map(|_| log.push(&[b'x'; 1024]).err()).unwrap();
        assert!(error.to_string().contains("1048576 bytes"), "{error}");
    }
}
