use std::io::Write;

use super::*;

struct Folders {
    _root: tempfile::TempDir,
    here: Code,
    seen: Code,
}

/// Folders with these files; `task/…`, `opt/…` and `runtime/…`.
fn folders(files: &[&str]) -> Folders {
    let root = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let folder = root.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    let here = Code {
        task: folder("task"),
        opt: Some(folder("opt")),
        runtime: Some(folder("runtime")),
    };
    for file in files {
        let path = root.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    Folders {
        _root: root,
        here,
        seen: Code::as_on_lambda(),
    }
}

fn command(runtime: &str, folders: &Folders) -> Result<String, String> {
    let function = Function::new("f", "unused")
        .runtime(runtime.parse().unwrap())
        .handler("app.handler");
    let command = Command::of_runtime(&function, &folders.here, &folders.seen, None)?;
    let mut words = vec![command.program.display().to_string()];
    words.extend(command.arguments);
    Ok(words.join(" "))
}

#[test]
fn the_nearest_program_is_taken() {
    let cases: [(&str, &[&str], &str); 12] = [
        (
            "provided.al2023",
            &["runtime/bootstrap", "task/bootstrap"],
            "/var/runtime/bootstrap",
        ),
        (
            "provided.al2023",
            &["task/bootstrap", "opt/bootstrap"],
            "/var/task/bootstrap",
        ),
        ("provided.al2023", &["opt/bootstrap"], "/opt/bootstrap"),
        ("provided.al2023", &[], "/var/task/bootstrap"),
        ("python3.13", &[], "python3 -m awslambdaric app.handler"),
        (
            "python3.13",
            &["runtime/bin/python"],
            "/var/runtime/bin/python -m awslambdaric app.handler",
        ),
        (
            "python3.13",
            &["runtime/bin/python", "task/.venv/bin/python"],
            "/var/task/.venv/bin/python -m awslambdaric app.handler",
        ),
        (
            "nodejs22.x",
            &["runtime/node_modules/aws-lambda-ric/index.mjs"],
            "node /var/runtime/node_modules/aws-lambda-ric/index.mjs",
        ),
        (
            "nodejs22.x",
            &[
                "opt/nodejs/node_modules/aws-lambda-ric/index.mjs",
                "runtime/node_modules/aws-lambda-ric/index.mjs",
            ],
            "node /opt/nodejs/node_modules/aws-lambda-ric/index.mjs",
        ),
        (
            "nodejs22.x",
            &[
                "task/node_modules/aws-lambda-ric/index.mjs",
                "opt/nodejs/node_modules/aws-lambda-ric/index.mjs",
            ],
            "node /var/task/node_modules/aws-lambda-ric/index.mjs",
        ),
        (
            "nodejs22.x",
            &[
                "task/node_modules/aws-lambda-ric/index.mjs",
                "task/node_modules/node/bin/node",
            ],
            "/var/task/node_modules/node/bin/node /var/task/node_modules/aws-lambda-ric/index.mjs",
        ),
        (
            "java21",
            &["task/com/amazonaws/services/lambda/runtime/api/client/AWSLambda.class"],
            "java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx108m --add-opens=java.base/java.io=ALL-UNNAMED -cp /var/task:/var/task/lib/*:/opt/java/lib/* \
             com.amazonaws.services.lambda.runtime.api.client.AWSLambda app.handler",
        ),
    ];
    for (runtime, files, expected) in cases {
        let found = command(runtime, &folders(files));
        assert_eq!(found.as_deref(), Ok(expected), "{runtime} {files:?}");
    }
}

#[test]
fn java_client_is_found_in_a_jar_and_missed_without_one() {
    let folders = folders(&["task/lib/other.txt"]);
    let message = command("java21", &folders).unwrap_err();
    assert!(
        message.contains("aws-lambda-java-runtime-interface-client"),
        "{message}"
    );

    let jar = std::fs::File::create(folders.here.task.join("lib/client.jar")).unwrap();
    let mut jar = zip::ZipWriter::new(jar);
    let class = "com/amazonaws/services/lambda/runtime/api/client/AWSLambda.class";
    jar.start_file(class, zip::write::SimpleFileOptions::default())
        .unwrap();
    jar.write_all(b"class").unwrap();
    jar.finish().unwrap();
    assert!(command("java21", &folders).is_ok());
}

#[test]
fn node_without_its_client_says_what_to_install() {
    let message = command("nodejs22.x", &folders(&[])).unwrap_err();
    assert!(
        message.ends_with("index.mjs does not exist: install aws-lambda-ric there"),
        "{message}"
    );
}

#[test]
fn wrapper_gets_the_command_as_its_arguments() {
    let folders = folders(&["opt/wrapper", "runtime/bin/python"]);
    let function = Function::new("f", "unused").runtime("python3.13".parse().unwrap());
    let command = Command::of_runtime(&function, &folders.here, &folders.seen, None).unwrap();
    for (wrapper, program, there) in [
        ("/opt/wrapper", "/opt/wrapper", true),
        ("/opt/other", "/opt/other", false),
        ("/var/task/wrapper", "/var/task/wrapper", false),
        ("wrapper", "/var/task/wrapper", false),
    ] {
        let wrapped = command
            .clone()
            .wrapped(wrapper, &folders.here, &folders.seen);
        assert_eq!(wrapped.program, Path::new(program), "{wrapper}");
        assert_eq!(wrapped.arguments[..2], ["/var/runtime/bin/python", "-m"]);
        assert_eq!(wrapped.check().is_ok(), there, "{wrapper}");
    }
}

#[test]
fn only_managed_runtimes_are_wrapped() {
    let variables = [(WRAPPER.to_owned(), "/opt/wrapper".to_owned())].into();
    let function = Function::new("f", "unused");
    assert_eq!(wrapper_of(&function, &variables), None);
    let function = function.runtime("nodejs22.x".parse().unwrap());
    assert_eq!(wrapper_of(&function, &variables), Some("/opt/wrapper"));
}
