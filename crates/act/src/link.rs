//! Addresses that open one proposed action, for a day.
//!
//! The address is `/act/ID?k=KEY`. Fetching it shows what would be done and never does it, because scanners of mail
//! and previews of chats fetch what they see. The key says for whom it was made:
//!
//! ```text
//! key = base64url, no padding: version (1 byte) | expires (8 bytes, big endian) | HMAC-SHA256 (32 bytes) | audience
//! HMAC over: "throughline act 1" and id, digest of the action, expires and audience, each after its length
//! ```
//!
//! That a key opens says that this server made it for this very action. Whether it was done already is for
//! [`Record`](crate::Record) to say.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::action::{Action, ActionId};
use crate::digest::Digest;
use crate::time::UnixSeconds;

/// How long a link opens: a day.
pub const LINK_LIFE_SECONDS: u64 = 24 * 3600;

/// Signs addresses and checks them.
#[derive(Clone)]
pub struct Links {
    secret: [u8; 32],
}

/// What a link is for.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The proposed action.
    pub id: &'a ActionId,
    /// What it is.
    pub action: &'a Action,
    /// For whom: `mail:ops@example.com`, `page`. Whoever has the link is taken for this one.
    pub audience: &'a str,
    /// Until when it opens.
    pub expires: UnixSeconds,
}

/// What a key that opens says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// For whom it was made.
    pub audience: String,
    /// Until when it opens.
    pub expires: UnixSeconds,
}

/// Why a key does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is not one that this server made for this action.
    #[error("the link is not one that this server made for this action")]
    Forged,
    /// It was, for a time that is over.
    #[error("the link has expired: links open for a day; the incident's page makes a new one")]
    Expired,
}

impl Links {
    /// With a secret that nobody else knows.
    pub fn new(secret: [u8; 32]) -> Self {
        Links { secret }
    }

    /// The path and query of the address at which an action is confirmed.
    pub fn path(&self, claim: &Claim<'_>) -> String {
        format!("/act/{}?k={}", claim.id, self.key(claim))
    }

    /// The key alone.
    pub fn key(&self, claim: &Claim<'_>) -> String {
        let mac = self.mac(claim).finalize().into_bytes();
        let mut bytes = vec![VERSION];
        bytes.extend(claim.expires.0.to_be_bytes());
        bytes.extend(mac);
        bytes.extend(claim.audience.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a key says, if it was made for this action and its time is not over. Takes equally long for every wrong key
    /// of its length.
    pub fn open(
        &self,
        id: &ActionId,
        action: &Action,
        key: &str,
        now: UnixSeconds,
    ) -> Result<Opened, LinkError> {
        if key.len() > KEY_BYTES_MAX {
            return Err(LinkError::Forged);
        }
        let decoded = BASE64_URL_SAFE_NO_PAD.decode(key);
        let decoded = decoded.map_err(|_| LinkError::Forged)?;
        let (version, rest) = decoded.split_first().ok_or(LinkError::Forged)?;
        let (expires, rest) = rest.split_first_chunk::<8>().ok_or(LinkError::Forged)?;
        let (mac, audience) = rest.split_first_chunk::<32>().ok_or(LinkError::Forged)?;
        let audience = std::str::from_utf8(audience).map_err(|_| LinkError::Forged)?;
        let expires = UnixSeconds(u64::from_be_bytes(*expires));
        let claim = Claim {
            id,
            action,
            audience,
            expires,
        };
        let is_ours = self.mac(&claim).verify_slice(mac).is_ok();
        match is_ours && *version == VERSION {
            false => Err(LinkError::Forged),
            true if expires <= now => Err(LinkError::Expired),
            true => Ok(Opened {
                audience: audience.to_owned(),
                expires,
            }),
        }
    }

    fn mac(&self, claim: &Claim<'_>) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        let digest = Digest::of(claim.action);
        let id = claim.id.to_string();
        let expires = claim.expires.0.to_be_bytes();
        mac.update(PURPOSE);
        for part in [
            id.as_bytes(),
            digest.as_bytes(),
            &expires,
            claim.audience.as_bytes(),
        ] {
            // A text's bytes are never more than an u64 counts.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links(****)")
    }
}

const VERSION: u8 = 1;
/// What else is signed with the same secret, one day, must not open an action.
const PURPOSE: &[u8] = b"throughline act 1";
/// An audience has no more than some hundred bytes.
const KEY_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests;
