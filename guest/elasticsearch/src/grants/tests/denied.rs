use super::*;

#[test]
fn other_resources() {
    for line in [
        "GET /",
        "GET /_snapshot",
        "GET /_cat/indices",
        "GET /_security/user",
        "PUT /_security/user/eve",
        "GET /_cluster/state",
        "PUT /_cluster/settings",
        "GET /_nodes/hot_threads",
        "GET /_nodes/_all/settings",
        "GET /_nodes/_all/stats/os",
        "GET /_nodes/_master/stats",
        "GET /_nodes/_master/stats/os,jvm",
        "GET /_nodes/_all/http/",
        "PUT /_snapshot/backups",
        "DELETE /_snapshot/backups",
        "PUT /_snapshot/backups/camunda_optimize_1/_clone/camunda_optimize_2",
        "PUT /_snapshot/backups/camunda_optimize_1/_restore",
        "GET /_snapshot/backups/camunda_optimize_1/_status/",
        "GET /_snapshot/backups/camunda_optimize_1/_Status",
        "DELETE /_snapshot/backups/camunda_optimize_1/_status",
        "GET /optimize-metadata",
        "PUT /optimize-metadata/_doc/1",
        "DELETE /optimize-metadata",
        "GET /optimize-metadata/_doc/2",
        "GET /optimize-metadata/_search/template",
        "GET /http://attacker.example/_search",
        "GET //_nodes",
        "GET /_nodes/",
        "GET /_nodes/..",
        "GET /_ｎodes",
    ] {
        assert!(matches!(denial(request(line)), Denial::Request { .. } | Denial::Scope { .. }), "{line}");
    }
    for path in [vec![], vec!["_nodes\r\nX-Evil: 1"], vec!["_nodes/_all/http"], vec!["http://attacker.example/"]] {
        let path = path.into_iter().map(str::to_owned).collect();
        let asked = Request { path, ..request("GET /") };
        assert!(matches!(denial(asked), Denial::Request { .. }));
    }
}

#[test]
fn other_repositories() {
    for repository in [
        "",
        "*",
        "_all",
        "other",
        "backup*",
        "Backups",
        "backups,other",
        "backups*",
        "backups ",
        "bаckups",
        "..",
        "%62ackups",
        "backups%2f..",
    ] {
        let asked = request(&format!("DELETE /_snapshot/{repository}/camunda_optimize_1"));
        let expected = Denial::Repository { found: repository.to_owned(), allowed: "backups".to_owned() };
        assert_eq!(denial(asked), expected);
    }
}

#[test]
fn other_snapshots() {
    let never = [
        "",
        "*",
        "_all",
        "_current",
        "camunda*",
        "camunda_optimize",
        "camunda_optimize_",
        "nightly-1",
        "-camunda_optimize_1",
        " camunda_optimize_1",
        "camunda_optimize_1 ",
        "camunda_optimize_1,",
        ",camunda_optimize_1",
        "camunda_optimize_1,*",
        "camunda_optimize_*,other",
        "camunda_optimize_1,,camunda_optimize_2",
        "camunda_optimize_1,-camunda_optimize_1",
        "camunda_optimize_1*2",
        "camunda_optimize_**",
        "camunda_optimize_1?",
        "*camunda_optimize_1",
        "<camunda_optimize_{now/d}>",
        "camunda_optimize_<1>",
        "camunda_optimize_1%2Cother",
        "camunda_optimize_1%2F..",
        "camunda_optimize_1\r\nHost: x",
        "camunda_optimize_1\0",
        "camunda_optimize_１",
        "camunda_optimize_1，other",
        "cаmunda_optimize_1",
        "camunda_optimize_A",
        "camunda_optimize_..\\..",
        "camunda_optimize_1#",
        "camunda_optimize_1:2",
    ];
    let patterns = ["camunda_optimize_*", "camunda_optimize_12_*", "camunda_optimize_1,camunda_optimize_2*"];
    for name in never {
        for (method, status) in [("GET", false), ("GET", true), ("PUT", false), ("DELETE", false)] {
            assert_name_is_denied(method, name, status);
        }
    }
    for name in patterns {
        for (method, status) in [("GET", true), ("PUT", false), ("DELETE", false)] {
            assert_name_is_denied(method, name, status);
        }
    }
    assert_name_is_denied("PUT", "camunda_optimize_1,camunda_optimize_2", false);
    assert_name_is_denied("DELETE", &format!("camunda_optimize_{}", "1".repeat(255)), false);
}

fn assert_name_is_denied(method: &str, name: &str, status: bool) {
    let mut asked = request(&format!("{method} /_snapshot/backups"));
    asked.path.push(name.to_owned());
    asked.path.extend(status.then(|| "_status".to_owned()));
    assert!(matches!(denial(asked), Denial::SnapshotName { .. }), "{method} {name:?}");
}

#[test]
fn other_indices_in_the_path() {
    for (before, index, after) in [
        ("/_resolve/index/", "*", ""),
        ("/_resolve/index/", "_all", ""),
        ("/_resolve/index/", "optimize-*,*", ""),
        ("/_resolve/index/", "optimize*", ""),
        ("/_resolve/index/", "optimize-**", ""),
        ("/_resolve/index/", "optimize-metadata", ""),
        ("/_resolve/index/", "zeebe-record-*", ""),
        ("/_resolve/index/", "remote:optimize-*", ""),
        ("/", "optimize-settings", "/_search"),
        ("/", "optimize-metadata,secrets", "/_search"),
        ("/", "optimize-*", "/_search"),
        ("/", ".security", "/_doc/1"),
        ("/", "", "/_search"),
    ] {
        let asked = request(&format!("GET {before}{index}{after}"));
        assert!(matches!(denial(asked), Denial::Expression { found, .. } if found == index), "{index}");
    }
}

#[test]
fn parameters() {
    for (line, denied) in [
        ("GET /_nodes?pretty=true", "pretty"),
        ("GET /optimize-metadata/_search?q=secret", "q"),
        ("GET /optimize-metadata/_search?source={}", "source"),
        ("GET /_snapshot/backups/camunda_optimize_*?Verbose=false", "Verbose"),
        ("PUT /_snapshot/backups/camunda_optimize_1?source={}", "source"),
        ("DELETE /_snapshot/backups/camunda_optimize_1?=", ""),
    ] {
        assert!(matches!(denial(request(line)), Denial::Parameter { found, .. } if found == denied), "{line}");
    }
    for line in [
        "PUT /_snapshot/backups/camunda_optimize_1?wait_for_completion=true",
        "PUT /_snapshot/backups/camunda_optimize_1?wait_for_completion=",
        "GET /_snapshot/backups/camunda_optimize_1?verbose=no",
        "GET /_nodes?filter_path=a\r\nb",
        "GET /_nodes?filter_path=",
        "GET /_nodes?filter_path=ä",
    ] {
        assert!(matches!(denial(request(line)), Denial::ParameterValue { .. }), "{line}");
    }
    let repeated =
        request("PUT /_snapshot/backups/camunda_optimize_1?wait_for_completion=false&wait_for_completion=false");
    assert_eq!(denial(repeated), Denial::RepeatedParameter("wait_for_completion"));
}

#[test]
fn huge_requests() {
    let names = vec!["camunda_optimize_1"; 300].join(",");
    let asked = request(&format!("DELETE /_snapshot/backups/{names}"));
    assert!(matches!(denial(asked), Denial::TooLong { allowed: 4096, .. }));
    let asked = request(&format!("GET /_nodes?filter_path={}", "a".repeat(5000)));
    assert!(matches!(denial(asked), Denial::TooLong { .. }));
    let asked = Request { path: vec![String::new(); 5000], ..request("GET /") };
    assert!(matches!(denial(asked), Denial::TooLong { .. }));
}

#[test]
fn a_denial_says_what_is_allowed_in_one_short_line() {
    let asked = request(&format!("GET /_snapshot/{}\n\u{1b}[31m/x", "e".repeat(1000)));
    let text = denial(asked).to_string();
    assert!(text.len() < 300 && !text.contains(char::is_control), "{text}");
    assert!(text.ends_with("is not granted, only `backups`"), "{text}");

    let text = denial(request("GET /_security\n/user")).to_string();
    assert_eq!(text, "`GET /_security\\n/user` is none of the granted requests");

    let text = denial(request("GET /_nodes?pretty=true")).to_string();
    assert_eq!(text, "query parameter `pretty` is not granted here, only: filter_path");

    let text = denial(put(r#"{"indices":["secrets"],"include_global_state":false}"#)).to_string();
    assert_eq!(text, "index `secrets` in the body is not granted, only exact names that start with `optimize-`");
}
