//! What a test on a real engine needs.

use std::sync::Arc;

use anyhow::Result;

use crate::engine::{Distribution, Engine};
use crate::installation::{Installation, unique_prefix};
use crate::repository::{Repository, RepositoryOptions};

/// An engine that other tests use too, with a repository and an installation that they do not use.
#[derive(Debug)]
pub struct Fixture {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Empty at first.
    pub repository: Repository,
    /// With the fewest indices.
    pub installation: Installation,
}

impl Fixture {
    /// On the shared engine of this distribution.
    pub async fn new(distribution: Distribution) -> Result<Self> {
        Self::with_repository(distribution, RepositoryOptions::default()).await
    }

    /// The same, in which part 1 takes some seconds.
    pub async fn slow(distribution: Distribution) -> Result<Self> {
        let fixture = Self::with_repository(distribution, RepositoryOptions::SLOW).await?;
        fixture.installation.slow_down_part_one().await?;
        Ok(fixture)
    }

    /// On the shared engine, with a repository of one's own choice.
    pub async fn with_repository(distribution: Distribution, options: RepositoryOptions) -> Result<Self> {
        Self::on(Engine::shared(distribution).await?, options).await
    }

    /// On this engine.
    pub async fn on(engine: Arc<Engine>, options: RepositoryOptions) -> Result<Self> {
        let repository = Repository::register_with(&engine, options).await?;
        let installation = Installation::minimal(&engine, &unique_prefix()).await?;
        Ok(Self { engine, repository, installation })
    }
}
