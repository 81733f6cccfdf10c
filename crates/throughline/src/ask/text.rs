//! Text in columns of a terminal, where a character may be none, one or two wide.

use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns a text takes.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text in so many columns at most; what is cut off leaves `…`.
pub(super) fn clipped(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut taken = 1;
    for character in text.chars() {
        taken += character.width().unwrap_or(0);
        if taken > columns {
            break;
        }
        cut.push(character);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// The same with spaces behind it to the full width.
pub(super) fn left(text: &str, columns: usize) -> String {
    let text = clipped(text, columns);
    let rest = columns - width(&text);
    text + &" ".repeat(rest)
}

/// The same with spaces before it.
pub(super) fn right(text: &str, columns: usize) -> String {
    let text = clipped(text, columns);
    " ".repeat(columns - width(&text)) + &text
}

/// Words in lines of so many columns at most, except where one word has more.
pub(super) fn wrapped(text: &str, columns: usize) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split(' ') {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines += &line;
            lines.push('\n');
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    lines + &line + "\n"
}

/// What somebody has sent, so that it moves no cursor; further lines are indented.
pub(super) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.trim_end().chars() {
        match character {
            '\n' => safe.push_str("\n    "),
            '\t' => safe.push('\t'),
            control if control.is_control() => {
                let _ = write!(safe, "{}", control.escape_default());
            }
            plain => safe.push(plain),
        }
    }
    safe
}

/// The same on one line: only the first one that says something.
pub(super) fn first_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty()).unwrap_or_default();
    safe(&line.replace('\t', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_columns_it_is_given() {
        assert_eq!(clipped("checkout", 8), "checkout");
        assert_eq!(clipped("checkout", 5), "chec…");
        assert_eq!(clipped("注文を送る", 6), "注文…");
        assert_eq!(clipped("注文を送る", 0), "");
        assert_eq!(left("pay", 5) + "|", "pay  |");
        assert_eq!(right("注", 4), "  注");
        assert_eq!(left("checkout", 4), "che…");
    }

    #[test]
    fn words_are_kept_whole() {
        assert_eq!(wrapped("one two three", 7), "one two\nthree\n");
        assert_eq!(wrapped("a-very-long-word b", 4), "a-very-long-word\nb\n");
    }

    #[test]
    fn what_was_sent_moves_no_cursor() {
        assert_eq!(
            safe("no \u{1b}[2Jmoney\nleft\n"),
            "no \\u{1b}[2Jmoney\n    left"
        );
        assert_eq!(first_line("\n  a\tb\u{7}\nc"), "a b\\u{7}");
    }
}
