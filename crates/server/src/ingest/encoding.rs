//! Inflating a body piece by piece, never past the limit.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, InBuffer, Operation, OutBuffer};

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// The encoding of a `Content-Encoding` value.
    pub(crate) fn from_header(value: &str) -> Option<Self> {
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Encoding::Identity),
            "gzip" | "x-gzip" => Some(Encoding::Gzip),
            "zstd" => Some(Encoding::Zstd),
            _ => None,
        }
    }
}

/// Why a body cannot be inflated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InflateError {
    /// It is larger than allowed; how much larger was not looked at.
    #[error("larger than {bytes_max} bytes decompressed")]
    TooLarge { bytes_max: usize },
    /// It is not what its encoding says.
    #[error("cannot decompress: {0}")]
    Corrupt(String),
}

/// Takes a compressed body in pieces and gives the plain one.
pub(crate) struct Inflater {
    decoder: Decoder,
    bytes_max: usize,
}

enum Decoder {
    Identity(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
    Zstd {
        decoder: ZstdDecoder<'static>,
        out: Bounded,
        mid_frame: bool,
    },
}

impl Inflater {
    pub(crate) fn new(encoding: Encoding, bytes_max: usize) -> Result<Self, InflateError> {
        let out = Bounded {
            bytes: Vec::new(),
            bytes_max,
            overflowed: false,
        };
        let decoder = match encoding {
            Encoding::Identity => Decoder::Identity(out),
            Encoding::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(out))),
            Encoding::Zstd => Decoder::Zstd {
                decoder: zstd_decoder()
                    .map_err(|error| InflateError::Corrupt(error.to_string()))?,
                out,
                mid_frame: false,
            },
        };
        Ok(Inflater { decoder, bytes_max })
    }

    /// Takes the next piece. Stops at the first byte past the limit.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), InflateError> {
        let pushed = match &mut self.decoder {
            Decoder::Identity(out) => out.write_all(piece),
            Decoder::Gzip(decoder) => decoder.write_all(piece),
            Decoder::Zstd {
                decoder,
                out,
                mid_frame,
            } => unzstd(decoder, piece, out, mid_frame),
        };
        pushed.map_err(|error| self.refuse(&error))
    }

    /// How many plain bytes there are so far.
    pub(crate) fn len(&self) -> usize {
        self.out().bytes.len()
    }

    /// The plain body, if the compressed one is whole.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, InflateError> {
        let finished = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Zstd {
                mid_frame: true, ..
            } => Err(io::Error::other("it ends in the middle of a frame")),
            Decoder::Identity(_) | Decoder::Zstd { .. } => Ok(()),
        };
        finished.map_err(|error| self.refuse(&error))?;
        Ok(match self.decoder {
            Decoder::Identity(out) | Decoder::Zstd { out, .. } => out.bytes,
            Decoder::Gzip(mut decoder) => std::mem::take(&mut decoder.get_mut().bytes),
        })
    }

    fn out(&self) -> &Bounded {
        match &self.decoder {
            Decoder::Identity(out) | Decoder::Zstd { out, .. } => out,
            Decoder::Gzip(decoder) => decoder.get_ref(),
        }
    }

    fn refuse(&self, error: &io::Error) -> InflateError {
        if self.out().overflowed {
            InflateError::TooLarge {
                bytes_max: self.bytes_max,
            }
        } else {
            InflateError::Corrupt(error.to_string())
        }
    }
}

/// A zstd frame may ask its reader for a window of up to 2 GiB before it holds a single byte. No
/// body within the limit needs more than 64 MiB.
fn zstd_decoder() -> io::Result<ZstdDecoder<'static>> {
    const WINDOW_LOG_MAX: u32 = 26;
    let mut decoder = ZstdDecoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
    Ok(decoder)
}

fn unzstd(
    decoder: &mut ZstdDecoder<'static>,
    piece: &[u8],
    out: &mut Bounded,
    mid_frame: &mut bool,
) -> io::Result<()> {
    let mut plain = [0; PIECE_BYTES];
    let mut input = InBuffer::around(piece);
    loop {
        let mut output = OutBuffer::around(plain.as_mut_slice());
        let hint = decoder.run(&mut input, &mut output)?;
        let written = output.pos();
        *mid_frame = hint != 0;
        out.write_all(&plain[..written])?;
        // A full output buffer may leave more inside the decoder, even with all input taken.
        if input.pos() == piece.len() && written < PIECE_BYTES {
            return Ok(());
        }
    }
}

/// Plain bytes, up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
    overflowed: bool,
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if piece.len() > self.bytes_max - self.bytes.len() {
            self.overflowed = true;
            return Err(io::Error::other("too large"));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How much is inflated between two looks at the limit.
const PIECE_BYTES: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(
        encoding: Encoding,
        body: &[u8],
        piece: usize,
        max: usize,
    ) -> Result<Vec<u8>, InflateError> {
        let mut inflater = Inflater::new(encoding, max)?;
        for piece in body.chunks(piece) {
            inflater.push(piece)?;
            assert!(inflater.len() <= max);
        }
        inflater.finish()
    }

    fn samples(plain: &[u8]) -> [(Encoding, Vec<u8>); 3] {
        [
            (Encoding::Identity, plain.to_vec()),
            (Encoding::Gzip, gzip(plain)),
            (Encoding::Zstd, zstd::encode_all(plain, 3).unwrap()),
        ]
    }

    #[test]
    fn any_cut_into_pieces_gives_the_same() {
        let plain: Vec<u8> = (0..100_000u32)
            .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
            .collect();
        for (encoding, body) in samples(&plain) {
            for piece in [1, 7, 4096, body.len()] {
                let inflated = inflate(encoding, &body, piece, plain.len());
                assert_eq!(
                    inflated.as_deref(),
                    Ok(plain.as_slice()),
                    "{encoding:?} in pieces of {piece}"
                );
            }
        }
    }

    #[test]
    fn several_members_and_frames_are_one_body() {
        let (one, two) = (b"one ".as_slice(), b"two".as_slice());
        let gzip = [gzip(one), gzip(two)].concat();
        let zstd = [
            zstd::encode_all(one, 3).unwrap(),
            zstd::encode_all(two, 3).unwrap(),
        ]
        .concat();
        assert_eq!(
            inflate(Encoding::Gzip, &gzip, 5, 100),
            Ok(b"one two".to_vec())
        );
        assert_eq!(
            inflate(Encoding::Zstd, &zstd, 5, 100),
            Ok(b"one two".to_vec())
        );
    }

    #[test]
    fn one_byte_above_the_limit() {
        let plain = vec![0; 1_000_001];
        for (encoding, body) in samples(&plain) {
            let refused = inflate(encoding, &body, 4096, 1_000_000);
            assert_eq!(
                refused,
                Err(InflateError::TooLarge {
                    bytes_max: 1_000_000
                }),
                "{encoding:?}"
            );
        }
    }

    #[test]
    fn cut_and_garbled_bodies_are_corrupt() {
        for (encoding, body) in samples(b"some text that is long enough to be cut in the middle")
            .into_iter()
            .skip(1)
        {
            for cut in 1..body.len() {
                let cut_body = inflate(encoding, &body[..cut], 4096, 1000);
                assert!(
                    matches!(cut_body, Err(InflateError::Corrupt(_))),
                    "{encoding:?} cut at {cut}: {cut_body:?}"
                );
            }
            let mut garbled = body.clone();
            garbled[1] ^= 0xff;
            assert!(matches!(
                inflate(encoding, &garbled, 4096, 1000),
                Err(InflateError::Corrupt(_))
            ));
        }
    }

    #[test]
    fn frame_that_asks_for_a_huge_window_is_refused() {
        // Magic, then a frame header whose window descriptor asks for 2 GiB.
        let greedy = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
        let refused = inflate(Encoding::Zstd, &greedy, 100, 1000);
        assert!(
            matches!(refused, Err(InflateError::Corrupt(_))),
            "{refused:?}"
        );
    }

    #[test]
    fn empty_bodies() {
        for (encoding, body) in samples(b"") {
            assert_eq!(
                inflate(encoding, &body, 10, 0),
                Ok(Vec::new()),
                "{encoding:?}"
            );
        }
    }
}
