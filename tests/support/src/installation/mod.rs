//! Believable Optimize installations, and what shares the cluster with them.

mod documents;
mod indices;
mod neighbours;

use anyhow::{Context, Result};
use uuid::Uuid;

use self::documents::Writer;
use self::indices::Index;
pub use self::neighbours::create_neighbours;
use crate::client::Client;
use crate::engine::Engine;

/// The version that an installation's metadata tells, unless it is of another [`Release`].
pub const SCHEMA_VERSION: &str = "8.6.0";

/// The last one is a trap: its index reads like one of the import progress.
const PROCESSES: [&str; 4] = ["invoice", "order-fulfilment", "loan_application", "import-index"];
const DECISIONS: [&str; 2] = ["invoice-classification", "credit_check"];

const FEW: usize = 5;
/// At [`RepositoryOptions::SLOW`](crate::repository::RepositoryOptions::SLOW) a snapshot of it takes three seconds.
const SLOW_BYTES: usize = 600_000;

/// The name of a backup's part, for an installation of [`SCHEMA_VERSION`].
#[must_use]
pub fn part(id: u64, number: u8) -> String {
    format!("camunda_optimize_{id}_{SCHEMA_VERSION}_part_{number}_of_2")
}

/// A prefix that no other installation has.
#[must_use]
pub fn unique_prefix() -> String {
    let number = Uuid::new_v4().simple().to_string();
    format!("t{}", number.chars().take(10).collect::<String>())
}

/// A version of Optimize. Its indices differ from those of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// 8.6.
    V8_6,
    /// 8.9.
    V8_9,
    /// 8.10.
    V8_10,
}

impl Release {
    /// What its metadata tells.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::V8_6 => SCHEMA_VERSION,
            Self::V8_9 => "8.9.0",
            Self::V8_10 => "8.10.0",
        }
    }
}

/// An Optimize installation: its indices under one prefix.
#[derive(Debug)]
pub struct Installation {
    prefix: String,
    release: Release,
    client: Client,
    import: Vec<Index>,
    others: Vec<Index>,
}

impl Installation {
    /// All indices that an installation has, with a few documents each.
    pub async fn create(engine: &Engine, prefix: &str) -> Result<Self> {
        Self::large(engine, prefix, FEW).await
    }

    /// All indices that an installation has, with so many instances of each process and decision.
    pub async fn large(engine: &Engine, prefix: &str, instances: usize) -> Result<Self> {
        Self::complete(engine, prefix, Release::V8_6, instances).await
    }

    /// All indices that an installation of this release has.
    pub async fn of(engine: &Engine, prefix: &str, release: Release) -> Result<Self> {
        Self::complete(engine, prefix, release, 1).await
    }

    async fn complete(engine: &Engine, prefix: &str, release: Release, instances: usize) -> Result<Self> {
        let mut installation = Self::empty(engine, prefix, release).await?;
        installation.import = indices::part_one(prefix, release);
        installation.others = indices::others(prefix, release);
        installation.others.extend(PROCESSES.map(|key| indices::process_instances(prefix, key)));
        installation.others.extend(DECISIONS.map(|key| indices::decision_instances(prefix, key)));
        installation.fill(&installation.all(), instances).await?;
        Ok(installation)
    }

    /// The fewest indices that make an installation: one of the import progress and three others.
    pub async fn minimal(engine: &Engine, prefix: &str) -> Result<Self> {
        let release = Release::V8_6;
        let mut installation = Self::empty(engine, prefix, release).await?;
        installation.import = indices::part_one(prefix, release);
        installation.import.retain(|index| index.kind == "timestamp-based-import-index");
        installation.others = indices::others(prefix, release);
        installation.others.retain(|index| ["metadata", "settings"].contains(&index.kind.as_str()));
        installation.others.push(indices::process_instances(prefix, "invoice"));
        installation.fill(&installation.all(), FEW).await?;
        Ok(installation)
    }

    /// The prefix of all its indices, without the dash.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name of a backup's part.
    #[must_use]
    pub fn part(&self, id: u64, number: u8) -> String {
        part(id, number).replace(SCHEMA_VERSION, self.release.version())
    }

    /// The names of the indices of part 1, sorted.
    #[must_use]
    pub fn import_indices(&self) -> Vec<String> {
        sorted_names(&self.import)
    }

    /// The names of the indices of part 2, sorted.
    #[must_use]
    pub fn other_indices(&self) -> Vec<String> {
        sorted_names(&self.others)
    }

    /// Adds the index of one more process definition, as Optimize does while it runs.
    pub async fn deploy(&mut self, process: &str) -> Result<String> {
        let index = indices::process_instances(&self.prefix, process);
        let name = index.name.clone();
        self.fill(std::slice::from_ref(&index), FEW).await?;
        self.others.push(index);
        Ok(name)
    }

    /// Adds so many bytes of random text to an index, to make its snapshot slow.
    pub async fn grow(&self, index: &str, bytes: usize) -> Result<()> {
        let mut writer = Writer::new(&self.client);
        for (id, document) in documents::random_documents(bytes) {
            writer.write(index, &id, &document).await?;
        }
        writer.finish().await
    }

    /// Makes part 1 take some seconds, in a repository that is slow.
    pub async fn slow_down_part_one(&self) -> Result<()> {
        let import = self.import_indices();
        self.grow(import.first().context("an import index")?, SLOW_BYTES).await
    }

    async fn empty(engine: &Engine, prefix: &str, release: Release) -> Result<Self> {
        let client = engine.client().clone();
        indices::prepare(&client).await?;
        Ok(Self { prefix: prefix.to_owned(), release, client, import: Vec::new(), others: Vec::new() })
    }

    fn all(&self) -> Vec<Index> {
        [self.import.as_slice(), &self.others].concat()
    }

    /// Writes documents, which brings the indices into being, and names them by their aliases.
    async fn fill(&self, indices: &[Index], instances: usize) -> Result<()> {
        let mut writer = Writer::new(&self.client);
        for index in indices {
            for n in 0..documents::count(index, instances) {
                let (id, document) = documents::document(index, self.release, n);
                writer.write(&index.name, &id, &document).await?;
            }
        }
        writer.finish().await?;
        indices::set_aliases(&self.client, indices).await
    }
}

fn sorted_names(indices: &[Index]) -> Vec<String> {
    let mut names: Vec<String> = indices.iter().map(|index| index.name.clone()).collect();
    names.sort();
    names
}
