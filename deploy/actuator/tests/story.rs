//! What actions do to an account: moto is the account, and lets only those in whom its policies let in.
//!
//! The actuator has no more permissions than its template gives, `pay` and `mail` are functions that share a role, and
//! `pay` runs in a sandbox.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use expect_test::expect;
use serde_json::{Value, json};
use throughline_act::{Action, ActionId, Before, DryRun, Order, Report, SourceState, UnixSeconds};
use throughline_actuator::{Aws, invoke, perform};
use throughline_sandbox::{Function, RunningSandbox, Sandbox};

#[path = "support/allowed.rs"]
mod allowed;
#[path = "../../../crates/sources/tests/story/moto.rs"]
mod moto;

/// Generous, since the machine may be busy with anything.
const DEADLINE: Duration = Duration::from_secs(60);
const NOW: u64 = 1_795_305_600;
const REGION: &str = "us-east-1";

/// An account with functions in it.
struct Account {
    moto: &'static str,
    python: String,
    /// By name: id, secret and token.
    keys: Value,
    source: String,
}

impl Account {
    fn new(moto: &'static str) -> Self {
        let home = moto::tools().unwrap();
        let mut lines = include_str!("../../../scripts/moto").lines();
        let version = lines.find_map(|line| line.strip_prefix("version="));
        let python = home.join(format!("moto-{}/bin/python", version.unwrap()));
        let mut account = Account {
            moto,
            python: python.to_str().unwrap().to_owned(),
            keys: Value::Null,
            source: String::new(),
        };
        let actions: Vec<String> = allowed::actions().into_iter().collect();
        let made = account.run("setup", &[&actions.join(",")]);
        account.source = made["source"].as_str().unwrap().to_owned();
        account.keys = made["keys"].clone();
        account
    }

    fn run(&self, what: &str, rest: &[&str]) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/account.py");
        let output = Command::new(&self.python)
            .arg(script)
            .args([what, self.moto])
            .args(rest)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What actions can change, as it is.
    fn state(&self) -> Value {
        self.run("state", &[])
    }

    fn key(&self, who: &str, which: usize) -> String {
        self.keys[who][which]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn actuator(&self) -> Aws {
        let (id, secret) = (self.key("actuator", 0), self.key("actuator", 1));
        let credentials = Credentials::new(id, secret, None, None, "test");
        let credentials = SharedCredentialsProvider::new(credentials);
        Aws::new(credentials, REGION.to_owned(), Some(self.moto.to_owned())).unwrap()
    }

    /// Functions of the account, which run in a sandbox, and the actuator as one of them.
    async fn sandbox(&self) -> RunningSandbox {
        let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/function");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("actuator");
        // The sandbox's own keys open nothing at moto.
        let keys = |function: Function, who: &str| {
            function
                .timeout(DEADLINE)
                .env("KEY_ID", self.key(who, 0))
                .env("KEY_SECRET", self.key(who, 1))
                .env("KEY_TOKEN", self.key(who, 2))
        };
        let function = |name| keys(Function::new(name, &code).env("PYTHON", &self.python), name);
        let actuator = Function::new("throughline-actuator", &folder).timeout(DEADLINE);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(
            env!("CARGO_BIN_EXE_throughline-actuator"),
            folder.join("bootstrap"),
        )
        .unwrap();
        Sandbox::new()
            .aws_endpoint(self.moto)
            .function(function("pay"))
            .function(function("mail"))
            .function(actuator)
            .start()
            .await
            .unwrap()
    }
}

async fn call(sandbox: &RunningSandbox, function: &str, operation: &str, table: &str) -> String {
    let event = json!({"operation": operation, "table": table}).to_string();
    let answer = sandbox.invoke(function, event).await.unwrap();
    answer.text().trim_matches('"').to_owned()
}

fn action(json: &Value) -> Action {
    serde_json::from_value(json.clone()).unwrap()
}

fn id(number: u8) -> ActionId {
    format!("00000000000story{number}").parse().unwrap()
}

async fn act(aws: &Aws, number: u8, json: &Value, now: u64) -> Report {
    let (id, action) = (id(number), action(json));
    let look = Order::Look {
        id: id.clone(),
        action: action.clone(),
    };
    let seen = perform(aws, look, UnixSeconds(now)).await.unwrap();
    let seen = seen.before.digest();
    let act = Order::Act { id, action, seen };
    perform(aws, act, UnixSeconds(now)).await.unwrap()
}

async fn undo(aws: &Aws, number: u8, json: &Value, before: &Before) -> Report {
    let undo = Order::Undo {
        id: id(number),
        action: action(json),
        before: before.clone(),
    };
    perform(aws, undo, UnixSeconds(NOW)).await.unwrap()
}

fn now() -> u64 {
    let output = Command::new("date").arg("+%s").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_actions_do_to_an_account() {
    let Some(moto) = moto::moto() else { return };
    let account = Account::new(moto);
    let aws = account.actuator();
    let as_it_was =
        json!({"policies": {}, "concurrency": null, "memory": 512, "sources": ["Enabled"]});
    assert_eq!(account.state(), as_it_was);
    let sandbox = account.sandbox().await;

    // Deny: exactly this document, in force for this function, this table and these operations alone.
    assert_eq!(call(&sandbox, "pay", "write", "users").await, "ok");
    let deny = json!({"do": "deny", "function": "pay", "resource": "table:users", "class": "write", "hours": 4});
    let look = Order::Look {
        id: id(1),
        action: action(&deny),
    };
    let looked = perform(&aws, look, UnixSeconds(now())).await.unwrap();
    assert!(looked.done.is_empty());
    assert_eq!(account.state(), as_it_was, "looking changes nothing");
    // Moto cannot simulate; that is told and stops nothing.
    let DryRun::Failed { why } = &looked.dry_run else {
        panic!("{:?}", looked.dry_run)
    };
    assert!(why.contains("SimulatePrincipalPolicy is refused"), "{why}");
    let denied = act(&aws, 1, &deny, now()).await;
    assert_eq!(denied.done[0].call, "iam:PutRolePolicy");
    assert!(!denied.done[0].request_id.is_empty());
    let policies = account.state()["policies"].clone();
    assert_eq!(
        policies["Throughline-Deny-00000000000story1"],
        json!(denied.plan.clone().unwrap().policy)
    );
    assert_eq!(call(&sandbox, "pay", "write", "users").await, "denied");
    assert_eq!(call(&sandbox, "pay", "read", "users").await, "ok");
    assert_eq!(call(&sandbox, "pay", "write", "orders").await, "ok");
    assert_eq!(call(&sandbox, "mail", "write", "users").await, "ok");
    undo(&aws, 1, &deny, &denied.before).await;
    assert_eq!(account.state(), as_it_was);
    assert_eq!(call(&sandbox, "pay", "write", "users").await, "ok");
    // Twice is no failure: it is gone.
    undo(&aws, 1, &deny, &denied.before).await;
    // In an account where it was never put nothing is known of it.
    let mut elsewhere = denied.before.clone();
    elsewhere.function_arn = elsewhere
        .function_arn
        .replace("123456789012", "210987654321");
    let order = Order::Undo {
        id: id(1),
        action: action(&deny),
        before: elsewhere,
    };
    let failure = perform(&aws, order, UnixSeconds(NOW)).await.unwrap_err();
    assert_eq!(failure.code, "impossible", "{}", failure.message);

    // It ends by itself: five hours after it was denied for four, the policy is there and denies nothing.
    let denied = act(&aws, 2, &deny, now() - 5 * 3600).await;
    assert_eq!(account.state()["policies"].as_object().unwrap().len(), 1);
    assert_eq!(call(&sandbox, "pay", "write", "users").await, "ok");
    undo(&aws, 2, &deny, &denied.before).await;

    // From where it takes events, so that one of them can be disabled by its name.
    let sources = async |function: &str| {
        let function = function.parse().unwrap();
        let order = Order::Sources { function };
        perform(&aws, order, UnixSeconds(NOW)).await
    };
    let of_pay = sources("pay").await.unwrap().before.sources;
    let named = |it: &SourceState| (it.id.clone(), it.name(), it.enabled);
    let only = (account.source.clone(), "SQS orders".to_owned(), true);
    assert_eq!(of_pay.iter().map(named).collect::<Vec<_>>(), [only]);
    assert!(sources("mail").await.unwrap().before.sources.is_empty());
    assert_eq!(sources("nobody").await.unwrap_err().code, "refused");
    assert_eq!(account.state(), as_it_was, "reading changes nothing");

    // The others, there and back.
    let disable = json!({"do": "disable", "function": "pay", "source": account.source, "hours": 4});
    let stop = json!({"do": "stop", "function": "pay", "hours": 4});
    let memory = json!({"do": "memory", "function": "pay", "memory_mb": 1024});
    let others = [
        (&stop, "concurrency", json!(0)),
        (&disable, "sources", json!(["Disabled"])),
        (&memory, "memory", json!(1024)),
    ];
    for (number, (json, field, then)) in (3..).zip(others) {
        let report = act(&aws, number, json, NOW).await;
        let mut expected = as_it_was.clone();
        expected[field] = then;
        assert_eq!(account.state(), expected);
        undo(&aws, number, json, &report.before).await;
        assert_eq!(account.state(), as_it_was);
    }

    refusals(&account, &aws, &deny).await;
    through_the_function(&account, &sandbox, &deny).await;
    sandbox.shutdown().await;
}

async fn refusals(account: &Account, aws: &Aws, deny: &Value) {
    let state = account.state();
    let failed = async |json: &Value, order: &str| {
        let action = action(json);
        let order = match order {
            "look" => Order::Look { id: id(9), action },
            _ => Order::Act {
                id: id(9),
                action,
                seen: Before::default().digest(),
            },
        };
        let failure = perform(aws, order, UnixSeconds(NOW)).await.unwrap_err();
        format!("{}: {}\n", failure.code, failure.message)
    };
    let nobody = json!({"do": "stop", "function": "nobody", "hours": 4});
    let same = json!({"do": "memory", "function": "pay", "memory_mb": 512});
    let long = json!({"do": "stop", "function": "pay", "hours": 4000});
    let text = failed(deny, "act").await
        + &failed(&same, "look").await
        + &failed(&long, "look").await
        + &failed(&nobody, "look").await;
    expect![[r#"
        changed: nothing was done: things have changed since they were shown; look again
        impossible: it has 512 MB already
        bad_order: `hours` must be from 1 to 168, not 4000
        refused: GetFunctionConfiguration is refused with 404 ResourceNotFoundException: Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody
    "#]].assert_eq(&text);
    assert_eq!(account.state(), state);
}

/// The same orders, as events of the function that is deployed. It has the sandbox's keys, so moto lets everybody in.
async fn through_the_function(account: &Account, sandbox: &RunningSandbox, deny: &Value) {
    account.run("trust", &[]);
    let api = format!("http://{}", sandbox.api_addr());
    let credentials = Credentials::new("any", "any", None, None, "test");
    let credentials = SharedCredentialsProvider::new(credentials);
    let server = Aws::new(credentials, REGION.to_owned(), Some(api)).unwrap();
    let order = async |order: Order| invoke(&server, "throughline-actuator", &order).await;
    let (id, action) = (id(8), action(deny));
    let look = Order::Look {
        id: id.clone(),
        action: action.clone(),
    };
    let seen = order(look).await.unwrap().before.digest();
    let act = Order::Act {
        id: id.clone(),
        action: action.clone(),
        seen,
    };
    let report = order(act).await.unwrap();
    assert_eq!(account.state()["policies"].as_object().unwrap().len(), 1);
    order(Order::Undo {
        id: id.clone(),
        action,
        before: report.before,
    })
    .await
    .unwrap();
    assert_eq!(account.state()["policies"], json!({}));
    let sources = Order::Sources {
        function: "pay".parse().unwrap(),
    };
    let sources = order(sources).await.unwrap().before.sources;
    assert_eq!(sources[0].id, account.source);
    // Another memory size, as the server has it done that applies advice, and the way back.
    let memory = self::action(&json!({"do": "memory", "function": "pay", "memory_mb": 1728}));
    let seen = order(Order::Look {
        id: id.clone(),
        action: memory.clone(),
    });
    let before = seen.await.unwrap().before;
    let act = Order::Act {
        id: id.clone(),
        action: memory.clone(),
        seen: before.digest(),
    };
    order(act).await.unwrap();
    assert_eq!(account.state()["memory"], 1728);
    let undo = Order::Undo {
        id: id.clone(),
        action: memory,
        before,
    };
    order(undo).await.unwrap();
    assert_eq!(account.state()["memory"], 512);
    // Nothing but orders.
    for event in [
        json!({}),
        json!({"order": "call", "operation": "iam:CreateUser"}),
    ] {
        let answer = sandbox
            .invoke("throughline-actuator", event.to_string())
            .await
            .unwrap();
        assert!(
            answer.text().contains(r#""code":"bad_order""#),
            "{}",
            answer.text()
        );
    }
    let no_actuator = invoke(
        &server,
        "pay",
        &Order::Look {
            id: self::id(7),
            action: self::action(deny),
        },
    )
    .await;
    assert_eq!(no_actuator.unwrap_err().code, "unreachable");
}
