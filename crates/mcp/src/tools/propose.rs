//! What can be done about an incident, and the address at which a person confirms one of it. Nothing is done here.

use serde_json::{Value, json};

use super::arguments::ProposeAction;
use crate::answer::Found;
use crate::ask::{Ask, Parameters, with_query};
use crate::{Api, Failure};

pub(super) async fn propose<A: Api>(
    ask: &Ask<'_, A>,
    asked: ProposeAction,
) -> Result<Found, Failure> {
    let incident = asked.incident;
    let path = format!("/api/v1/incidents/{incident}/actions");
    let fitting = ask.get(&path, Parameters::default()).await?;
    let offers = fitting["proposals"].as_array();
    let offers = offers.map_or(&[][..], Vec::as_slice);
    let Some(wanted) = asked.action else {
        return Ok(listed(incident, offers, &fitting));
    };
    let is_wanted =
        |offer: &&Value| [&offer["action"]["do"], &offer["title"]].contains(&&json!(wanted));
    let fits: Vec<&Value> = offers.iter().filter(is_wanted).collect();
    let offer = match fits.as_slice() {
        [offer] => *offer,
        [] => {
            return Err(Failure(format!(
                "incident {incident} offers no such action: {AGAIN}"
            )));
        }
        several => {
            let count = several.len();
            let why =
                format!("incident {incident} offers {count} of these: {AGAIN}, and give a title");
            return Err(Failure(why));
        }
    };
    if let Some(why) = refusal(offer, &fitting) {
        return Err(Failure(why.to_owned()));
    }
    let body = json!({"action": offer["action"], "incident": incident, "who": WHO});
    let proposed = ask.post("/api/v1/actions/propose", body).await?;
    let (Some(id), Some(link)) = (proposed["id"].as_str(), proposed["path"].as_str()) else {
        return Err(Failure(
            "the server gives no address to confirm it at".to_owned(),
        ));
    };
    let key = link.split_once("?k=").map(|(_, key)| key);
    let path = with_query(
        &format!("/api/v1/actions/{id}"),
        Parameters::default().and("k", key),
    );
    let shown = ask.get(&path, Parameters::default()).await?;
    Ok(Found {
        next: Some(CONFIRM),
        telemetry: would_do(offer, &proposed, &shown),
        ..Found::of_page(link.to_owned())
    })
}

/// What an incident offers.
fn listed(incident: u64, offers: &[Value], fitting: &Value) -> Found {
    let listed = offers.iter().map(|offer| {
        json!({"action": offer["action"]["do"], "title": offer["title"], "about": offer["finding"],
            "cannot_be_proposed": refusal(offer, fitting)})
    });
    Found {
        total: Some(offers.len() as u64),
        next: Some(CHOOSE),
        telemetry: json!({"offered": listed.collect::<Vec<_>>()}),
        ..Found::of_page(format!("/incidents/{incident}"))
    }
}

/// What would happen if somebody confirmed it.
fn would_do(offer: &Value, proposed: &Value, shown: &Value) -> Value {
    let plan = &shown["plan"];
    let calls = |calls: &Value| {
        let calls = calls.as_array().into_iter().flatten();
        let call = |it: &Value| {
            let [service, operation] =
                ["service", "operation"].map(|name| it[name].as_str().unwrap_or_default());
            format!("{service}:{operation}")
        };
        calls.map(call).collect::<Vec<_>>()
    };
    json!({"title": offer["title"], "about": offer["finding"], "problem": shown["problem"],
        "calls": calls(&plan["calls"]), "policy": plan["policy"], "warnings": plan["warnings"],
        "undone_by": calls(&plan["undo"]), "would_notice": shown["touched"],
        "would_notice_through_others": shown["behind"],
        "expires_unix_nanos": proposed["expires_unix_nanos"]})
}

/// Why an action cannot be proposed, if it cannot.
fn refusal(offer: &Value, fitting: &Value) -> Option<&'static str> {
    let needs_account = offer["needs_account"] == true;
    match () {
        () if needs_account && fitting["place"] == "off" => Some(OFF),
        () if needs_account && !fitting["stopped"].is_null() => Some(STOPPED),
        () => None,
    }
}

/// Who proposes, in the audit log.
const WHO: &str = "an assistant";
const AGAIN: &str = "ask without `action` for those that it offers";
const CHOOSE: &str =
    "nothing is proposed yet: ask again with `action`, when the person whom you help has chosen";
const CONFIRM: &str = "nothing has been done: only a person can confirm it, at the permalink, which shows everything \
    first and opens for a day. Give them the permalink; do not open it yourself";
const OFF: &str = "the server was started with --actions off, so nothing in the account is changed: only ignore and mute \
    can be proposed";
const STOPPED: &str = "somebody has stopped all actions, so nothing in the account is changed: only ignore and mute can be \
    proposed";
