//! Snapshot repositories.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Client;
use crate::engine::Engine;

/// How a repository is registered.
#[derive(Debug, Clone, Copy, Default)]
pub struct RepositoryOptions {
    /// The speed of snapshots, to make them slow on purpose. None: the engine's own limit.
    pub bytes_per_second: Option<u64>,
    /// The engine refuses to write here.
    pub readonly: bool,
}

impl RepositoryOptions {
    /// Slow enough to look at a snapshot while it is being written.
    pub const SLOW: Self = Self { bytes_per_second: Some(200_000), readonly: false };
}

/// What can happen to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It is gone.
    Missing,
    /// Something else is in it.
    Corrupt,
}

/// A snapshot repository in the file system, with a name of its own.
#[derive(Debug)]
pub struct Repository {
    name: String,
    client: Client,
    folder: Option<PathBuf>,
}

impl Repository {
    /// Registers a new, empty repository.
    pub async fn register(engine: &Engine) -> Result<Self> {
        Self::register_with(engine, RepositoryOptions::default()).await
    }

    /// Registers a new, empty repository with options.
    pub async fn register_with(engine: &Engine, options: RepositoryOptions) -> Result<Self> {
        Self::register_as(engine, &format!("backups-{}", Uuid::new_v4().simple()), options).await
    }

    /// Registers a repository under a given name, in the folder of that name.
    pub async fn register_as(engine: &Engine, name: &str, options: RepositoryOptions) -> Result<Self> {
        // Relative: the engine resolves it below its first `path.repo`, wherever that is.
        let mut settings = json!({ "location": name, "readonly": options.readonly });
        if let (Some(speed), Some(settings)) = (options.bytes_per_second, settings.as_object_mut()) {
            settings.insert("max_snapshot_bytes_per_sec".to_owned(), json!(format!("{speed}b")));
        }
        let client = engine.client().clone();
        client.put(&format!("/_snapshot/{name}"), &json!({ "type": "fs", "settings": settings })).await?.ok()?;
        let folder = engine.repositories().map(|(folder, _)| folder.join(name));
        Ok(Self { name: name.to_owned(), client, folder })
    }

    /// Copies this repository's files to another engine, or to the same, and registers the copy.
    pub async fn copy_to(&self, engine: &Engine, options: RepositoryOptions) -> Result<Self> {
        let name = format!("copy-{}", Uuid::new_v4().simple());
        let (folder, user) = engine.repositories().context("the other engine's folder is not known")?;
        let target = folder.join(&name);
        copy_folder(self.folder()?, &target)?;
        user.give(&target)?;
        Self::register_as(engine, &name, options).await
    }

    /// The name that it is registered under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder; an error for an engine that is not ours.
    pub fn folder(&self) -> Result<&Path> {
        self.folder.as_deref().context("the engine is not ours, nor are its folders")
    }

    /// The names of the snapshots in it, in the engine's order.
    pub async fn snapshots(&self) -> Result<Vec<String>> {
        let found = self.look_up("_all", "snapshots.snapshot").await?;
        Ok(found.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Damages a snapshot's metadata file, after which the engine lists it but cannot read it.
    pub async fn damage(&self, snapshot: &str, damage: Damage) -> Result<()> {
        let found = self.look_up(snapshot, "snapshots.uuid").await?;
        let uuid = found.first().and_then(Value::as_str).context("there is no such snapshot")?;
        let file = self.folder()?.join(format!("snap-{uuid}.dat"));
        match damage {
            Damage::Missing => fs::remove_file(&file),
            Damage::Corrupt => fs::write(&file, "not what the engine wrote"),
        }
        .with_context(|| format!("damaging {}", file.display()))
    }

    /// Removes the files with the data of an index from the repository, of which no request tells before a restore.
    pub fn lose_data(&self, index: &str) -> Result<()> {
        self.data_files(index)?.into_iter().try_for_each(|file| Ok(fs::remove_file(file)?))
    }

    /// Changes one byte in the middle of the largest file with data of an index, of which no request tells before a restore.
    pub fn flip_byte(&self, index: &str) -> Result<()> {
        let files = self.data_files(index)?.into_iter();
        let sized: Vec<(u64, PathBuf)> =
            files.map(|file| Ok((fs::metadata(&file)?.len(), file))).collect::<Result<_>>()?;
        let (_, file) = sized.into_iter().max().context("the index has no data")?;
        let mut bytes = fs::read(&file)?;
        let middle = bytes.len() / 2;
        *bytes.get_mut(middle).context("an empty file")? ^= 1;
        Ok(fs::write(&file, bytes)?)
    }

    /// The files with the data of the first shard of an index.
    fn data_files(&self, index: &str) -> Result<Vec<PathBuf>> {
        let folder = self.folder()?;
        let generation = |name: &str| name.strip_prefix("index-").and_then(|number| number.parse::<u64>().ok());
        let names = folder.read_dir()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let newest = names.filter_map(|name| generation(&name)).max().context("the repository is empty")?;
        let contents: Value = serde_json::from_slice(&fs::read(folder.join(format!("index-{newest}")))?)?;
        let id = contents.pointer(&format!("/indices/{index}/id")).and_then(Value::as_str);
        // OpenSearch 3 puts the shards of different indices into folders of their own.
        let shard = find_folder(folder, &Path::new(id.context("no such index")?).join("0"))?;
        let entries = shard.read_dir()?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
        let has_data = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("__"));
        Ok(entries.into_iter().filter(has_data).collect())
    }

    /// From now on the engine restores so many bytes a second.
    pub async fn slow_down_restores(&self, bytes_per_second: u64) -> Result<()> {
        let settings = json!({"location": self.name, "max_restore_bytes_per_sec": format!("{bytes_per_second}b")});
        let body = json!({"type": "fs", "settings": settings});
        self.client.put(&format!("/_snapshot/{}", self.name), &body).await?.ok().map(drop)
    }

    /// One field of every snapshot that matches.
    async fn look_up(&self, snapshot: &str, field: &str) -> Result<Vec<Value>> {
        let path = format!("/_snapshot/{}/{snapshot}?verbose=false&filter_path={field}", self.name);
        let body = self.client.get(&path).await?.ok()?;
        let snapshots = body.get("snapshots").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(snapshots.iter().filter_map(Value::as_object).flat_map(|fields| fields.values().cloned()).collect())
    }
}

/// The folder whose path ends so.
fn find_folder(within: &Path, end: &Path) -> Result<PathBuf> {
    let mut folders = vec![within.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.ends_with(end) {
            return Ok(folder);
        }
        let inner = folder.read_dir()?.filter_map(|entry| Some(entry.ok()?.path()));
        folders.extend(inner.filter(|path| path.is_dir()));
    }
    bail!("there is no {} in {}", end.display(), within.display())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).with_context(|| format!("making {}", to.display()))?;
    for entry in from.read_dir().with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        } else {
            bail!("{} is neither a file nor a folder", entry.path().display());
        }
    }
    Ok(())
}
