//! What cannot start says why.

use super::*;

async fn refusal(sandbox: Sandbox) -> String {
    sandbox
        .start()
        .await
        .err()
        .map_or("started".to_owned(), |error| error.to_string())
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
                 cannot start g: {0}/bootstrap does not exist\n\
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
