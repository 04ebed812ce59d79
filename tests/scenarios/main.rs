//! What users see, on real engines and with the real host process.
//!
//! Each test has a repository and an index prefix of its own, so all of them run side by side on one
//! engine of each kind. What a test runs on says the macro that it is listed in: [`everywhere`], [`on_every_engine`],
//! [`on_elasticsearch`], [`in_every_host`] and the like. `cargo test` runs those in the host of this project on Elasticsearch
//! 8.19; the others are ignored there and run by `cargo xtask matrix`, see `docs/testing.md`.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail in any way")]

mod aws;
mod backup;
mod command_line;
mod compatibility;
mod component;
mod configuration;
mod conformance;
mod delete;
mod deploy_checks;
mod engine_faults;
mod fault_table;
mod fixture;
mod health;
mod installations;
mod kills;
mod lifecycle;
mod listening;
mod lists;
mod logs;
mod metrics;
mod other_policies;
mod policy_updates;
mod port;
mod progress;
mod published_wit;
mod replicas;
mod requests;
mod restore;
mod same_answers;
mod scopes;
mod secured;
mod servers;
mod signals;
mod states;
mod storage;
mod unattended;
mod verification;

/// Fails for an ignored test that no column of the matrix runs.
#[test]
fn every_ignored_test_is_in_one_column_of_the_matrix() -> anyhow::Result<()> {
    backup_test_support::matrix::expect_every_ignored_test("scenarios")
}

/// Runs tests on one engine. A test is a function of the distribution.
///
/// `cargo test --workspace` runs those on Elasticsearch 8.19; those on any other engine are for `cargo xtask matrix`.
macro_rules! on_engine {
    ($engine:ident is ELASTICSEARCH: $($test:ident),+ $(,)?) => {
        mod $engine {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                super::$test(backup_test_support::engine::Distribution::ELASTICSEARCH).await
            })+
        }
    };
    ($engine:ident is $distribution:ident: $($test:ident),+ $(,)?) => {
        mod $engine {
            $(#[tokio::test]
            #[ignore = "cargo xtask matrix"]
            async fn $test() -> anyhow::Result<()> {
                super::$test(backup_test_support::engine::Distribution::$distribution).await
            })+
        }
    };
}
pub(crate) use on_engine;

/// Runs tests on Elasticsearch 8.19 only: the engine has no part in how they end.
macro_rules! on_elasticsearch {
    ($($test:ident),+ $(,)?) => {
        $crate::on_engine!(elasticsearch_8_19_only is ELASTICSEARCH: $($test),+);
    };
}
pub(crate) use on_elasticsearch;

/// Runs tests on every engine that is supported: how they end is the engine's decision.
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        $crate::on_engine!(elasticsearch_8_19 is ELASTICSEARCH: $($test),+);
        $crate::on_engine!(elasticsearch_7_17 is ELASTICSEARCH_7_17: $($test),+);
        $crate::on_engine!(elasticsearch_8_11 is ELASTICSEARCH_8_11: $($test),+);
        $crate::on_engine!(elasticsearch_9_2 is ELASTICSEARCH_9_2: $($test),+);
        $crate::on_engine!(opensearch_2_19 is OPENSEARCH: $($test),+);
        $crate::on_engine!(opensearch_3_1 is OPENSEARCH_3_1: $($test),+);
    };
}
pub(crate) use on_every_engine;

/// Runs tests in one other host, with the composed actuator; see `docs/other-hosts.md`. They are for `cargo xtask matrix`.
macro_rules! in_host {
    ($host:ident: $($test:ident),+ $(,)?) => {
        mod $host {
            $(#[tokio::test]
            #[ignore = "cargo xtask matrix"]
            async fn $test() -> anyhow::Result<()> {
                let scenario = super::$test(backup_test_support::engine::Distribution::ELASTICSEARCH);
                crate::servers::$host(scenario).await
            })+
        }
    };
}
pub(crate) use in_host;

/// Runs tests in wasmtime and in jco on Node.
macro_rules! in_every_host {
    ($($test:ident),+ $(,)?) => {
        $crate::in_host!(wasmtime: $($test),+);
        $crate::in_host!(jco_on_node: $($test),+);
    };
}
pub(crate) use in_every_host;

/// Runs tests on every engine with the host of this project, and in the other hosts; and some in only one of the two.
macro_rules! everywhere {
    ($($test:ident),+ $(,)? $(; native host only: $($native:ident),+)? $(; other hosts only: $($other:ident),+)?) => {
        $crate::on_every_engine!($($test,)+ $($($native),+)?);
        $crate::in_every_host!($($test,)+ $($($other),+)?);
    };
}
pub(crate) use everywhere;
