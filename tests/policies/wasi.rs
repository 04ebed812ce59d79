//! Policies of other toolchains, which expect WASI: the WASI that they find is empty, and its state ends with the call.

use std::time::{Duration, Instant};

use backup_test_hosts::{Options, TestHost};
use backup_test_support::installation::part;
use optimize_backup::policy::admission::AdmissionError;
use optimize_backup::sandbox::CallError;
use optimize_backup::sandbox::types::ListQuery;
use serde_json::json;
use tokio::time::timeout;

use crate::fixtures;
use crate::log::Log;
use crate::{options, test_host};

/// The part of WASI that these policies import.
const WIT: &str = r#"
    package optimize:fixture;
    world policy {
        include optimize:backup/policy@1.0.0;
        import wasi:cli/environment@0.2.0;
        import wasi:cli/exit@0.2.0;
        import wasi:cli/stdout@0.2.0;
        import wasi:clocks/monotonic-clock@0.2.0;
        import wasi:io/poll@0.2.0;
        import wasi:io/streams@0.2.0;
    }
    package wasi:cli@0.2.0 {
        interface environment {
            get-environment: func() -> list<tuple<string, string>>;
            get-arguments: func() -> list<string>;
        }
        interface exit { exit: func(status: result); }
        interface stdout {
            use wasi:io/streams@0.2.0.{output-stream};
            get-stdout: func() -> output-stream;
        }
    }
    package wasi:clocks@0.2.0 {
        interface monotonic-clock {
            use wasi:io/poll@0.2.0.{pollable};
            subscribe-duration: func(when: u64) -> pollable;
        }
    }
    package wasi:io@0.2.0 {
        interface error { resource error; }
        interface poll { resource pollable { block: func(); } }
        interface streams {
            use error.{error};
            variant stream-error { last-operation-failed(error), closed }
            resource output-stream {
                blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
            }
        }
    }
"#;

const IMPORTS: &str = r#"
    (import "wasi:cli/environment@0.2.0" "get-environment" (func $environment (param i32)))
    (import "wasi:cli/environment@0.2.0" "get-arguments" (func $arguments (param i32)))
    (import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $timer (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $wait (param i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))"#;

/// Prints a line a thousand times, and exits.
const PRINT: &str = "(local $left i32) (local $out i32)
    (local.set $left (i32.const 1000))
    (local.set $out (call $stdout))
    (loop
        (call $write (local.get $out) (global.get $line) (global.get $line.bytes) (global.get $result))
        (br_if 0 (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $exit (i32.const 0)) unreachable";

/// Exits if there is neither a variable nor an argument: the length of a list follows its address.
const LOOK_AROUND: &str = "(call $environment (global.get $environment)) (call $arguments (global.get $arguments))
    (if (i32.eqz (i32.or
            (i32.load offset=4 (global.get $environment)) (i32.load offset=4 (global.get $arguments))))
        (then (call $exit (i32.const 1))))
    unreachable";

/// Sleeps for a century.
const SLEEP: &str = "(call $wait (call $timer (i64.const 3155760000000000000))) unreachable";
/// Waits without end for what has already happened.
const WAIT_FOR_NOTHING: &str = "(local $timer i32) (local.set $timer (call $timer (i64.const 0)))
    (loop (call $wait (local.get $timer)) (br 0)) unreachable";
/// Sets timers without end, and keeps them.
const COLLECT_TIMERS: &str = "(loop (drop (call $timer (i64.const 0))) (br 0)) unreachable";

fn policy(body: &str) -> Vec<u8> {
    fixtures::policy_importing(WIT, IMPORTS, body)
}

/// The error of one call of such a policy, and how long it took.
async fn error_of(body: &str, options: Options) -> (CallError, Duration) {
    let host = TestHost::new(options);
    host.serve_unchecked(&policy(body));
    let started = Instant::now();
    let error = host.policies().calls().create("9", Vec::new()).await.unwrap_err();
    (error, started.elapsed())
}

/// A call may last 300 ms.
fn short_calls() -> Options {
    let mut options = options();
    options.limits.wall_time = Duration::from_millis(300);
    options
}

fn ends_with(error: &CallError, words: &str) {
    assert!(matches!(error, CallError::Trapped(text) if text.contains(words)), "{words}: {error}");
}

#[tokio::test]
async fn what_it_prints_is_logged_until_it_is_enough() {
    let (log, _guard) = Log::start();
    error_of(PRINT, options()).await;
    // Of 1000 lines of 37 bytes, 16 KiB are logged: 442 lines, and 30 bytes of the next.
    let lines = log.events("the policy prints");
    let whole = part(7, 1);
    assert_eq!(lines.len(), 444);
    assert!(lines[..442].iter().all(|event| event["fields"]["line"] == json!(&whole)));
    assert_eq!(lines[442]["fields"]["line"], json!(&whole[..30]));
    assert_eq!(lines[0]["fields"]["stream"], json!("stdout"));
    assert_eq!(lines[0]["span"], json!({"name": "policy", "generation": 2, "operation": "create"}));
    let omitted = log.events("the policy prints more");
    assert_eq!(omitted.len(), 1);
    assert_eq!(omitted[0]["fields"]["bytes"], json!(37_000 - 16_384));
}

#[tokio::test]
async fn there_is_nothing_around_it_and_to_exit_ends_the_call_only() {
    let (error, _) = error_of(LOOK_AROUND, options()).await;
    ends_with(&error, "Exited with i32 exit status 1");
}

#[tokio::test]
async fn it_does_not_sleep_longer_than_a_call_may_last_and_keeps_nobody_waiting() {
    let host = TestHost::new(short_calls());
    let before = host.policies().calls();
    host.serve_unchecked(&policy(SLEEP));
    let asleep = host.policies().calls();
    let sleep = asleep.create("9", Vec::new());
    tokio::pin!(sleep);
    // The test has one thread: if the policy blocked it, this timeout would not end.
    assert!(timeout(Duration::from_millis(1), &mut sleep).await.is_err());
    assert!(before.list(&ListQuery::default(), Vec::new()).await.is_ok());
    let error = timeout(Duration::from_secs(30), sleep).await.unwrap().unwrap_err();
    ends_with(&error, "backup.callTimeout");
}

#[tokio::test]
async fn it_cannot_wait_again_and_again() {
    let (error, took) = error_of(WAIT_FOR_NOTHING, short_calls()).await;
    ends_with(&error, "backup.callTimeout");
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[tokio::test]
async fn it_holds_only_so_many_resources() {
    let (error, _) = error_of(COLLECT_TIMERS, options()).await;
    ends_with(&error, "resource table has no free keys");
}

#[tokio::test]
async fn what_is_refused_is_told_how_to_do_without() {
    let host = test_host();
    for import in ["wasi:filesystem/preopens@0.2.12", "wasi:sockets/tcp@0.2.0", "wasi:http/outgoing-handler@0.2.0"] {
        let refusal = host.offer(&fixtures::importing(import)).await.unwrap_err();
        let AdmissionError::Interface(fault) = refusal else { panic!("{refusal}") };
        let text = fault.to_string();
        assert!(text.starts_with(&format!("it imports {import}; allowed are ")), "{text}");
        assert!(text.contains("wasm32-unknown-unknown"), "{text}");
    }
}
