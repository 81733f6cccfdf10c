//! What is wrong with a template, and where.

use super::*;

/// A template with these resources, which begin in line 2.
fn resources(text: &str) -> String {
    format!("Resources:\n{text}")
}

/// A template with one function of these properties, and these resources after it.
fn function(properties: &str, after: &str) -> String {
    let mut text =
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n".to_owned();
    for line in properties.lines() {
        text += &format!("      {line}\n");
    }
    text + after
}

const SOUND: &str = "{CodeUri: f, Runtime: provided.al2023}";

#[test]
fn what_is_no_template_says_so() {
    check("", expect!["empty: a template has Resources"]);
    check("x", expect![[r#"template: expected a map, found "x""#]]);
    check(
        "Resources: {}",
        expect!["Resources (line 1): missing: a template has at least one function"],
    );
    check(
        "Resourcs: {}",
        expect!["Resourcs (line 1): unknown section, did you mean Resources"],
    );
    check(
        "Resources:\n  - x\n",
        expect![[r#"Resources (line 1): expected a map, found ["x"]"#]],
    );
    check(
        &resources("  F: 3\n"),
        expect!["Resources.F (line 2): expected a map, the resource, found 3"],
    );
    check(
        &resources("  F: {Typ: x}\n"),
        expect!["Resources.F (line 2): missing Type, such as AWS::Serverless::Function"],
    );
    check(
        &resources("  Q: {Type: AWS::SQS::Queue}\n"),
        expect![
            "Resources (line 1): no function: an application has at least one AWS::Serverless::Function"
        ],
    );
    check(
        &resources("  Fn::ForEach::X: []\n"),
        expect![
            "Resources.Fn::ForEach::X (line 2): Fn::ForEach is not supported, write the resources out"
        ],
    );
    check(
        "Resources:\n\tF: 1\n",
        expect!["line 2 is not YAML: tabs disallowed within this context (block indentation)"],
    );
}

#[test]
fn settings_of_a_function_are_checked() {
    check(
        &function(
            "Runtime: dotnet8\nMemorySize: 64\nTimeout: !Ref Nothing\nHandlr: x\nEphemeralStorage: {Size: big}\nReservedConcurrentExecutions: -1\nSnapStart: {ApplyOn: Always}\nEnvironment:\n  Variables:\n    A-B: x\n    L: [1]\nFileSystemConfigs: []\nDeadLetterQueue: {TargetArn: https://queue}\nLoggingConfig: {ApplicationLogLevel: DEBUG}",
            "",
        ),
        expect![[r#"
            Resources.F.Properties.Handlr (line 8): unknown property, did you mean Handler
            Resources.F.Properties.Timeout (line 7): no resource or parameter Nothing in this template
            Resources.F.Properties.Runtime (line 5): unknown runtime "dotnet8": expected provided.al2023, python3.x, nodejs2x.x or java2x
            Resources.F.Properties.CodeUri (line 4): missing, the folder with the function's code
            Resources.F.Properties.MemorySize (line 6): expected a whole number of MB from 128 to 10240, found 64
            Resources.F.Properties.ReservedConcurrentExecutions (line 10): expected a whole number of environments from 0 to 1000, found -1
            Resources.F.Properties.EphemeralStorage.Size (line 9): expected a whole number of MB from 512 to 10240, found "big"
            Resources.F.Properties.SnapStart.ApplyOn (line 11): expected one of PublishedVersions, None, found "Always"
            Resources.F.Properties.Environment.Variables.A-B (line 14): a variable name is letters, digits and underscores, a letter first
            Resources.F.Properties.Environment.Variables.L (line 15): expected a string, found [1]
            Resources.F.Properties.LoggingConfig.ApplicationLogLevel (line 18): only with LogFormat: JSON, as on Lambda
            Resources.F.Properties.DeadLetterQueue.TargetArn (line 17): expected an ARN such as !GetAtt Queue.Arn, found "https://queue""#]],
    );
    check(
        &function("PackageType: Image\nImageUri: x", ""),
        expect![
            "Resources.F.Properties.PackageType (line 5): Image cannot be run, there is no Docker here: package the function as Zip"
        ],
    );
    check(
        &function("CodeUri: s3://bucket/key\nRuntime: provided.al2023", ""),
        expect![[
            r#"Resources.F.Properties.CodeUri (line 5): expected a folder or a zip on this machine, found "s3://bucket/key""#
        ]],
    );
    check(
        &function("CodeUri: {Bucket: b, Key: k}\nRuntime: provided.al2023", ""),
        expect![[
            r#"Resources.F.Properties.CodeUri (line 5): expected a folder or a zip on this machine, found {"Bucket":"b","Key":"k"}"#
        ]],
    );
    check(
        &function("InlineCode: x\nRuntime: provided.al2023", ""),
        expect![
            "Resources.F.Properties.InlineCode (line 5): code in a template is Python or Node, found provided.al2023"
        ],
    );
    check(
        &function("CodeUri: f\nRuntime: python3.13", ""),
        expect!["Resources.F.Properties (line 4): missing key Handler, such as app.handler"],
    );
    check(
        &function(
            "CodeUri: f\nRuntime: provided.al2023\nFunctionName: G",
            &format!("  G: {{Type: AWS::Serverless::Function, Properties: {SOUND}}}\n"),
        ),
        expect!["Resources.G.Properties (line 8): another function is named G"],
    );
}

#[test]
fn code_that_must_be_built_says_how() {
    let text = function("CodeUri: f\nRuntime: provided.al2023", "").replace(
        "    Type",
        "    Metadata: {BuildMethod: rust-cargolambda}\n    Type",
    );
    check(
        &text,
        expect![
            "Resources.F.Metadata.BuildMethod (line 3): rust-cargolambda is not built here: run sam build, then read .aws-sam/build/template.yaml"
        ],
    );
    let overrides = Overrides::default();
    let mut surroundings = Surroundings {
        folder: Path::new(FOLDER),
        cache: Path::new("/cache"),
        built: true,
        overrides: &overrides,
    };
    expect!["Resources.F.Metadata.BuildMethod (line 3): rust-cargolambda is not built here: what sam build made of it is read with --app .aws-sam/build/template.yaml"].assert_eq(&told(parse(&text, surroundings)));
    surroundings.folder = Path::new("/app/.aws-sam/build");
    surroundings.built = false;
    assert!(parse(&text, surroundings).is_ok());
}

#[test]
fn events_are_checked() {
    let text = function(
        "CodeUri: f\nRuntime: provided.al2023\nEvents:\n  A: {Type: SQS, Properties: {Queue: !Ref Q}}\n  B: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn, BatchSize: 11}}\n  C: {Type: SQS}\n  D: {Type: Sqs}\n  E: {Properties: {}}\n  F: {Type: Kinesis, Properties: {Stream: !GetAtt Q.Arn}}\n  G: {Type: Api, Properties: {Path: orders, Method: fetch}}\n  H: {Type: Api}\n  I: {Type: Schedule, Properties: {Schedule: daily}}\n  J: {Type: ScheduleV2, Properties: {ScheduleExpression: at(2026-01-01T00:00:00)}}\n  K: {Type: S3, Properties: {Bucket: b}}\n  L: {Type: SNS, Properties: {Topic: t}}\n  M: {Type: EventBridgeRule}\n  N: {Type: DynamoDB, Properties: {Stream: !GetAtt Q.Arn, StartingPosition: AT_TIMESTAMP, FilterCriteria: {Filters: [{Pattern: nonsense}]}, MaximumRetryAttempts: -2, FunctionResponseTypes: [x]}}\n  O: {Type: MQ}\n  P: 5\n  R: {Type: SelfManagedKafka, Properties: {Topics: [t], StartingPosition: LATEST}}",
        "  Q: {Type: AWS::SQS::Queue}\n",
    );
    check(
        &text,
        expect![[r#"
            Resources.F.Properties.Events.A.Properties.Queue (line 8): expected an ARN such as !GetAtt Queue.Arn, found "https://sqs.us-east-1.amazonaws.com/123456789012/Q"
            Resources.F.Properties.Events.B.Properties.BatchSize (line 9): more than 10 messages need MaximumBatchingWindowInSeconds of at least 1
            Resources.F.Properties.Events.C.Properties (line 10): missing Queue, the ARN of a queue
            Resources.F.Properties.Events.D.Type (line 11): no event type Sqs, did you mean SQS
            Resources.F.Properties.Events.E (line 12): missing Type, such as SQS
            Resources.F.Properties.Events.F.Properties (line 13): missing StartingPosition, TRIM_HORIZON or LATEST
            Resources.F.Properties.Events.G.Properties.Method (line 14): expected one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, ANY, found "fetch"
            Resources.F.Properties.Events.H.Properties (line 15): missing Path, such as /orders
            Resources.F.Properties.Events.I.Properties.Schedule (line 16): "daily": expected rate(5 minutes) or cron(0 10 * * ? *)
            Resources.F.Properties.Events.K.Properties (line 18): missing Events, such as s3:ObjectCreated:*
            Resources.F.Properties.Events.L.Properties.Topic (line 19): expected an ARN such as !GetAtt Queue.Arn, found "t"
            Resources.F.Properties.Events.M.Properties (line 20): missing Pattern, which events match
            Resources.F.Properties.Events.N.Properties.StartingPosition (line 21): expected one of TRIM_HORIZON, LATEST, found "AT_TIMESTAMP"
            Resources.F.Properties.Events.N.Properties.MaximumRetryAttempts (line 21): expected -1 for no end or a whole number of retries from 0 to 10000, found -2
            Resources.F.Properties.Events.N.Properties.FunctionResponseTypes (line 21): expected ReportBatchItemFailures, found "x"
            Resources.F.Properties.Events.N.Properties.FilterCriteria.Filters[0] (line 21): expected a pattern, a JSON object, found "nonsense"
            Resources.F.Properties.Events.P (line 23): expected a map, the event, found 5
            Resources.F.Properties.Events.R.Properties (line 24): missing KafkaBootstrapServers"#]],
    );
}

#[test]
fn references_that_lead_nowhere_are_named() {
    let variables = "CodeUri: f\nRuntime: provided.al2023\nEnvironment:\n  Variables:\n    A: !Ref Orders\n    B: !GetAtt Q.Url\n    C: !Sub '${Q.Arn} ${Missing} ${'\n    D: !ImportValue x\n    E: !FindInMap [A, B, C]\n    F: !If [No, 1, 2]\n    G: !Select [3, [a, b]]\n    H: !Join [a, b, c]\n    I: !Cidr [1]\n    J: !Ref AWS::Nonsense\n    K: !Ref Gone\n    L: !Equals [1, 1]\n    M: !GetAtt Q\n    N: !Split ['', x]\n    O: !Sub [x]\n    P: !Transform {Name: 'AWS::Include'}";
    let text = "Conditions:\n  Never: !Equals [1, 2]\n".to_owned()
        + &function(
            variables,
            "  Order: {Type: AWS::SQS::Queue}\n  Q: {Type: AWS::SQS::Queue}\n  Gone: {Type: AWS::SQS::Queue, Condition: Never}\n",
        );
    check(
        &text,
        expect![[r#"
            Resources.F.Properties.Environment.Variables.A (line 11): no resource or parameter Orders, did you mean Order
            Resources.F.Properties.Environment.Variables.B (line 12): Q has no attribute "Url", expected one of Arn, QueueName, QueueUrl
            Resources.F.Properties.Environment.Variables.C (line 13): no resource or parameter Missing in this template
            Resources.F.Properties.Environment.Variables.C (line 13): Fn::Sub: a ${ without an end
            Resources.F.Properties.Environment.Variables.D (line 14): Fn::ImportValue is of another stack, which is not here: use a parameter
            Resources.F.Properties.Environment.Variables.E (line 15): Fn::FindInMap: no Mappings.A.B.C
            Resources.F.Properties.Environment.Variables.F (line 16): no condition No in this template
            Resources.F.Properties.Environment.Variables.G (line 17): expected an index of the list after Fn::Select, found 3
            Resources.F.Properties.Environment.Variables.H (line 18): expected a delimiter and a list after Fn::Join, found ["a","b","c"]
            Resources.F.Properties.Environment.Variables.I (line 19): Fn::Cidr is not supported
            Resources.F.Properties.Environment.Variables.J (line 20): no pseudo parameter AWS::Nonsense
            Resources.F.Properties.Environment.Variables.K (line 21): Gone is not there: its condition does not hold
            Resources.F.Properties.Environment.Variables.L (line 22): Fn::Equals stands in Conditions only
            Resources.F.Properties.Environment.Variables.M (line 23): Q has no attribute "", expected one of Arn, QueueName, QueueUrl
            Resources.F.Properties.Environment.Variables.N (line 24): expected a delimiter after Fn::Split, found ["","x"]
            Resources.F.Properties.Environment.Variables.O (line 25): expected a text and a map after Fn::Sub, found ["x"]
            Resources.F.Properties.Environment.Variables.P (line 26): Fn::Transform is not supported"#]],
    );
}

#[test]
fn parameters_need_values() {
    let text = "Parameters:\n  Stage: {Type: String}\n  Size: {Type: String, Default: [x]}\n  Kind: {Type: String, Default: c, AllowedValues: [a, b]}\n".to_owned()
        + &function("CodeUri: f\nRuntime: provided.al2023", "");
    check(
        &text,
        expect![[r#"
        Parameters.Kind (line 4): expected one of a, b, found "c"
        Parameters.Size.Default (line 3): expected a value, found ["x"]
        Parameters.Stage (line 2): has no Default: say what it is with --parameter Stage=VALUE"#]],
    );
}

#[test]
fn nothing_needs_itself() {
    let text = "Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]\n".to_owned()
        + &function(
            "CodeUri: f\nRuntime: provided.al2023\nHandler: !If [A, x, y]\nTimeout: !Ref One",
            "  One: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Two.QueueName}}\n  Two: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt One.QueueName}}\n",
        );
    check(
        &text,
        expect![[r#"
            Conditions.A (line 2): needs itself
            Resources.One.Properties.QueueName (line 12): needs itself
            Resources.F.Properties.Timeout (line 11): expected a whole number of seconds from 1 to 900, found "https://sqs.us-east-1.amazonaws.com/123456789012/One"
            Resources.Two.Properties.QueueName (line 13): needs itself"#]],
    );
}

#[test]
fn references_cannot_grow_without_end() {
    let mut after =
        "  Q0: {Type: AWS::SQS::Queue, Properties: {QueueName: xxxxxxxxxx}}\n".to_owned();
    for level in 1..40 {
        let below = format!("${{Q{}.QueueName}}", level - 1).repeat(2);
        after += &format!(
            "  Q{level}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Sub '{below}'}}}}\n"
        );
    }
    let text = function(
        "CodeUri: f\nRuntime: provided.al2023\nHandler: !Ref Q39",
        &after,
    );
    let problems = read(&text, &Overrides::default()).unwrap_err();
    assert!(problems[0].contains("grow beyond"), "{problems:?}");

    let mut after = "  Q0: {Type: AWS::SQS::Queue}\n".to_owned();
    for level in 1..400 {
        after += &format!(
            "  Q{level}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !GetAtt Q{}.QueueName}}}}\n",
            level - 1
        );
    }
    let text = function(
        "CodeUri: f\nRuntime: provided.al2023\nHandler: !Ref Q399",
        &after,
    );
    let problems = read(&text, &Overrides::default()).unwrap_err();
    assert!(problems[0].contains("lead too far"), "{problems:?}");
}

#[test]
fn other_resources_are_told_once_a_type() {
    let text = function(
        "CodeUri: f\nRuntime: provided.al2023",
        "  One: {Type: AWS::Cognito::UserPool}\n  Two: {Type: AWS::Cognito::UserPool}\n  Three: {Type: AWS::Serverless::StateMachine}\n  Role: {Type: AWS::IAM::Role}\n",
    );
    check(
        &text,
        expect![[r#"
        function F: provided.al2023 bootstrap in /app/f, 128 MB, 3s, /tmp 512 MB
            concurrency None, OnDemand, retries None, age None, Logging { format: Text, application: Info, system: Info }
            EventDestinations { on_success: None, on_failure: None, dead_letter: None }
        note AWS::Cognito::UserPool is not run here (One, Two)
        note AWS::Serverless::StateMachine is not run here (Three)
    "#]],
    );
}

#[test]
fn a_bootstrap_for_another_machine_is_told() {
    let other = match std::env::consts::ARCH {
        "aarch64" => "x86_64",
        _ => "arm64",
    };
    let architectures = format!("Architectures: [{other}]");
    let text = function(
        &format!("CodeUri: f\nRuntime: provided.al2023\n{architectures}"),
        "",
    );
    let notes = read(&text, &Overrides::default()).unwrap().notes;
    assert!(
        notes[0].contains(&format!("Architectures: is {other}")),
        "{notes:?}"
    );
    let text = function(
        &format!("CodeUri: f\nRuntime: python3.13\nHandler: a.b\n{architectures}"),
        "",
    );
    assert!(read(&text, &Overrides::default()).unwrap().notes.is_empty());
}

#[test]
fn routes_of_an_api_may_be_in_its_openapi_text() {
    let text = function(
        "CodeUri: f\nRuntime: provided.al2023\nEvents:\n  Same: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /a, Method: get}}",
        r"
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /a:
            get:
              x-amazon-apigateway-integration:
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations
          /b/{id}:
            x-amazon-apigateway-any-method:
              x-amazon-apigateway-integration:
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations
            options:
              x-amazon-apigateway-integration: {type: mock}
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        paths:
          /$default:
            x-amazon-apigateway-any-method:
              x-amazon-apigateway-integration: {uri: !GetAtt F.Arn}
",
    );
    check(
        &text,
        expect![[r#"
            function F: provided.al2023 bootstrap in /app/f, 128 MB, 3s, /tmp 512 MB
                concurrency None, OnDemand, retries None, age None, Logging { format: Text, application: Info, system: Info }
                Http(HttpRoute { kind: Rest, api: "Api", method: "GET", path: "/a", authorizer: None })
                Http(HttpRoute { kind: Rest, api: "Api", method: "ANY", path: "/b/{id}", authorizer: None })
                Http(HttpRoute { kind: Http, api: "Http", method: "ANY", path: "$default", authorizer: None })
                EventDestinations { on_success: None, on_failure: None, dead_letter: None }
            api Api on 127.0.0.1:4330, stage v1
            api Http on 127.0.0.1:4331, stage $default
            note Resources.Api.Properties.DefinitionBody.paths./b/{id}.options: leads to no function, and is not answered
        "#]],
    );
}
