use proptest::prelude::*;

use super::*;

fn actions() -> impl Strategy<Value = Action> {
    let name = "[a-zA-Z0-9_-]{1,64}";
    let parse = |json: String| serde_json::from_str::<Action>(&json).unwrap();
    prop_oneof![
        (name, "[a-z0-9.]{1,40}", any::<bool>(), 1..100u32).prop_map(
            move |(function, table, all, hours)| {
                let class = if all { "all" } else { "write" };
                parse(format!(
                    r#"{{"do":"deny","function":"{function}","resource":"table:{table}","class":"{class}","hours":{hours}}}"#
                ))
            }
        ),
        (name, 1..100u32).prop_map(move |(function, hours)| parse(format!(
            r#"{{"do":"stop","function":"{function}","hours":{hours}}}"#
        ))),
        (name, 128..10_240u32).prop_map(move |(function, mb)| parse(format!(
            r#"{{"do":"memory","function":"{function}","memory_mb":{mb}}}"#
        ))),
    ]
}

prop_compose! {
    fn claims()(
        secret in any::<[u8; 32]>(),
        id in "[a-z0-9]{16,36}",
        action in actions(),
        audience in ".{0,40}",
        expires in 1..u64::MAX,
    ) -> ([u8; 32], ActionId, Action, String, u64) {
        (secret, id.parse().unwrap(), action, audience, expires)
    }
}

proptest! {
    #[test]
    fn a_link_opens_what_it_was_made_for((secret, id, action, audience, expires) in claims()) {
        let links = Links::new(secret);
        let expires = UnixSeconds(expires);
        let key = links.key(&Claim { id: &id, action: &action, audience: &audience, expires });
        let opened = links.open(&id, &action, &key, UnixSeconds(expires.0 - 1));
        prop_assert_eq!(opened, Ok(Opened { audience, expires }));
        prop_assert_eq!(links.open(&id, &action, &key, expires), Err(LinkError::Expired));
    }

    #[test]
    fn a_link_with_anything_changed_does_not_open(
        (secret, id, action, audience, expires) in claims(),
        (other_secret, other_id, other_action, ..) in claims(),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        let links = Links::new(secret);
        let claim = Claim { id: &id, action: &action, audience: &audience, expires: UnixSeconds(expires) };
        let key = links.key(&claim);
        let forged = Err(LinkError::Forged);
        let now = UnixSeconds(0);
        if other_secret != secret {
            prop_assert_eq!(&Links::new(other_secret).open(&id, &action, &key, now), &forged);
        }
        if other_id != id {
            prop_assert_eq!(&links.open(&other_id, &action, &key, now), &forged);
        }
        if other_action != action {
            prop_assert_eq!(&links.open(&id, &other_action, &key, now), &forged);
        }
        // Any bit: of the version, the time, the code or the audience.
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(&key).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let changed = BASE64_URL_SAFE_NO_PAD.encode(&bytes);
        prop_assert_eq!(&links.open(&id, &action, &changed, now), &forged);
        // Longer, shorter, and not from the alphabet.
        for changed in [format!("{key}AA"), key[..key.len() - 2].to_owned(), format!("{key}="), String::new()] {
            prop_assert_eq!(&links.open(&id, &action, &changed, now), &forged);
        }
    }

    #[test]
    fn nothing_else_opens_and_nothing_panics(secret in any::<[u8; 32]>(), key in ".{0,200}", action in actions()) {
        let links = Links::new(secret);
        let id = "0123456789abcdef".parse().unwrap();
        prop_assert_eq!(links.open(&id, &action, &key, UnixSeconds(0)), Err(LinkError::Forged));
    }
}

#[test]
fn where_one_part_ends_and_the_next_begins_counts() {
    let links = Links::new([7; 32]);
    let action: Action =
        serde_json::from_str(r#"{"do":"stop","function":"pay","hours":1}"#).unwrap();
    let id: ActionId = "0123456789abcdef".parse().unwrap();
    let path = links.path(&Claim {
        id: &id,
        action: &action,
        audience: "mail:ops@example.com",
        expires: UnixSeconds(100),
    });
    let key = path.strip_prefix("/act/0123456789abcdef?k=").unwrap();
    assert!(
        key.bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
    );
    assert!(links.open(&id, &action, key, UnixSeconds(99)).is_ok());
    assert_eq!(format!("{links:?}"), "Links(****)");
}
