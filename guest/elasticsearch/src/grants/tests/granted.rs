use super::*;

#[test]
fn what_a_backup_needs_is_granted() {
    for line in [
        "GET /_snapshot/backups",
        "GET /_snapshot/backups/camunda_optimize_*?verbose=false&filter_path=snapshots.snapshot,error",
        "GET /_snapshot/backups/camunda_optimize_12_*?ignore_unavailable=true&index_names=false",
        "GET /_snapshot/backups/camunda_optimize_2026*?verbose=false",
        "GET /_snapshot/backups/camunda_optimize_12_*,camunda_optimize_13_*?ignore_unavailable=true&filter_path=failures",
        "GET /_snapshot/backups/camunda_optimize_12_*,camunda_optimize_13_*?size=100&sort=name&order=desc&after=x",
        "GET /_snapshot/backups/camunda_optimize_12_8.7.0+build-1_part_1_of_2",
        "GET /_snapshot/backups/camunda_optimize_1,camunda_optimize_2/_status",
        "DELETE /_snapshot/backups/camunda_optimize_12_8.7.0_part_1_of_2,camunda_optimize_12_b?master_timeout=30s",
        "GET /_snapshot/backups/camunda_optimize_12_8.7.0_part_1_of_2/_status?filter_path=snapshots.stats",
        "GET /optimize-*/_stats/store?filter_path=indices.*.primaries.store",
        "GET /_resolve/index/optimize-*?expand_wildcards=all",
        "GET /optimize-metadata/_search?size=1",
        "GET /optimize-metadata/_doc/1?_source=schemaVersion",
        "GET /_nodes",
        "GET /_nodes/_master/stats/os?filter_path=nodes.*.timestamp",
        "GET /_nodes/_all/http?filter_path=nodes.*.version",
    ] {
        let asked = request(line);
        assert_eq!(check(asked.clone()).map(|granted| granted.request), Ok(asked), "{line}");
    }
}

#[test]
fn the_body_of_a_new_snapshot_is_written_anew() {
    let asked =
        put(r#" { "metadata": {"runId": "a", "parts": [1, 2.5]}, "partial" : false, "include_global_state":false,
              "ignore_unavailable": null, "feature_states": ["none"],
              "\u0069ndices": ["optimize-import-index_v3", "optimize-process-instance-bestellprozeß_v8-000001"] } "#);
    let granted = check(asked).unwrap();
    let expected = r#"{"indices":["optimize-import-index_v3","optimize-process-instance-bestellprozeß_v8-000001"],"#
        .to_owned()
        + r#""include_global_state":false,"partial":false,"feature_states":["none"],"#
        + r#""metadata":{"parts":[1,2.5],"runId":"a"}}"#;
    assert_eq!(granted.request().body.as_deref(), Some(expected.as_str()));
}

#[test]
fn without_a_repository_the_rest_is_granted() {
    let grants = Grants::new(None, IndexPrefix::parse("optimize").unwrap());
    assert!(grants.check(request("GET /_nodes"), Scope::Read).is_ok());
    for line in [
        "GET /_snapshot/backups",
        "GET /_snapshot/",
        "GET /_snapshot/backups/camunda_optimize_*",
        "DELETE /_snapshot/backups/camunda_optimize_1",
    ] {
        assert_eq!(grants.check(request(line), Scope::of_delete("1")), Err(Denial::NoRepository), "{line}");
    }
}
