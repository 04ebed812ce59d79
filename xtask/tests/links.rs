//! Every relative link of the documents leads to a file, every anchor to a heading, and the index of docs/ has all its pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What a document links to, and what others can link to in it.
#[derive(Default)]
struct Document {
    links: Vec<String>,
    code: Vec<String>,
    anchors: BTreeSet<String>,
}

impl Document {
    fn parse(markdown: &str) -> Self {
        let mut document = Self::default();
        let mut heading: Option<String> = None;
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => document.anchor(&heading.take().unwrap_or_default()),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.into_string());
                }
                Event::Text(ref text) | Event::Code(ref text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(text);
                    }
                    if matches!(event, Event::Code(_)) {
                        document.code.push(text.to_string());
                    }
                }
                _ => {}
            }
        }
        document
    }

    /// As GitHub names it: lower case, a dash for each blank, no punctuation, a number from the second of a name on.
    fn anchor(&mut self, heading: &str) {
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        let slug = kept.collect::<String>().replace(' ', "-");
        let numbered = (1..).map(|number| format!("{slug}-{number}"));
        let free = std::iter::once(slug.clone()).chain(numbered).find(|slug| !self.anchors.contains(slug));
        self.anchors.extend(free);
    }
}

/// Every Markdown file of the repository, by its path from the root.
fn documents() -> Result<BTreeMap<PathBuf, Document>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"])
        .current_dir(ROOT)
        .output()
        .context("git does not run")?;
    ensure!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let paths = String::from_utf8(listed.stdout)?;
    let paths = paths.lines().map(PathBuf::from).filter(|path| Path::new(ROOT).join(path).is_file());
    paths
        .map(|path| {
            let text = fs::read_to_string(Path::new(ROOT).join(&path))?;
            Ok((path, Document::parse(&text)))
        })
        .collect()
}

/// The file that a link leads to, from the root. `None`: it leads out of the repository.
fn resolve(from: &Path, link: &str) -> Option<PathBuf> {
    let mut resolved = if link.is_empty() { from.to_owned() } else { from.parent()?.to_owned() };
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir if !resolved.pop() => return None,
            Component::ParentDir | Component::CurDir => {}
            part => resolved.push(part),
        }
    }
    Some(resolved)
}

#[test]
fn every_relative_link_leads_somewhere() -> Result<()> {
    let documents = documents()?;
    let mut broken = Vec::new();
    let mut checked = 0;
    for (from, document) in &documents {
        for link in document.links.iter().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = resolve(from, path).filter(|target| Path::new(ROOT).join(target).exists());
            let leads = target.is_some_and(|target| {
                anchor.is_empty() || documents.get(&target).is_some_and(|document| document.anchors.contains(anchor))
            });
            checked += 1;
            if !leads {
                broken.push(format!("{}: {link}", from.display()));
            }
        }
    }
    assert!(checked > 100, "only {checked} links were found");
    assert!(broken.is_empty(), "{broken:#?}");
    Ok(())
}

#[test]
fn every_page_of_the_documents_is_in_an_index() -> Result<()> {
    let documents = documents()?;
    let index = |path: &str| -> Result<BTreeSet<PathBuf>> {
        let path = Path::new(path);
        let links = &documents.get(path).with_context(|| format!("{} is missing", path.display()))?.links;
        Ok(links.iter().filter_map(|link| resolve(path, link.split('#').next()?)).collect())
    };
    let (pages, decisions) = (index("docs/README.md")?, index("docs/adr/README.md")?);
    let missing: Vec<_> = documents
        .keys()
        .filter(|page| page.starts_with("docs") && *page != Path::new("docs/README.md"))
        .filter(|page| {
            let is_decision = page.starts_with("docs/adr") && !page.ends_with("README.md");
            !if is_decision { &decisions } else { &pages }.contains(*page)
        })
        .collect();
    assert!(missing.is_empty(), "docs/README.md or docs/adr/README.md does not link to {missing:#?}");
    Ok(())
}

#[test]
fn every_page_says_first_whom_it_is_for() -> Result<()> {
    let for_nobody: Vec<_> = documents()?
        .into_keys()
        .filter(|page| page.starts_with("docs") && (!page.starts_with("docs/adr") || page.ends_with("README.md")))
        .filter(|page| {
            let text = fs::read_to_string(Path::new(ROOT).join(page)).unwrap_or_default();
            !text.lines().skip(1).find(|line| !line.is_empty()).is_some_and(|line| line.starts_with("For "))
        })
        .collect();
    assert!(for_nobody.is_empty(), "these do not begin with 'For …:' {for_nobody:#?}");
    Ok(())
}

#[test]
fn every_path_in_the_text_exists() -> Result<()> {
    const FOLDERS: [&str; 9] = ["artefacts", "benches", "docs", "examples", "fuzz", "guest", "host", "tests", "xtask"];
    let is_path = |code: &&String| code.split_once('/').is_some_and(|(folder, _)| FOLDERS.contains(&folder));
    let is_literal = |code: &&String| !code.contains(['{', '*', ' ']);
    let missing: Vec<_> = documents()?
        .into_iter()
        .filter(|(page, _)| !page.starts_with("tests"))
        .flat_map(|(page, document)| {
            let gone = document.code.into_iter().filter(|code| is_path(&code) && is_literal(&code));
            let gone = gone.filter(|path| !Path::new(ROOT).join(path).exists());
            gone.map(move |path| format!("{}: {path}", page.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
    Ok(())
}
