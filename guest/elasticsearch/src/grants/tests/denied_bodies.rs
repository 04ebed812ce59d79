use super::*;

#[test]
fn indices_in_the_body() {
    let long = format!("optimize-{}", "a".repeat(250));
    for index in [
        "",
        "*",
        "_all",
        "optimize",
        "optimize-",
        "optimize*",
        "optimize-*",
        "optimize-a*",
        "optimize-a?",
        "-optimize-a",
        "+optimize-a",
        "zeebe-record",
        ".security",
        "optimizer-a",
        "Optimize-a",
        "оptimize-a",
        "optimize-a,zeebe-record",
        "optimize-a, b",
        "<optimize-{now/d}>",
        "optimize-<a>",
        "remote:optimize-a",
        "optimize-a::failures",
        "optimize-a/b",
        "optimize-a\\b",
        "optimize-a\u{a0}b",
        "optimize-a\nb",
        "optimize-a\0",
        "optimize-a|b",
        "optimize-a\"",
        " optimize-a",
        &long,
    ] {
        let indices = serde_json::json!(["optimize-good", index]);
        let asked = put(&serde_json::json!({"indices": indices, "include_global_state": false}).to_string());
        assert!(matches!(denial(asked), Denial::Index { .. }), "{index:?}");
    }
    let empty = put(r#"{"indices":[],"include_global_state":false}"#);
    assert_eq!(denial(empty), Denial::NoIndices);
}

#[test]
fn settings_in_the_body() {
    for (settings, denied) in [
        (r#""include_global_state":true"#, "include_global_state"),
        (r#""include_global_state":false,"partial":true"#, "partial"),
        (r#""include_global_state":false,"ignore_unavailable":true"#, "ignore_unavailable"),
        (r#""include_global_state":false,"feature_states":[]"#, "feature_states"),
        (r#""include_global_state":false,"feature_states":["security"]"#, "feature_states"),
        (r#""include_global_state":false,"feature_states":["none","security"]"#, "feature_states"),
    ] {
        let asked = put(&format!(r#"{{"indices":["optimize-a"],{settings}}}"#));
        assert!(matches!(denial(asked), Denial::Setting { key, .. } if key == denied), "{settings}");
    }
}

#[test]
fn bodies_of_another_shape() {
    let deep = format!(
        r#"{{"indices":["optimize-a"],"include_global_state":false,"metadata":{{"a":{}1{}}}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    for body in [
        "",
        "null",
        "[]",
        r#"[["optimize-a"],false]"#,
        "{}",
        r#"{"indices":["optimize-a"]}"#,
        r#"{"include_global_state":false}"#,
        r#"{"indices":null,"include_global_state":false}"#,
        r#"{"indices":"optimize-a","include_global_state":false}"#,
        r#"{"indices":["optimize-a",1],"include_global_state":false}"#,
        r#"{"indices":["optimize-a"],"include_global_state":"false"}"#,
        r#"{"indices":["optimize-a"],"include_global_state":0}"#,
        r#"{"indices":["optimize-a"],"include_global_state":false,"include_global_state":true}"#,
        r#"{"indices":["optimize-a"],"include_global_state":false,"indices":["secrets"]}"#,
        r#"{"indices":["optimize-a"],"include_global_state":false,"\u0069ndices":["secrets"]}"#,
        r#"{"indices":["optimize-a"],"include_global_state":false,"expand_wildcards":"all"}"#,
        r#"{"indices":["optimize-a"],"include_global_state":false,"Indices":[]}"#,
        r#"{"indices":["optimize-a"],"include_global_state":false,"metadata":"text"}"#,
        r#"{"indices":["optimize-a"],"include_global_state":false} {"indices":[]}"#,
        "\u{feff}{}",
        &deep,
    ] {
        assert!(matches!(denial(put(body)), Denial::Body(_)), "{body}");
    }
}

#[test]
fn bodies_where_none_belongs() {
    for line in ["GET /_nodes", "GET /optimize-metadata/_search", "DELETE /_snapshot/backups/camunda_optimize_1"] {
        let asked = Request { body: Some("{}".to_owned()), ..request(line) };
        assert_eq!(denial(asked), Denial::UnexpectedBody);
    }
    assert_eq!(denial(request("PUT /_snapshot/backups/camunda_optimize_1")), Denial::MissingBody);
}
