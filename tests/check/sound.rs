//! Functions without a fault, Nozzle's own among them: nothing is found.

use std::{fs, process::Command, sync::Arc};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use super::{
    Server, check, folder, found, nozzle, report_of, said,
    support::{
        emulators,
        proxy::Proxy,
        runtime_api::{Function, Outcome},
    },
    with,
};

#[test]
fn the_functions_that_have_no_fault_pass() {
    let report = check("python3 function.py", &["--skip", "too-large"], &[], &[]);
    assert_eq!(report["passed"], 27);
    assert_eq!(found(&report, "partition-keys"), "day,type");
    assert_eq!(
        found(&report, "concurrency"),
        "20 of 20 racing copies delivered"
    );
    let report = check("node function.mjs", &["--skip", "too-large"], &[], &[]);
    assert_eq!(with(&report, "skip"), ["partition-keys"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nozzles_own_function_passes_with_a_real_table() {
    let Some(emulator) = emulators::ministack() else {
        return;
    };
    emulator.create_table().await;
    let table = format!("http://{}", emulator.address);
    let report = check_ours(move || {
        let mut command = nozzle(&["--json", "--skip", "too-large", "--skip", "thousands"]);
        command
            .args([
                "--partition-keys",
                "event_type,event_subtype,year,month,day",
            ])
            .args(["--command", env!("CARGO_BIN_EXE_firehose-transform")])
            .env("AWS_ENDPOINT_URL_DYNAMODB", table)
            .env("EVENT_CACHE_TABLE_NAME", "claims")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        command
    });
    let report = report.await;
    assert_eq!(report["passed"], 26, "{report:#}");
    assert_eq!(found(&report, "copies"), "5 of 15 delivered");
    assert_eq!(
        found(&report, "later-copy"),
        "it drops them: each event once"
    );
    assert_eq!(
        found(&report, "concurrency"),
        "5 of 20 racing copies delivered"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nozzles_own_function_passes_behind_an_address() {
    let table = Proxy::in_memory();
    let endpoint = format!("http://{}", table.listen().await);
    let settings = [("AWS_ENDPOINT_URL_DYNAMODB", &*endpoint)];
    let url = serve(Arc::new(Function::start(&settings).await)).await;
    let report = check_ours(move || nozzle(&["--json", "--url", &url, "--timeout", "300"]));
    let report = report.await;
    assert_eq!(report["passed"], 28, "{report:#}");
    let room = found(&report, "too-large");
    assert!(
        room.ends_with("overflow; the answer has 99 % of the limit"),
        "{room}"
    );
}

/// The report on a function that has no fault.
async fn check_ours(command: impl FnOnce() -> Command + Send + 'static) -> Value {
    let output = tokio::task::spawn_blocking(|| command().output().unwrap());
    let output = output.await.unwrap();
    let report = report_of(&output);
    assert!(output.status.success(), "{report:#}");
    report
}

/// Lambda's Invoke API in front of a function.
async fn serve(function: Arc<Function>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let function = Arc::clone(&function);
            let service = service_fn(move |request| invoke(Arc::clone(&function), request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    format!("http://{address}/2015-03-31/functions/transform/invocations")
}

async fn invoke(
    function: Arc<Function>,
    request: Request<Incoming>,
) -> Result<Response<Full<hyper::body::Bytes>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    Ok(match function.invoke(body).await {
        Outcome::Answer(answer) => Response::new(Full::new(answer)),
        Outcome::Failure(failure) => Response::builder()
            .header("X-Amz-Function-Error", "Unhandled")
            .body(Full::new(failure.to_string().into()))
            .unwrap(),
        Outcome::Died => panic!("the function died"),
    })
}

/// A folder in which the examples' commands and files are.
fn example_place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    for name in ["function.py", "runtime.py"] {
        fs::copy(folder().join(name), path(name)).unwrap();
    }
    let run = "from function import handler\nimport runtime\nif __name__ == '__main__':\n    runtime.run(handler)\n";
    fs::write(path("app.py"), run).unwrap();
    // In the place of AWS's runtime, which loads the handler it is told.
    fs::create_dir(path("awslambdaric")).unwrap();
    let load = "import app, runtime\nruntime.run(app.handler)\n";
    fs::write(path("awslambdaric/__main__.py"), load).unwrap();
    fs::write(path("bootstrap"), "#!/bin/sh\nexec python3 function.py\n").unwrap();
    let executable = Command::new("chmod")
        .arg("+x")
        .arg(path("bootstrap"))
        .status();
    assert!(executable.unwrap().success());
    let event = "{\"id\":\"1\",\"event_name\":\"a:b\",\"created_at\":1712511721}\n";
    fs::write(path("events.jsonl"), event).unwrap();
    place
}

#[test]
fn every_example_of_the_help_works() {
    let help = nozzle(&["--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let help = help.replace("\\\n", " ");
    let examples = help
        .lines()
        .filter_map(|line| line.strip_prefix("  nozzle "));
    let examples: Vec<_> = examples
        .filter(|example| example.starts_with("check "))
        .collect();
    assert_eq!(examples.len(), 7, "{help}");
    let place = example_place();
    let server = Server::start("none");
    let program = env!("CARGO_BIN_EXE_nozzle");
    for example in examples {
        let example = example.replace(
            "http://127.0.0.1:9000/2015-03-31/functions/transform/invocations",
            &server.url,
        );
        let output = Command::new("sh")
            .args(["-c", &format!("{program} {example}")])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(place.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{example}: {text}{}",
            said(&output)
        );
    }
}
