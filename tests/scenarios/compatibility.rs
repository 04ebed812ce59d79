//! Which engine can restore what another one wrote, in repositories that were really written by the one and are read
//! by the other.
//!
//! OpenSearch is not among the readers of Elasticsearch: since 7.12 it cannot even list what is there, and says so.

use anyhow::{Context, Result};
use backup_test_support::engine::{Distribution, Engine, Kind};
use backup_test_support::host::Host;
use backup_test_support::installation::{Installation, unique_prefix};
use backup_test_support::repository::{Repository, RepositoryOptions};
use serde_json::json;

use crate::fixture::{options, part};
use crate::in_every_host;

/// Makes a test of each pair of engines, in a module that is named after the column of the matrix.
macro_rules! pairs {
    ($column:ident: $($test:ident: $reader:ident reads $writer:ident => $state:ident),+ $(,)?) => {
        mod $column {
            use backup_test_support::engine::Distribution;

            $(#[tokio::test]
            #[ignore = "cargo xtask matrix"]
            async fn $test() -> anyhow::Result<()> {
                super::expect_state(Distribution::$reader, Distribution::$writer, stringify!($state)).await
            })+
        }
    };
}

pairs!(elasticsearch_7_17:
    reads_elasticsearch_8_19: ELASTICSEARCH_7_17 reads ELASTICSEARCH => INCOMPATIBLE,
    is_read_by_elasticsearch_8_19: ELASTICSEARCH reads ELASTICSEARCH_7_17 => COMPLETE,
);
pairs!(elasticsearch_8_11:
    reads_elasticsearch_8_19: ELASTICSEARCH_8_11 reads ELASTICSEARCH => INCOMPATIBLE,
    is_read_by_elasticsearch_8_19: ELASTICSEARCH reads ELASTICSEARCH_8_11 => COMPLETE,
);
pairs!(elasticsearch_9_2:
    reads_elasticsearch_7_17: ELASTICSEARCH_9_2 reads ELASTICSEARCH_7_17 => INCOMPATIBLE,
    reads_elasticsearch_8_19: ELASTICSEARCH_9_2 reads ELASTICSEARCH => COMPLETE,
    is_read_by_elasticsearch_8_19: ELASTICSEARCH reads ELASTICSEARCH_9_2 => INCOMPATIBLE,
);
pairs!(opensearch_2_19:
    is_read_by_elasticsearch_8_19: ELASTICSEARCH reads OPENSEARCH => INCOMPATIBLE,
);
pairs!(opensearch_3_1:
    reads_opensearch_2_19: OPENSEARCH_3_1 reads OPENSEARCH => COMPLETE,
    is_read_by_opensearch_2_19: OPENSEARCH reads OPENSEARCH_3_1 => INCOMPATIBLE,
);

in_every_host!(incompatible_with_an_older_cluster);

async fn incompatible_with_an_older_cluster(distribution: Distribution) -> Result<()> {
    expect_state(Distribution::ELASTICSEARCH_8_11, distribution, "INCOMPATIBLE").await
}

/// The state that the reader's host tells of a backup by the writer's host, and whether the reader itself agrees.
async fn expect_state(reader: Distribution, writer: Distribution, expected: &str) -> Result<()> {
    let (repository, installation) = written_by(writer).await?;
    let engine = Engine::shared_own(reader).await?;
    let readonly = RepositoryOptions { readonly: true, ..RepositoryOptions::default() };
    let copy = repository.copy_to(&engine, readonly).await?;
    let host = Host::start(options(&engine, copy.name(), installation.prefix())).await?;

    let backup = host.get("/actuator/backups/1").await?.json()?;

    assert_eq!(backup["state"], expected, "{backup}");
    let can_be_restored = expected == "COMPLETE";
    if !can_be_restored {
        let reason = backup["failureReason"].as_str().context("a reason")?;
        let who = match writer.kind {
            Kind::OpenSearch if reader.kind == Kind::Elasticsearch => format!("OpenSearch {}", writer.version),
            _ => format!("this cluster's {}", reader.version),
        };
        for fact in [part(1, 1), part(1, 2), who] {
            assert!(reason.contains(&fact), "{fact} is not in: {reason}");
        }
    }
    // The engine itself agrees.
    for number in [1, 2] {
        let path = format!("/_snapshot/{}/{}/_restore?wait_for_completion=true", copy.name(), part(1, number));
        let restored = engine.client().post(&path, &json!({})).await?;
        let is_whole = restored.status == 200 && restored.body["snapshot"]["shards"]["failed"] == 0;
        assert_eq!(is_whole, can_be_restored, "{path}: {} {}", restored.status, restored.body);
    }
    Ok(())
}

/// A repository with backup 1, and the installation that it is of.
async fn written_by(distribution: Distribution) -> Result<(Repository, Installation)> {
    let engine = Engine::shared_own(distribution).await?;
    let repository = Repository::register(&engine).await?;
    let installation = Installation::minimal(&engine, &unique_prefix()).await?;
    let host = Host::start(options(&engine, repository.name(), installation.prefix())).await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    Ok((repository, installation))
}
