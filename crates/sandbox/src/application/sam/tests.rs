use std::fmt::Write as _;

use expect_test::{Expect, ExpectFile, expect, expect_file};

use super::*;

mod mutations;
mod problems;

/// A folder that is not there: reading a template touches nothing.
const FOLDER: &str = "/app";

fn read(text: &str, overrides: &Overrides) -> Result<Application, Vec<String>> {
    let surroundings = Surroundings {
        folder: Path::new(FOLDER),
        cache: Path::new("/cache"),
        built: false,
        overrides,
    };
    parse(text, surroundings)
}

fn at_endpoint() -> Overrides {
    Overrides {
        aws_endpoint: Some("http://127.0.0.1:5000".to_owned()),
        ..Overrides::default()
    }
}

/// What a template became, a line for each thing.
fn told(result: Result<Application, Vec<String>>) -> String {
    let application = match result {
        Ok(application) => application,
        Err(problems) => return problems.join("\n"),
    };
    let mut text = String::new();
    for function in &application.functions {
        tell_function(&mut text, function);
    }
    for api in &application.apis {
        let HttpApi {
            name,
            listen,
            stage,
            stage_variables,
            binary_media_types,
            authorizers,
        } = api;
        writeln!(text, "api {name} on {listen}, stage {stage}").unwrap();
        for (key, value) in stage_variables {
            writeln!(text, "    {key}={value}").unwrap();
        }
        for media_type in binary_media_types.iter().flatten() {
            writeln!(text, "    binary {media_type}").unwrap();
        }
        for authorizer in authorizers {
            writeln!(text, "    {authorizer:?}").unwrap();
        }
    }
    for resource in &application.resources {
        writeln!(
            text,
            "resource {} {} {}",
            resource.logical_id, resource.kind, resource.properties
        )
        .unwrap();
    }
    for note in &application.notes {
        writeln!(text, "note {note}").unwrap();
    }
    for code in &application.inline {
        writeln!(
            text,
            "code {} {:?}",
            code.folder.join(code.file).display(),
            code.text
        )
        .unwrap();
    }
    text
}

fn tell_function(text: &mut String, function: &Function) {
    writeln!(
        text,
        "function {}: {} {} in {}, {} MB, {:?}, /tmp {} MB",
        function.name,
        function.runtime,
        function.handler,
        function.code.display(),
        function.memory_mb,
        function.timeout,
        function.ephemeral_storage_mb
    )
    .unwrap();
    if let Some(url) = function.url {
        writeln!(text, "    url {url}, streams: {}", function.url_streams).unwrap();
    }
    writeln!(
        text,
        "    concurrency {:?}, {:?}, retries {:?}, age {:?}, {:?}",
        function.concurrency,
        function.initialization,
        function.event_retries_max,
        function.event_age_max,
        function.logging
    )
    .unwrap();
    for layer in &function.layers {
        writeln!(text, "    layer {}", layer.display()).unwrap();
    }
    for (key, value) in &function.environment {
        writeln!(text, "    {key}={value}").unwrap();
    }
    for source in &function.sources {
        writeln!(text, "    {source:?}").unwrap();
    }
    writeln!(text, "    {:?}", function.destinations).unwrap();
}

fn check_file(text: &str, expected: ExpectFile) {
    expected.assert_eq(&told(read(text, &at_endpoint())));
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&told(read(text, &Overrides::default())));
}

const SHOP: &str = include_str!("../../../tests/definition/shop.yaml");
const FANOUT: &str = include_str!("../../../tests/definition/fanout.yaml");
const CLICKS: &str = include_str!("../../../tests/definition/clicks.yaml");
const UPLOADS: &str = include_str!("../../../tests/definition/uploads.yaml");
const SETTINGS: &str = include_str!("../../../tests/definition/settings.yaml");
const ORDERS: &str = include_str!("../../../tests/definition/orders.json");

#[test]
fn an_api_a_queue_a_table_stream_and_a_schedule() {
    check_file(SHOP, expect_file!["../../../tests/definition/shop.txt"]);
}

#[test]
fn a_topic_with_filters_and_queues_behind_it() {
    check_file(FANOUT, expect_file!["../../../tests/definition/fanout.txt"]);
}

#[test]
fn a_stream_in_plain_cloudformation() {
    check_file(CLICKS, expect_file!["../../../tests/definition/clicks.txt"]);
}

#[test]
fn a_bucket_a_bus_layers_and_urls() {
    check_file(
        UPLOADS,
        expect_file!["../../../tests/definition/uploads.txt"],
    );
}

#[test]
fn globals_conditions_mappings_and_parameters() {
    check_file(
        SETTINGS,
        expect_file!["../../../tests/definition/settings.txt"],
    );
}

#[test]
fn what_cdk_synthesizes() {
    check_file(ORDERS, expect_file!["../../../tests/definition/orders.txt"]);
}

#[test]
fn parameters_come_from_the_caller_before_their_defaults() {
    let mut overrides = at_endpoint();
    for (name, value) in [("Stage", "prod"), ("Memory", "128"), ("Batch", "10")] {
        overrides
            .parameters
            .insert(name.to_owned(), value.to_owned());
    }
    // The queue is a FIFO one there, which takes no window; `yes` is true, as YAML 1.1 has it.
    let text = SETTINGS.replace("MaximumBatchingWindowInSeconds: 1", "Enabled: yes");
    expect![[r#"
        function Plain: provided.al2023 bootstrap in /app/build/, 128 MB, 30s, /tmp 512 MB
            concurrency None, OnDemand, retries None, age None, Logging { format: Json, application: Info, system: Info }
            layer /app/layers/base
            LEVEL=info
            STAGE=prod
            EventDestinations { on_success: None, on_failure: None, dead_letter: None }
        function ProdOnly: provided.al2023 bootstrap in /app/never, 128 MB, 30s, /tmp 512 MB
            concurrency None, OnDemand, retries None, age None, Logging { format: Json, application: Info, system: Info }
            layer /app/layers/base
            LEVEL=info
            STAGE=prod
            EventDestinations { on_success: None, on_failure: None, dead_letter: None }
        function prod-rich: provided.al2023 bootstrap in /app/build/, 10240 MB, 30s, /tmp 512 MB
            concurrency Some(3), Provisioned(2), retries None, age None, Logging { format: Json, application: Info, system: Info }
            layer /app/layers/base
            layer /app/layers/extra.zip
            ACCOUNT=012345678901
            API=https://MyApi.execute-api.us-east-1.amazonaws.com/prod
            COUNT=3
            EMPTY=
            ENCODED=cHJvZCE=
            FLAG=true
            HOST=c.example
            LAST=b
            LEVEL=debug
            NAMES=first;second;third
            QUEUE=http://127.0.0.1:5000/123456789012/prod-work.fifo
            QUEUE_ARN=arn:aws:sqs:us-east-1:123456789012:prod-work.fifo
            ROLE=arn:aws:iam::123456789012:role/RichRole
            SECOND=second
            SECRET=/shop/secret
            STAGE=prod
            SUB=prod-work.fifo in us-east-1 of 123456789012, ${Literal}
            VERSION=prod-rich
            Http(HttpRoute { kind: Rest, api: "MyApi", method: "ANY", path: "/{proxy+}", authorizer: None })
            Sqs(SqsSource { queue: "arn:aws:sqs:us-east-1:123456789012:prod-work.fifo", batch_size: 10, window: 0ns, report_item_failures: false, concurrency_max: Some(5), filters: [Object {"body": Object {"stage": Array [String("dev")]}}], enabled: true })
            EventDestinations { on_success: None, on_failure: None, dead_letter: None }
        api MyApi on 127.0.0.1:4330, stage prod
        resource Queue AWS::SQS::Queue {"FifoQueue":true,"QueueName":"prod-work.fifo","Tags":[{"Key":"stage","Value":"prod"}]}
        resource Table AWS::DynamoDB::Table {"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"N"}],"BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"TableName":"Table"}
        note Parameters.Secret: is not looked up in the parameter store, its name is taken for its value
        note Resources.ProdOnly.Properties.Nonsense: has no effect here
    "#]].assert_eq(&told(read(&text, &overrides)));
    overrides
        .parameters
        .insert("Stag".to_owned(), "x".to_owned());
    overrides
        .parameters
        .insert("Stage".to_owned(), "test".to_owned());
    expect![[r#"
        Parameters (line 5): no parameter Stag, did you mean Stage
        Parameters.Stage (line 6): expected one of dev, prod, found "test"
        Resources.Plain.Properties.Timeout (line 73): Fn::FindInMap: no Mappings.Limits.test.Timeout
        Resources.Rich.Properties.Environment.Variables.HOST (line 95): Fn::FindInMap: no Mappings.Limits.test.Hosts
        Resources.Rich.Properties.Timeout (line 78): Fn::FindInMap: no Mappings.Limits.test.Timeout"#]].assert_eq(&told(read(SETTINGS, &overrides)));
}

#[test]
fn authorizers_stage_variables_and_binary_media_types() {
    let text = r#"
Globals:
  Api:
    BinaryMediaTypes: [image~1png]
    Auth: {DefaultAuthorizer: Token, Authorizers: {Token: {FunctionArn: !GetAtt Auth.Arn}}}
Resources:
  Auth:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: auth, Runtime: provided.al2023}
  Rest:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Variables: {color: red}
      BinaryMediaTypes: ["*~1*"]
      Auth:
        DefaultAuthorizer: Request
        Authorizers:
          Request:
            FunctionArn: !GetAtt Auth.Arn
            FunctionPayloadType: REQUEST
            Identity: {Headers: [X-Key], QueryStrings: [key], Context: [identity.sourceIp], ReauthorizeEvery: 0}
          Pool: {UserPoolArn: arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a}
  Http:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageVariables: {color: blue}
      Auth:
        Authorizers:
          Simple:
            FunctionArn: !GetAtt Auth.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
            Identity: {Headers: [Authorization]}
          Jwt: {JwtConfiguration: {issuer: "https://example.com", audience: [me]}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: worker
      Runtime: provided.al2023
      Events:
        Own: {Type: Api, Properties: {Path: /own, Method: get}}
        Rest: {Type: Api, Properties: {RestApiId: !Ref Rest, Path: /a, Method: get}}
        Open: {Type: Api, Properties: {RestApiId: !Ref Rest, Path: /b, Method: get, Auth: {Authorizer: NONE}}}
        Pool: {Type: Api, Properties: {RestApiId: !Ref Rest, Path: /c, Method: get, Auth: {Authorizer: Pool}}}
        Http: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: /a, Method: get, Auth: {Authorizer: Simple}}}
        Free: {Type: HttpApi, Properties: {ApiId: !Ref Http, Path: /b, Method: get}}
"#;
    expect![[r#"
        function Auth: provided.al2023 bootstrap in /app/auth, 128 MB, 3s, /tmp 512 MB
            concurrency None, OnDemand, retries None, age None, Logging { format: Text, application: Info, system: Info }
            EventDestinations { on_success: None, on_failure: None, dead_letter: None }
        function Worker: provided.al2023 bootstrap in /app/worker, 128 MB, 3s, /tmp 512 MB
            concurrency None, OnDemand, retries None, age None, Logging { format: Text, application: Info, system: Info }
            Http(HttpRoute { kind: Http, api: "Http", method: "GET", path: "/b", authorizer: None })
            Http(HttpRoute { kind: Http, api: "Http", method: "GET", path: "/a", authorizer: Some("Simple") })
            Http(HttpRoute { kind: Rest, api: "Rest", method: "GET", path: "/b", authorizer: None })
            Http(HttpRoute { kind: Rest, api: "ServerlessRestApi", method: "GET", path: "/own", authorizer: Some("Token") })
            Http(HttpRoute { kind: Rest, api: "Rest", method: "GET", path: "/c", authorizer: None })
            Http(HttpRoute { kind: Rest, api: "Rest", method: "GET", path: "/a", authorizer: Some("Request") })
            EventDestinations { on_success: None, on_failure: None, dead_letter: None }
        api Http on 127.0.0.1:4330, stage $default
            color=blue
            Authorizer { name: "Simple", function: "Auth", event: Request2 { simple: true }, identity: [Header("Authorization")], keep: 300s }
        api Rest on 127.0.0.1:4331, stage prod
            color=red
            binary image/png
            binary */*
            Authorizer { name: "Request", function: "Auth", event: Request1, identity: [Header("X-Key"), Query("key"), Context("identity.sourceIp")], keep: 0ns }
            Authorizer { name: "Token", function: "Auth", event: Token, identity: [Header("Authorization")], keep: 300s }
        api ServerlessRestApi on 127.0.0.1:4332, stage Prod
            binary image/png
            Authorizer { name: "Token", function: "Auth", event: Token, identity: [Header("Authorization")], keep: 300s }
        note Resources.Http.Properties.Auth.Authorizers.Jwt: is no function and not run here: requests pass without it
        note Resources.Rest.Properties.Auth.Authorizers.Pool: is no function and not run here: requests pass without it
        note Resources.Worker.Properties.Events.Pool.Properties.Auth.Authorizer: Pool is not run here: requests pass without it
    "#]].assert_eq(&told(read(text, &Overrides::default())));
}

#[test]
fn managed_instances_in_sam_and_in_cloudformation() {
    let text = r#"
Resources:
  Fleet:
    Type: AWS::Serverless::CapacityProvider
    Properties: {VpcConfig: {SubnetIds: [subnet-1]}}
  Sam:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: sam
      Runtime: provided.al2023
      MemorySize: 4096
      CapacityProviderConfig:
        Arn: !GetAtt Fleet.Arn
        PerExecutionEnvironmentMaxConcurrency: 16
        ExecutionEnvironmentMemoryGiBPerVCpu: 4
      FunctionScalingConfig: {MinExecutionEnvironments: 1, MaxExecutionEnvironments: 6}
  Plain:
    Type: AWS::Lambda::Function
    Properties:
      Code: plain
      Handler: bootstrap
      Runtime: provided.al2023
      Role: none
      CapacityProviderConfig:
        LambdaManagedInstancesCapacityProviderConfig:
          CapacityProviderArn: arn:aws:lambda:us-east-1:123456789012:capacity-provider:fleet
          PerExecutionEnvironmentMaxConcurrency: 2
"#;
    expect![[r#"
        function Plain: provided.al2023 bootstrap in /app/plain, 2048 MB, 3s, /tmp 512 MB
            concurrency None, Managed(ManagedInstances { max_concurrency: 2, environments_min: 3 }), retries None, age None, Logging { format: Json, application: Info, system: Info }
            EventDestinations { on_success: None, on_failure: None, dead_letter: None }
        function Sam: provided.al2023 bootstrap in /app/sam, 4096 MB, 3s, /tmp 512 MB
            concurrency Some(6), Managed(ManagedInstances { max_concurrency: 16, environments_min: 1 }), retries None, age None, Logging { format: Json, application: Info, system: Info }
            EventDestinations { on_success: None, on_failure: None, dead_letter: None }
        note AWS::Serverless::CapacityProvider is not run here (Fleet)
    "#]].assert_eq(&told(read(text, &Overrides::default())));
    let text = text.replace("MemorySize: 4096", "MemorySize: 512");
    expect!["Resources.Sam.Properties.MemorySize (line 11): expected a whole number of MB on managed instances from 2048 to 32768, found 512"].assert_eq(&told(read(&text, &Overrides::default())));
}
