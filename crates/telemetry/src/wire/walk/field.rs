//! The fields of one message, as prost reads them.

use crate::model::{BadId, Signal};
use crate::wire::WireError;

/// How deeply messages may be nested, which is where prost stops as well.
pub(super) const DEPTH_MAX: u32 = 100;

/// What is wrong with a body, and where.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) flaw: Flaw,
    /// The names of the fields on the way to it, innermost first.
    path: Vec<String>,
}

/// What is wrong.
#[derive(Debug, PartialEq)]
pub(super) enum Flaw {
    /// Not protobuf, or not of this type.
    Malformed(&'static str),
    /// An id that is none.
    Id(BadId),
    /// A message that should be there once is there again: to be merged.
    Repeated,
    /// More than may be held in memory.
    TooHeavy,
}

impl From<Flaw> for Fault {
    #[cold]
    fn from(flaw: Flaw) -> Self {
        Fault {
            flaw,
            path: Vec::new(),
        }
    }
}

impl Fault {
    /// The same fault as seen from the message that has this field.
    #[cold]
    pub(super) fn within(mut self, field: impl Into<String>) -> Self {
        self.path.push(field.into());
        self
    }

    pub(super) fn told(self, signal: Signal, memory_bytes_max: usize) -> WireError {
        let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        let path = path.join(".");
        match self.flaw {
            Flaw::Malformed(what) => WireError::Malformed { signal, path, what },
            Flaw::Repeated => WireError::Malformed {
                signal,
                path,
                what: "it is there twice",
            },
            Flaw::Id(source) => WireError::Id { path, source },
            Flaw::TooHeavy => WireError::TooHeavy { memory_bytes_max },
        }
    }
}

/// Names the field in which something went wrong.
pub(super) trait Within<T> {
    /// In a field of this name.
    fn within(self, field: &str) -> Result<T, Fault>;

    /// In one item of a repeated field of this name.
    fn within_item(self, field: &str, item: usize) -> Result<T, Fault>;
}

impl<T> Within<T> for Result<T, Fault> {
    fn within(self, field: &str) -> Result<T, Fault> {
        self.map_err(|fault| fault.within(field))
    }

    fn within_item(self, field: &str, item: usize) -> Result<T, Fault> {
        self.map_err(|fault| fault.within(format!("{field}[{item}]")))
    }
}

/// The value of a field, by wire type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
    /// A group, which no message of OTLP has. It was skipped.
    Group,
}

/// The fields of one message, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    /// How many messages may still be nested in this one.
    depth_left: u32,
}

impl<'a> Fields<'a> {
    /// The fields of a whole body.
    pub(super) fn of_body(body: &'a [u8]) -> Self {
        Fields {
            rest: body,
            depth_left: DEPTH_MAX,
        }
    }

    /// The fields of a message in a field of this one.
    pub(super) fn of(&self, field: Wire<'a>) -> Result<Self, Fault> {
        let rest = field.bytes()?;
        let depth_left = self.depth_left.checked_sub(1);
        let depth_left = depth_left.ok_or(Flaw::Malformed("messages are nested too deeply"))?;
        Ok(Fields { rest, depth_left })
    }

    /// The next field: its number and value. `None` at the end.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<(u32, Wire<'a>)>, Fault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = key(&mut self.rest)?;
        let value = match wire_type {
            0 => Wire::Varint(varint(&mut self.rest)?),
            1 => Wire::Fixed64(u64::from_le_bytes(array(&mut self.rest)?)),
            2 => Wire::Bytes(delimited(&mut self.rest)?),
            3 => {
                skip_group(&mut self.rest, number, self.depth_left)?;
                Wire::Group
            }
            5 => Wire::Fixed32(u32::from_le_bytes(array(&mut self.rest)?)),
            _ => return Err(Flaw::Malformed("an unknown wire type").into()),
        };
        Ok(Some((number, value)))
    }

    /// A field that is not known, which counts as nested for prost.
    #[inline]
    pub(super) fn skip(&self) -> Result<(), Fault> {
        match self.depth_left {
            0 => Err(Flaw::Malformed("messages are nested too deeply").into()),
            _ => Ok(()),
        }
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Wire<'a> {
    #[inline]
    pub(super) fn bytes(self) -> Result<&'a [u8], Fault> {
        match self {
            Wire::Bytes(bytes) => Ok(bytes),
            _ => Err(wrong_type()),
        }
    }

    #[inline]
    pub(super) fn text(self) -> Result<&'a str, Fault> {
        let text = std::str::from_utf8(self.bytes()?);
        text.map_err(|_| Flaw::Malformed("not UTF-8").into())
    }

    #[inline]
    pub(super) fn varint(self) -> Result<u64, Fault> {
        match self {
            Wire::Varint(number) => Ok(number),
            _ => Err(wrong_type()),
        }
    }

    /// Of 32 bits; protobuf drops the others.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what protobuf says of integers that are too long"
    )]
    pub(super) fn int32(self) -> Result<i32, Fault> {
        self.varint().map(|number| number as i32)
    }

    #[inline]
    pub(super) fn fixed64(self) -> Result<u64, Fault> {
        match self {
            Wire::Fixed64(number) => Ok(number),
            _ => Err(wrong_type()),
        }
    }

    #[inline]
    pub(super) fn double(self) -> Result<f64, Fault> {
        self.fixed64().map(f64::from_bits)
    }

    #[inline]
    pub(super) fn fixed32(self) -> Result<u32, Fault> {
        match self {
            Wire::Fixed32(number) => Ok(number),
            _ => Err(wrong_type()),
        }
    }
}

#[cold]
fn wrong_type() -> Fault {
    Flaw::Malformed("the wrong wire type").into()
}

#[cold]
fn cut() -> Fault {
    Flaw::Malformed("cut off").into()
}

/// Skips the fields of a group and its end.
fn skip_group(rest: &mut &[u8], group: u32, depth_left: u32) -> Result<(), Fault> {
    let too_deep = Flaw::Malformed("messages are nested too deeply");
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return Err(too_deep.into());
    };
    loop {
        let (number, wire_type) = key(rest)?;
        if wire_type == 4 {
            return match number == group {
                true => Ok(()),
                false => Err(Flaw::Malformed("the end of another group").into()),
            };
        }
        if depth_left == 0 {
            return Err(too_deep.into());
        }
        match wire_type {
            0 => drop(varint(rest)?),
            1 => drop(array::<8>(rest)?),
            2 => drop(delimited(rest)?),
            3 => skip_group(rest, number, depth_left)?,
            5 => drop(array::<4>(rest)?),
            _ => return Err(Flaw::Malformed("an unknown wire type").into()),
        }
    }
}

/// Number and wire type of a field.
#[inline]
fn key(rest: &mut &[u8]) -> Result<(u32, u32), Fault> {
    let key =
        u32::try_from(varint(rest)?).map_err(|_| Flaw::Malformed("not the key of a field"))?;
    match key >> 3 {
        0 => Err(Flaw::Malformed("not the key of a field").into()),
        number => Ok((number, key & 7)),
    }
}

#[inline]
fn delimited<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let length = usize::try_from(varint(rest)?).ok();
    let split = length.and_then(|length| rest.split_at_checked(length));
    let (bytes, after) = split.ok_or_else(cut)?;
    *rest = after;
    Ok(bytes)
}

#[inline]
fn array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Fault> {
    let (bytes, after) = rest.split_first_chunk().ok_or_else(cut)?;
    *rest = after;
    Ok(*bytes)
}

#[inline]
pub(super) fn varint(rest: &mut &[u8]) -> Result<u64, Fault> {
    match rest.split_first() {
        Some((byte, after)) if *byte < 0x80 => {
            *rest = after;
            Ok(u64::from(*byte))
        }
        _ => long_varint(rest),
    }
}

fn long_varint(rest: &mut &[u8]) -> Result<u64, Fault> {
    let mut number = 0;
    for place in 0..10 {
        let (byte, after) = rest.split_first().ok_or_else(cut)?;
        *rest = after;
        if place == 9 && *byte > 1 {
            break; // more than 64 bits
        }
        number |= u64::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Flaw::Malformed("an integer of more than 64 bits").into())
}
