//! What cannot start says why.

use super::*;

async fn refusal(sandbox: Sandbox) -> String {
    sandbox
        .start()
        .await
        .err()
        .map_or("started".to_owned(), |error| error.to_string())
}

#[test]
fn functions_are_led_to_the_endpoint_unless_told_otherwise() {
    let led = |environment: &[(&str, &str)], endpoint| {
        let pairs = environment.iter();
        let environment = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let led = with_endpoint(environment.collect(), endpoint);
        led.get("AWS_ENDPOINT_URL").cloned()
    };
    let moto = "http://127.0.0.1:5000";
    assert_eq!(led(&[], Some(moto)).as_deref(), Some(moto));
    assert_eq!(led(&[], None), None);
    let other = [("AWS_ENDPOINT_URL", "http://127.0.0.1:6000")];
    assert_eq!(led(&other, Some(moto)).as_deref(), Some(other[0].1));
}

#[tokio::test]
async fn what_cannot_start_says_why_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let plain = tempfile::NamedTempFile::new().unwrap();
    let function = || Function::new("f", "/code");
    let cases = [
        (
            Sandbox::new().api(address),
            format!("cannot listen on {address}: the port is taken"),
        ),
        (
            Sandbox::new().function(function().url(address)),
            format!("cannot listen on {address}: the port is taken"),
        ),
        (
            Sandbox::new().api("0.0.0.0:0".parse().unwrap()),
            "cannot listen on 0.0.0.0:0: the sandbox listens on loopback only".to_owned(),
        ),
        (
            Sandbox::new().function(function()).function(function()),
            "cannot start two functions named f".to_owned(),
        ),
        (
            Sandbox::new().extension("/nowhere"),
            "cannot use the extension /nowhere: no such file or folder".to_owned(),
        ),
        (
            Sandbox::new()
                .function(function())
                .function(Function::new("g", empty.path()))
                .function(Function::new("h", empty.path()).runtime("java21".parse().unwrap())),
            format!(
                "cannot start f: the code folder /code does not exist\n\
                 cannot start g: {0}/bootstrap does not exist: build the function's executable there\n\
                 cannot start h: no jar in {0}/lib has the Java runtime client: put \
                 aws-lambda-java-runtime-interface-client and what it depends on there \
                 (mvn dependency:copy-dependencies -DoutputDirectory=lib)",
                empty.path().display()
            ),
        ),
        (
            Sandbox::new().extension(plain.path()),
            format!(
                "cannot use the extension {}: not an executable file",
                plain.path().display()
            ),
        ),
        (
            Sandbox::new().extension("/bin/sh").extension("/bin/sh"),
            "cannot use the extension /bin/sh: another extension has the same file name".to_owned(),
        ),
    ];
    for (sandbox, expected) in cases {
        assert_eq!(refusal(sandbox).await, expected);
    }
}
