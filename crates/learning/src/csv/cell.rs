//! What the text of one cell means.

/// Texts that people and programs write for "no value".
const MISSING: [&str; 14] =
    ["", "?", "NA", "na", "N/A", "n/a", "#N/A", "NaN", "nan", "NAN", "NULL", "null", "Null", "None"];

/// Names of infinity, without sign, in lower case.
const INFINITE: [&str; 2] = ["inf", "infinity"];

/// A cell of a column that may be numeric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    /// No value.
    Missing,
    /// A finite number that fits f32.
    Number(f64),
    /// Infinite, or too large for f32.
    NotFinite,
    /// Anything else.
    Text,
}

/// Whether the trimmed text stands for "no value".
pub(crate) fn is_missing(text: &str) -> bool {
    text.len() <= 4 && MISSING.contains(&text)
}

/// Reads a trimmed text. With `decimal_comma`, `1.234,5` is 1234.5.
pub(crate) fn parse(text: &str, decimal_comma: bool) -> Cell {
    if is_missing(text) {
        return Cell::Missing;
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.' || (decimal_comma && c == ',')) {
        let infinite = INFINITE.iter().any(|name| digits.eq_ignore_ascii_case(name));
        return if infinite { Cell::NotFinite } else { Cell::Text };
    }
    let number = if decimal_comma && text.contains(',') {
        let Some((whole, rest)) = text.split_once(',') else { return Cell::Text };
        if !whole.contains('.') || is_grouped(whole.trim_start_matches(['+', '-'])) {
            format!("{}.{rest}", whole.replace('.', "")).parse::<f64>()
        } else {
            return Cell::Text;
        }
    } else if decimal_comma && is_grouped(digits) {
        text.replace('.', "").parse()
    } else {
        text.parse()
    };
    match number {
        Ok(number) if number.abs() <= f64::from(f32::MAX) => Cell::Number(number),
        Ok(_) => Cell::NotFinite,
        Err(_) => Cell::Text,
    }
}

/// Whether the digits are grouped by dots in thousands: `1.234.567`.
pub(crate) fn is_grouped(digits: &str) -> bool {
    let mut groups = digits.split('.');
    let all_digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()) && all_digits(group));
    let mut rest = groups.peekable();
    first && rest.peek().is_some() && rest.all(|group| group.len() == 3 && all_digits(group))
}

/// Whether the text is a number with a decimal comma.
pub(crate) fn has_decimal_comma(text: &str) -> bool {
    text.contains(',') && matches!(parse(text, true), Cell::Number(_))
}

/// Whether the text is a number with a decimal point that cannot be a dot between thousands.
pub(crate) fn has_decimal_point(text: &str) -> bool {
    text.contains('.')
        && matches!(parse(text, false), Cell::Number(_))
        && !is_grouped(text.trim_start_matches(['+', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_the_ways_people_write_them() {
        for (text, value) in [("1", 1.0), ("-2.5", -2.5), ("+3e2", 300.0), (".5", 0.5), ("5.", 5.0), ("1E-3", 0.001)] {
            assert_eq!(parse(text, false), Cell::Number(value), "{text}");
        }
        for (text, value) in
            [("1,5", 1.5), ("-1.234,5", -1234.5), ("1.234", 1234.0), ("1.5", 1.5), (",5", 0.5), ("7", 7.0)]
        {
            assert_eq!(parse(text, true), Cell::Number(value), "{text}");
        }
    }

    #[test]
    fn missing_infinite_and_text_are_told_apart() {
        for text in ["", "NA", "n/a", "NaN", "nan", "null", "?", "None"] {
            assert_eq!(parse(text, false), Cell::Missing, "{text}");
        }
        for text in ["inf", "-Infinity", "INF", "1e39", "-1e400"] {
            assert_eq!(parse(text, false), Cell::NotFinite, "{text}");
        }
        for text in ["abc", "1,5", "1.2.3", "0x10", "-", "$5", "12 kg", "none", "12,3,4"] {
            assert_eq!(parse(text, false), Cell::Text, "{text}");
        }
        assert_eq!(parse("12.34,5", true), Cell::Text);
    }
}
