//! What users see, on real engines and with the real host process.
//!
//! Each test has a repository and an index prefix of its own, so all of them run side by side on one
//! engine of each kind. Tests that hold for every engine are listed in [`on_every_engine`].

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail in any way")]

mod backup;
mod component;
mod configuration;
mod delete;
mod engine_faults;
mod lifecycle;
mod policy_updates;
mod published_wit;
mod replicas;
mod requests;
mod secured;
mod states;
mod world;

/// Runs tests on every engine that is supported.
///
/// A test is a function of the distribution; here it becomes three.
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        mod elasticsearch_8_19 {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                super::$test(backup_test_support::engine::Distribution::ELASTICSEARCH).await
            })+
        }
        mod elasticsearch_7_17 {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                super::$test(backup_test_support::engine::Distribution::ELASTICSEARCH_7_17).await
            })+
        }
        mod opensearch_2_19 {
            $(#[tokio::test]
            async fn $test() -> anyhow::Result<()> {
                super::$test(backup_test_support::engine::Distribution::OPENSEARCH).await
            })+
        }
    };
}
pub(crate) use on_every_engine;
