//! The policy's own steps of a verification on real engines: copies are restored, checked and deleted, and lost data is found.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use backup_core::operations::verification::{advance, begin, clear, traces};
use backup_core::verification::{CheckOutcome, VerificationRun, VerificationTraces};
use backup_core::{
    Context, Engine, EngineClock, EngineKind, Error, IndexPrefix, Method, RepositoryName, Request, Response, Settings,
    Timestamp, TransportError,
};
use backup_elasticsearch::{Grants, Scope, path, query};
use backup_test_support::client::{Answer, Client};
use backup_test_support::engine::{Distribution, Kind};
use backup_test_support::poll_until;
use serde_json::Value;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::fixture::{Fixture, part};
use crate::lifecycle::accept;
use crate::on_every_engine;

on_every_engine!(a_good_backup_passes_and_lost_data_is_found);

const ID: u64 = 7;

/// A real engine as the policy sees it, within the grants.
#[derive(Clone)]
struct Granting {
    client: Client,
    grants: Grants,
    settings: Settings,
}

/// The same in one call.
struct Call<'a> {
    of: &'a Granting,
    scope: Scope,
    runtime: Handle,
}

impl Engine for Call<'_> {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let granted = self.of.grants.check(request.clone(), self.scope.clone())?;
        let request = granted.request();
        let target = format!("{}?{}", path("", request), query(request).unwrap_or_default());
        let body = || serde_json::from_str(request.body.as_deref().unwrap_or("{}")).unwrap();
        let client = &self.of.client;
        let answer = self.runtime.block_on(async {
            match request.method {
                Method::Get => client.get(&target).await,
                Method::Put => client.put(&target, &body()).await,
                Method::Post => client.post(&target, &body()).await,
                Method::Delete => client.delete(&target).await,
            }
        });
        let Answer { status, body } = answer.map_err(|error| TransportError::Interrupted(format!("{error:#}")))?;
        Ok(Response { status, retry_after: None, body: body.to_string() })
    }

    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError> {
        self.send(request).map(Some)
    }
}

impl Granting {
    fn of(fixture: &Fixture, distribution: Distribution) -> Result<Self> {
        let repository = RepositoryName::parse(fixture.repository.name())?;
        let index_prefix = IndexPrefix::parse(fixture.installation.prefix())?;
        Ok(Self {
            client: fixture.engine.client().clone(),
            grants: Grants::new(Some(repository.clone()), index_prefix.clone()),
            settings: Settings {
                repository: Some(repository),
                index_prefix,
                optimize_version: None,
                engine: match distribution.kind {
                    Kind::Elasticsearch => EngineKind::Elasticsearch,
                    Kind::OpenSearch => EngineKind::OpenSearch,
                },
                resume_window: Duration::from_secs(600),
            },
        })
    }

    /// Makes a call, on a thread of its own: it blocks.
    async fn call<T: Send + 'static>(
        &self,
        scope: Scope,
        call: impl FnOnce(&Call<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (of, runtime) = (self.clone(), Handle::current());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let context = Context {
            settings: self.settings.clone(),
            now: Timestamp(u64::try_from(now.as_millis()).unwrap()),
            engine_clock: EngineClock::NotAsked,
            run_id: Uuid::new_v4().to_string(),
            host: "test".to_owned(),
            notes: Vec::new(),
        };
        let made = move || call(&Call { of: &of, scope, runtime }, &context);
        tokio::task::spawn_blocking(made).await.unwrap()
    }

    /// Other tests on this engine verify, too, one at a time.
    async fn begin(&self) -> Result<VerificationRun> {
        poll_until("the lock is free", Duration::from_secs(300), async || {
            let begun = self
                .call(Scope::of_verification(&ID.to_string()), |engine, context| {
                    begin(engine, context, &ID.to_string())
                })
                .await;
            match begun {
                Err(Error::VerificationInProgress { .. }) => Ok(None),
                begun => Ok(Some(begun?)),
            }
        })
        .await
    }

    async fn verify(&self) -> Result<VerificationRun> {
        let mut run = self.begin().await?;
        for _ in 0..200 {
            let scope = Scope::of_verification(&ID.to_string());
            let step = self.call(scope, move |engine, context| advance(engine, context, &run)).await?;
            run = step.run;
            match step.again_in {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Ok(run),
            }
        }
        anyhow::bail!("the verification does not end: {run:#?}")
    }

    async fn traces(&self) -> Result<VerificationTraces> {
        Ok(self.call(Scope::ReadVerification, |engine, context| traces(engine, context)).await?)
    }
}

/// The identities of all indices but those of verifications.
async fn others(client: &Client) -> Result<Vec<(String, Value)>> {
    let settings = client.get("/_all/_settings/index.uuid?expand_wildcards=all").await?.ok()?;
    let indices = settings.as_object().context("no indices")?;
    let is_other = |name: &&String| !name.starts_with("optimize-backup-verify-");
    let others = indices.keys().filter(is_other).map(|name| (name.clone(), indices[name].clone()));
    Ok(others.collect())
}

async fn a_good_backup_passes_and_lost_data_is_found(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::on_own_engine(distribution).await?;
    let client = fixture.engine.client();
    let host = fixture.host().await?;
    accept(&host, ID).await?;
    host.wait_for_state(ID, "COMPLETE").await?;
    host.terminate().await?;
    let metadata = fixture.snapshot(&part(ID, 2)).await?["metadata"].clone();
    ensure!(metadata["optimizeBackup"]["documents"].is_u64(), "{metadata}");

    let granting = Granting::of(&fixture, distribution)?;
    let prefix = fixture.installation.prefix();
    let own = async || {
        Ok::<_, anyhow::Error>(
            others(client).await?.into_iter().filter(|(name, _)| name.starts_with(prefix)).collect::<Vec<_>>(),
        )
    };
    let before = own().await?;
    let run = granting.verify().await?;
    ensure!(run.checks.iter().all(|check| check.outcome == CheckOutcome::Passed), "{run:#?}");
    ensure!(run.indices.iter().all(|index| index.documents.is_some() && index.size.is_some()), "{run:#?}");
    assert_eq!(own().await?, before);

    // A host that is gone leaves a lock and copies.
    let run = granting.begin().await?;
    let scope = || Scope::of_verification(&ID.to_string());
    granting.call(scope(), move |engine, context| advance(engine, context, &run)).await?;
    let left = granting.traces().await?;
    ensure!(!left.indices.is_empty() && left.holder.is_some(), "{left:?}");
    let cleared = granting
        .call(Scope::ClearVerification, move |engine, context| clear(engine, context, left.holder.as_ref()))
        .await?;
    ensure!(cleared, "it was still its holder's");

    let lost = fixture.installation.import_indices().into_iter().next().context("an index")?;
    fixture.repository.lose_data(&lost)?;
    let run = granting.verify().await?;
    let restored = run.checks.iter().find(|check| check.name == "restored").context("no such check")?;
    ensure!(restored.outcome == CheckOutcome::Failed && restored.found.contains(&lost), "{run:#?}");
    ensure!(restored.found.len() < 2_000 && !restored.found.contains("\tat "), "{}", restored.found);
    println!("{}", restored.found);
    assert_eq!(own().await?, before);
    Ok(())
}
