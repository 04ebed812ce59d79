//! Lists of all backups, first to last byte.

use anyhow::{Context, Result, ensure};
use backup_test_support::host::Host;

use crate::caller::{Connection, get};
use crate::canned::{self, CannedEngine};
use crate::figures::Samples;
use crate::python::Python;
use crate::report::{Figure, Report, Row, Wanted};
use crate::sides::{Side, port};

const PART: &str = "lists";
/// How many backups there are, how often they are listed, and what is wanted of ours beside the rules called natively.
const SIZES: [(usize, usize, Option<f64>); 3] = [(1, 300, None), (1_000, 60, Some(1.2)), (MANY, ROUNDS, None)];
const MANY: usize = 10_000;
const ROUNDS: usize = 9;

pub(crate) async fn measure(engine: &CannedEngine, report: &mut Report) -> Result<()> {
    for (backups, rounds, wanted) in SIZES {
        let sides = [Side::Ours, Side::Native];
        let list = List::start(engine, backups, canned::repository(backups), &sides).await?;
        let [ours, native] = list.time(rounds, None).await?;
        let row = Row::new(PART, format!("list of {backups} backups"), ours).beside(Side::Native.name(), Some(native));
        report.add(wanted.map_or(row.clone(), |most| row.wanted(Wanted::AtMost(most))));
    }
    let what = format!("list of {MANY} backups");
    let list = List::start(engine, MANY, canned::repository(MANY), &[Side::Ours, Side::Wasmtime]).await?;
    let [ours, wasmtime] = list.time(ROUNDS, None).await?;
    report.add(Row::new(PART, what.clone(), ours).beside(Side::Wasmtime.name(), Some(wasmtime)));
    beside_python(engine, &what, canned::repository(MANY), report).await?;
    beside_python(engine, "… of an engine that sends every field", canned::every_field(MANY), report).await
}

/// Beside the time in which Python reads the same text.
async fn beside_python(engine: &CannedEngine, what: &str, repository: String, report: &mut Report) -> Result<()> {
    let list = List::start(engine, MANY, repository.clone(), &[Side::Ours]).await?;
    let python = Python::new(&engine.listed(&repository).context("the engine was not asked for a list")?)?;
    let text = format!("`json.loads` of the same text, {:.1} MB", python.bytes() as f64 / 1e6);
    let mut reads = Samples::default();
    let [ours] = list.time(ROUNDS, Some((&python, &mut reads))).await?;
    let other = (!reads.is_empty()).then(|| Figure::time(reads.median()));
    let text = if other.is_some() { text } else { format!("{text} (python3 is missing)") };
    report.add(Row::new(PART, what, ours).beside(text, other).wanted(Wanted::AtMost(1.0)));
    Ok(())
}

/// One list, from several sides.
struct List {
    hosts: Vec<Host>,
}

impl List {
    async fn start(engine: &CannedEngine, backups: usize, repository: String, sides: &[Side]) -> Result<Self> {
        let (mut hosts, mut first) = (Vec::new(), None);
        for side in sides {
            let host = side.start(engine.port(), &repository).await?;
            let text = host.get("/actuator/backups").await?.text;
            let listed = text.matches("\"backupId\":").count();
            ensure!(listed == backups, "{} listed {listed} backups of {backups}: {text:.300}", side.name());
            ensure!(*first.get_or_insert(text.len()) == text.len(), "{} listed something else", side.name());
            hosts.push(host);
        }
        Ok(Self { hosts })
    }

    /// The median of each side, taken in turn, and Python's reads between them.
    async fn time<const N: usize>(
        self,
        rounds: usize,
        mut python: Option<(&Python, &mut Samples)>,
    ) -> Result<[Figure; N]> {
        let request = get("/actuator/backups");
        let mut samples: [Samples; N] = std::array::from_fn(|_| Samples::default());
        let mut connections = Vec::new();
        for host in &self.hosts {
            connections.push(Connection::open(port(host)).await?);
        }
        for _ in 0..rounds {
            for (connection, samples) in connections.iter_mut().zip(&mut samples) {
                samples.add(connection.timed(&request, 200).await?);
            }
            if let Some((python, reads)) = &mut python {
                python.read(reads).await?;
            }
        }
        Ok(samples.map(|samples| Figure::time(samples.median())))
    }
}
