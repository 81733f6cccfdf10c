//! One line of StatsD.
//!
//! ```text
//! name:value[:value…]|type[|@rate][|#key:value,key][|c:container][|Tseconds]
//! _e{title bytes,text bytes}:title|text[|d:seconds][|h:host][|p:priority][|t:kind][|k:key][|s:source][|#tags]
//! _sc|name|status[|d:seconds][|h:host][|#tags][|m:message]
//! ```

use throughline_telemetry::UnixNanos;

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Line<'a> {
    /// Some values of a metric.
    Metric(Metric<'a>),
    /// Something happened.
    Event(Event<'a>),
    /// Something is well, or not.
    Check(Check<'a>),
}

/// Some values of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its values, at least one.
    pub values: Values<'a>,
    /// How much of what happened was sent: above 0, at most 1.
    pub rate: f64,
    /// What it is about.
    pub about: About<'a>,
}

/// The values of a metric, by its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Values<'a> {
    /// `c`: add these.
    Count(Vec<f64>),
    /// `g`: it is, or it changed by.
    Gauge(Vec<Gauge>),
    /// `ms`: milliseconds.
    Timing(Vec<f64>),
    /// `h` and `d`: anything that is measured many times.
    Histogram(Vec<f64>),
    /// `s`: count the different ones.
    Set(&'a str),
}

/// One value of a gauge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gauge {
    /// It is now.
    Is(f64),
    /// Written with a sign: it changed by.
    By(f64),
}

/// What describes a metric, event or check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About<'a> {
    /// Tags as written, `key:value` or `key`.
    pub tags: Vec<&'a str>,
    /// Id of a container.
    pub container: Option<&'a str>,
    /// When, if the line says so.
    pub time: Option<UnixNanos>,
    /// Where.
    pub host: Option<&'a str>,
}

/// Something happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event<'a> {
    /// In short.
    pub title: &'a str,
    /// In full; a line break is written as `\n`.
    pub text: &'a str,
    /// `error`, `warning`, `info` or `success`.
    pub kind: Option<&'a str>,
    /// `normal` or `low`.
    pub priority: Option<&'a str>,
    /// What it can be grouped by.
    pub key: Option<&'a str>,
    /// Who tells of it.
    pub source: Option<&'a str>,
    /// Where, when and about what.
    pub about: About<'a>,
}

/// Something is well, or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Check<'a> {
    /// What is checked.
    pub name: &'a str,
    /// 0 well, 1 warning, 2 critical, 3 unknown.
    pub status: u8,
    /// More about it.
    pub message: Option<&'a str>,
    /// Where, when and about what.
    pub about: About<'a>,
}

/// A line that is none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no line of StatsD")]
pub struct BadLine;

/// The lines of a datagram, empty ones left out.
pub fn lines(datagram: &[u8]) -> impl Iterator<Item = Result<Line<'_>, BadLine>> {
    let lines = datagram
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii);
    lines
        .filter(|line| !line.is_empty())
        .map(|line| read(std::str::from_utf8(line).map_err(|_| BadLine)?))
}

/// Reads one line.
///
/// # Errors
/// [`BadLine`], also when only a part of it cannot be read.
pub fn read(line: &str) -> Result<Line<'_>, BadLine> {
    if let Some(rest) = line.strip_prefix("_e{") {
        return event(rest).map(Line::Event);
    }
    match line.strip_prefix("_sc|") {
        Some(rest) => check(rest).map(Line::Check),
        None => metric(line).map(Line::Metric),
    }
}

fn metric(line: &str) -> Result<Metric<'_>, BadLine> {
    let mut parts = line.split('|');
    let (name, values) = parts
        .next()
        .and_then(|part| part.split_once(':'))
        .ok_or(BadLine)?;
    let values = match parts.next().ok_or(BadLine)? {
        "c" => Values::Count(numbers(values)?),
        "g" => Values::Gauge(values.split(':').map(gauge).collect::<Result<_, _>>()?),
        "ms" => Values::Timing(numbers(values)?),
        "h" | "d" => Values::Histogram(numbers(values)?),
        "s" if !values.is_empty() => Values::Set(values),
        _ => return Err(BadLine),
    };
    let (mut rate, mut about) = (1.0, About::default());
    for part in parts {
        match part.strip_prefix('@') {
            Some(text) => rate = number(text)?,
            None => about.read(part)?,
        }
    }
    if name.is_empty() || !(rate > 0.0 && rate <= 1.0) {
        return Err(BadLine);
    }
    Ok(Metric {
        name,
        values,
        rate,
        about,
    })
}

fn event(rest: &str) -> Result<Event<'_>, BadLine> {
    let (lengths, rest) = rest.split_once("}:").ok_or(BadLine)?;
    let (title, text) = lengths.split_once(',').ok_or(BadLine)?;
    let (title, rest) = cut(rest, title)?;
    let (text, rest) = cut(rest.strip_prefix('|').ok_or(BadLine)?, text)?;
    let mut event = Event {
        title,
        text,
        ..Event::default()
    };
    let rest = match rest {
        "" => return Ok(event),
        rest => rest.strip_prefix('|').ok_or(BadLine)?,
    };
    for part in rest.split('|') {
        match part.split_once(':') {
            Some(("t", kind)) => event.kind = Some(kind),
            Some(("p", priority)) => event.priority = Some(priority),
            Some(("k", key)) => event.key = Some(key),
            Some(("s", source)) => event.source = Some(source),
            _ => event.about.read(part)?,
        }
    }
    Ok(event)
}

/// The first so many bytes, if they end between two characters.
fn cut<'a>(text: &'a str, bytes: &str) -> Result<(&'a str, &'a str), BadLine> {
    let bytes = bytes.parse().map_err(|_| BadLine)?;
    text.split_at_checked(bytes).ok_or(BadLine)
}

fn check(rest: &str) -> Result<Check<'_>, BadLine> {
    // The message is last and may hold anything.
    let (rest, message) = match rest.split_once("|m:") {
        Some((rest, message)) => (rest, Some(message)),
        None => (rest, None),
    };
    let mut parts = rest.split('|');
    let name = parts
        .next()
        .filter(|name| !name.is_empty())
        .ok_or(BadLine)?;
    let status = match parts.next() {
        Some("0") => 0,
        Some("1") => 1,
        Some("2") => 2,
        Some("3") => 3,
        _ => return Err(BadLine),
    };
    let mut about = About::default();
    for part in parts {
        about.read(part)?;
    }
    Ok(Check {
        name,
        status,
        message,
        about,
    })
}

impl<'a> About<'a> {
    /// Fields that are not known are skipped: later versions of the protocol add some.
    fn read(&mut self, part: &'a str) -> Result<(), BadLine> {
        if let Some(tags) = part.strip_prefix('#') {
            let tags = tags.split(',').filter(|tag| !tag.is_empty());
            self.tags.extend(tags);
        } else if let Some(container) = part.strip_prefix("c:") {
            self.container = Some(container);
        } else if let Some(host) = part.strip_prefix("h:") {
            self.host = Some(host);
        } else if let Some(seconds) = part.strip_prefix("d:").or(part.strip_prefix('T')) {
            let seconds: u64 = seconds.parse().map_err(|_| BadLine)?;
            self.time = Some(UnixNanos::from_millis(seconds.saturating_mul(1000)));
        } else if part.is_empty() {
            return Err(BadLine);
        }
        Ok(())
    }
}

fn numbers(values: &str) -> Result<Vec<f64>, BadLine> {
    values.split(':').map(number).collect()
}

fn gauge(value: &str) -> Result<Gauge, BadLine> {
    let number = number(value)?;
    Ok(match value.starts_with(['+', '-']) {
        true => Gauge::By(number),
        false => Gauge::Is(number),
    })
}

/// A finite number. Several with commas between them are no number: that is a client's mistake.
fn number(text: &str) -> Result<f64, BadLine> {
    let number: f64 = text.parse().map_err(|_| BadLine)?;
    number.is_finite().then_some(number).ok_or(BadLine)
}
