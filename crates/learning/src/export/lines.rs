//! How JSON is laid out: a line for each member of an object and for each object of a list; lists of numbers stay on one line.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// The layout.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: Vec<Open>,
    indent: usize,
}

/// What is open at a place of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// An object with a line for each member.
    Lines,
    /// An object in a list, on one line.
    Line,
    /// A list, so far on one line.
    List,
    /// A list of objects.
    ListOfObjects,
}

impl Lines {
    fn new_line(&self, writer: &mut (impl Write + ?Sized)) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.indent).try_for_each(|_| writer.write_all(b"  "))
    }

    fn is_line(&self) -> bool {
        self.open.last() == Some(&Open::Line)
    }

    fn close(&mut self, writer: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        if matches!(self.open.pop(), Some(Open::Lines | Open::ListOfObjects)) {
            self.indent -= 1;
            self.new_line(writer)?;
        }
        writer.write_all(bracket)
    }
}

impl Formatter for Lines {
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let kind = match self.open.last_mut() {
            Some(list @ (Open::List | Open::ListOfObjects)) => {
                if *list == Open::List {
                    *list = Open::ListOfObjects;
                    self.indent += 1;
                }
                self.new_line(writer)?;
                Open::Line
            }
            Some(Open::Line) => Open::Line,
            Some(Open::Lines) | None => {
                self.indent += 1;
                Open::Lines
            }
        };
        self.open.push(kind);
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(if self.is_line() { b", " } else { b"," })?;
        }
        if self.is_line() { Ok(()) } else { self.new_line(writer) }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.push(Open::List);
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::{json, ser::Serializer};

    use super::*;

    #[test]
    fn objects_get_lines_and_numbers_share_one() {
        let value =
            json!({ "a": [1, 2.5], "b": [{ "c": 1, "d": [[0, 3], []] }, { "e": [{ "f": null }] }], "g": { "h": "x" } });
        let mut bytes = Vec::new();
        value.serialize(&mut Serializer::with_formatter(&mut bytes, Lines::default())).unwrap();
        let expected = r#"{
  "a": [1,2.5],
  "b": [
    {"c": 1, "d": [[0,3],[]]},
    {"e": [
      {"f": null}
    ]}
  ],
  "g": {
    "h": "x"
  }
}"#;
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
