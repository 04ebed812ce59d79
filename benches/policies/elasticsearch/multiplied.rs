//! Multiplies the snapshots of a repository in its files: to let Elasticsearch make 20,000 takes half an hour.
//!
//! A snapshot is an entry in `index-N` and a file `snap-{uuid}.dat`: Lucene's header, `DFL\0`, deflated SMILE, and a footer that
//! ends with a CRC-32. Another snapshot of the same indices differs in its name and UUID, which have the same length. Data is not
//! multiplied: lists do not read it.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

/// The ID of the backup that is multiplied. The others follow it and have as many digits.
pub(super) const FIRST_ID: u64 = 20_000_001;

const COMPRESSED: &[u8] = b"DFL\0";
/// The end of the footer, which the checksum is not of.
const CHECKSUM: usize = 8;
const FOOTER: usize = 16;

/// Makes as many backups of the one in the repository. The engine must not know the repository meanwhile.
pub(super) fn multiply(folder: &Path, backups: usize) -> Result<()> {
    let generation: [u8; 8] = fs::read(folder.join("index.latest"))?.as_slice().try_into()?;
    let file = folder.join(format!("index-{}", u64::from_be_bytes(generation)));
    let mut index: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let originals = array(&mut index, "/snapshots")?.clone();
    for original in originals {
        let snapshot = Snapshot::read(folder, original)?;
        for number in 1..backups {
            let entry = snapshot.write_copy(folder, number)?;
            array(&mut index, "/snapshots")?.push(entry);
        }
        let copies: Vec<Value> = (1..backups).map(|number| json!(snapshot.uuid_of(number))).collect();
        for index in
            index.pointer_mut("/indices").and_then(Value::as_object_mut).into_iter().flat_map(|all| all.values_mut())
        {
            let snapshots = array(index, "/snapshots")?;
            if snapshots.contains(&json!(snapshot.uuid)) {
                snapshots.extend_from_slice(&copies);
            }
        }
    }
    fs::write(&file, with_indices_last(index)?)?;
    Ok(())
}

/// The engine expects the indices after the snapshots that they refer to.
fn with_indices_last(mut index: Value) -> Result<String> {
    let indices = index.as_object_mut().and_then(|members| members.remove("indices")).context("indices are missing")?;
    let others = index.to_string();
    let others = others.strip_suffix('}').context("index-N is not an object")?;
    Ok(format!(r#"{others},"indices":{indices}}}"#))
}

fn array<'a>(value: &'a mut Value, pointer: &str) -> Result<&'a mut Vec<Value>> {
    value.pointer_mut(pointer).and_then(Value::as_array_mut).with_context(|| format!("{pointer} is missing"))
}

/// A snapshot that the engine has made.
struct Snapshot {
    entry: Value,
    name: String,
    uuid: String,
    /// Its file: what is before the compressed part, this, and what is behind it.
    header: Vec<u8>,
    smile: Vec<u8>,
    footer: Vec<u8>,
}

impl Snapshot {
    fn read(folder: &Path, entry: Value) -> Result<Self> {
        let text_of =
            |field: &str| entry.get(field).and_then(Value::as_str).map(str::to_owned).context("an entry of index-N");
        let (name, uuid) = (text_of("name")?, text_of("uuid")?);
        let file = fs::read(folder.join(format!("snap-{uuid}.dat")))?;
        let start = file.windows(COMPRESSED.len()).position(|bytes| bytes == COMPRESSED);
        let (header, rest) = file.split_at(start.context("a snapshot's file is not compressed")? + COMPRESSED.len());
        let (deflated, footer) = rest.split_at(rest.len().saturating_sub(FOOTER));
        let mut smile = Vec::new();
        DeflateDecoder::new(deflated).read_to_end(&mut smile)?;
        let (header, footer) = (header.to_vec(), footer.split_at(FOOTER - CHECKSUM).0.to_vec());
        Ok(Self { name, uuid, header, smile, footer, entry })
    }

    fn name_of(&self, number: usize) -> String {
        self.name.replace(&FIRST_ID.to_string(), &(FIRST_ID + number as u64).to_string())
    }

    fn uuid_of(&self, number: usize) -> String {
        format!("{number:06}").chars().chain(self.uuid.chars().skip(6)).collect()
    }

    /// Writes the file of a copy, and returns its entry.
    fn write_copy(&self, folder: &Path, number: usize) -> Result<Value> {
        let (name, uuid) = (self.name_of(number), self.uuid_of(number));
        let smile = replaced(&replaced(&self.smile, &self.name, &name), &self.uuid, &uuid);
        fs::write(folder.join(format!("snap-{uuid}.dat")), self.file(&smile)?)?;
        let mut entry = self.entry.clone();
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("name".to_owned(), json!(name));
            entry.insert("uuid".to_owned(), json!(uuid));
        }
        Ok(entry)
    }

    fn file(&self, smile: &[u8]) -> Result<Vec<u8>> {
        let mut encoder = DeflateEncoder::new(self.header.clone(), flate2::Compression::default());
        encoder.write_all(smile)?;
        let mut file = encoder.finish()?;
        file.extend_from_slice(&self.footer);
        let mut checksum = Crc::new();
        checksum.update(&file);
        file.extend_from_slice(&u64::from(checksum.sum()).to_be_bytes());
        Ok(file)
    }
}

/// The same bytes with a text of the same length in the place of another one.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut result = bytes.to_vec();
    let places = bytes.windows(from.len()).enumerate().filter(|(_, window)| *window == from.as_bytes());
    for (start, _) in places {
        for (byte, new) in result.iter_mut().skip(start).zip(to.bytes()) {
            *byte = new;
        }
    }
    result
}
