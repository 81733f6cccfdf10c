//! Links that stop mails to one address. They can be guessed by nobody, and do nothing but that.

use ring::{digest, hmac};

use crate::format::{bytes, hex};

/// Where mails to an address are stopped. It is asked with POST; GET shows a page and changes nothing, because
/// scanners of mails follow links.
pub const PATH: &str = "/api/v1/notifications/unsubscribe";

/// The address of that page, for one mail address of a receiver.
pub fn link(base: &str, key: &[u8], receiver: &str, address: &str) -> String {
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("receiver", receiver)
        .append_pair("address", address)
        .append_pair("k", &hex(sign(key, receiver, address).as_ref()))
        .finish();
    format!("{base}{PATH}?{query}")
}

/// Whether a link was made here.
pub fn is_ours(key: &[u8], receiver: &str, address: &str, signature: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let signed = signed(receiver, address);
    bytes(signature).is_some_and(|given| hmac::verify(&key, signed.as_bytes(), &given).is_ok())
}

/// A short name for some text that does not show it.
pub fn digest(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    hex(&digest.as_ref()[..8])
}

fn sign(key: &[u8], receiver: &str, address: &str) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, signed(receiver, address).as_bytes())
}

/// Neither can hold a line break.
fn signed(receiver: &str, address: &str) -> String {
    format!("unsubscribe\n{receiver}\n{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_for_one_address() {
        let made = link("https://t.example", b"key", "team a", "a@example.com");
        let (page, query) = made.split_once('?').unwrap();
        assert_eq!(page, "https://t.example/api/v1/notifications/unsubscribe");
        let read: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let [(_, receiver), (_, address), (_, k)] = read.as_slice() else {
            panic!("{query}");
        };
        assert!(is_ours(b"key", receiver, address, k));
        assert!(!is_ours(b"other", receiver, address, k));
        assert!(!is_ours(b"key", receiver, "b@example.com", k));
        assert!(!is_ours(b"key", "team b", address, k));
        assert!(!is_ours(b"key", receiver, address, ""));
        assert!(!is_ours(b"key", receiver, address, &k[2..]));
    }
}
