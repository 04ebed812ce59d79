//! Whatever hosts do at the same time, and whenever one of them dies.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use backup_core::memory::{Dialect, Intercepted};
use backup_core::{BackupState, Engine, Method, Request, Response, SnapshotState, TransportError, operations};
use proptest::prelude::*;

use crate::fixture::{Fixture, interrupted, part};

const ID: u64 = 12;
const SUCCEED: Act = Act::Finish(SnapshotState::Success);
const FAIL: Act = Act::Finish(SnapshotState::Partial);

/// What a host does, and what happens at each of its requests.
#[derive(Clone, Debug)]
struct Turn {
    act: Act,
    events: Vec<Event>,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Create,
    Advance,
    Delete,
    /// Not a host's act: the engine ends what it is writing.
    Finish(SnapshotState),
    /// Nor this one: time goes by.
    Pass,
}

#[derive(Clone, Debug)]
enum Event {
    Arrives,
    LostBefore,
    LostAfter,
    /// The host is killed: neither this request nor another one is sent.
    Killed,
    /// Something else happens first.
    Meanwhile(Turn),
}

impl Turn {
    fn event(&self, number: usize) -> &Event {
        match (self.act, self.events.get(number)) {
            (_, None) => &Event::Arrives,
            // Who is not told that a deletion succeeded has to ask for it again.
            (Act::Delete, Some(Event::LostBefore | Event::LostAfter | Event::Killed)) => &Event::Arrives,
            (_, Some(event)) => event,
        }
    }
}

fn turns(acts: &'static [Act]) -> impl Strategy<Value = Vec<Turn>> {
    let event = prop_oneof![
        6 => Just(Event::Arrives),
        1 => Just(Event::LostBefore),
        1 => Just(Event::LostAfter),
        1 => Just(Event::Killed),
    ];
    let turn = move |event: BoxedStrategy<Event>| {
        (prop::sample::select(acts), prop::collection::vec(event, 0..7)).prop_map(|(act, events)| Turn { act, events })
    };
    let quiet = turn(event.clone().boxed());
    let busy = quiet.prop_recursive(3, 40, 6, move |inner| {
        turn(prop_oneof![2 => event.clone(), 1 => inner.prop_map(Event::Meanwhile)].boxed())
    });
    prop::collection::vec(busy, 1..8)
}

/// A cluster, and what became of what hosts did there.
struct Play {
    fixture: Fixture,
    runs: Cell<u32>,
    /// The runs that were accepted.
    accepted: RefCell<Vec<String>>,
    /// The runs that a deletion told of.
    deleted: RefCell<Vec<String>>,
}

impl Play {
    fn new(dialect: Dialect) -> Self {
        let (accepted, deleted) = (RefCell::default(), RefCell::default());
        Self { fixture: Fixture::new(dialect), runs: Cell::new(0), accepted, deleted }
    }

    fn take(&self, turn: &Turn) {
        let (seen, is_dead) = (Cell::new(0), Cell::new(false));
        let engine = Intercepted::new(&self.fixture.engine, |request| {
            let event = turn.event(seen.replace(seen.get() + 1));
            is_dead.set(is_dead.get() || matches!(event, Event::Killed));
            Some(match event {
                _ if is_dead.get() => Err(TransportError::Unreachable("killed".to_owned())),
                Event::LostBefore => Err(interrupted()),
                Event::LostAfter => self.forward(request).and(Err(interrupted())),
                Event::Meanwhile(other) => {
                    self.take(other);
                    self.forward(request)
                }
                Event::Arrives | Event::Killed => self.forward(request),
            })
        });
        match turn.act {
            Act::Create => self.create(&engine),
            Act::Advance => drop(self.fixture.advance_over(&engine, ID)),
            Act::Delete => self.delete(&engine),
            Act::Finish(state) => self.finish(state),
            Act::Pass => self.fixture.engine.pass(Duration::from_millis(500)),
        }
    }

    /// Lets a request through, unless it breaks the rule of all rules.
    fn forward(&self, request: &Request) -> Result<Response, TransportError> {
        if request.method == Method::Put && request.path.last() == Some(&part(ID, 2)) {
            let part_one = self.fixture.snapshots().into_iter().find(|snapshot| snapshot.name == part(ID, 1));
            let is_gone = part_one.is_none() && !self.deleted.borrow().is_empty();
            let has_succeeded = part_one.is_some_and(|snapshot| snapshot.state == SnapshotState::Success);
            assert!(has_succeeded || is_gone, "part 2 before the success of part 1");
        }
        self.fixture.engine.send(request)
    }

    fn create(&self, engine: &impl Engine) {
        let run_id = format!("run-{}", self.runs.replace(self.runs.get() + 1));
        if operations::create(engine, &self.fixture.context(&run_id), &ID.to_string()).is_ok() {
            self.accepted.borrow_mut().push(run_id);
        }
    }

    fn delete(&self, engine: &impl Engine) {
        if let Ok(deleted) = operations::delete(engine, &self.fixture.context("-"), &ID.to_string(), None) {
            self.deleted.borrow_mut().extend(deleted.runs);
        }
    }

    /// The engine ends what it is writing.
    fn finish(&self, state: SnapshotState) {
        for snapshot in self.fixture.snapshots() {
            if snapshot.state == SnapshotState::InProgress {
                self.fixture.engine.finish(&snapshot.name, state);
            }
        }
    }
}

proptest! {
    #[test]
    fn every_run_can_be_brought_to_its_end(
        dialect in prop::sample::select(&Dialect::ALL[..]),
        turns in turns(&[Act::Create, Act::Create, Act::Advance, Act::Advance, SUCCEED, SUCCEED, FAIL, Act::Pass]),
    ) {
        let play = Play::new(dialect);
        turns.iter().for_each(|turn| play.take(turn));
        let accepted = play.accepted.take();
        prop_assert!(accepted.len() <= 1, "accepted twice: {accepted:?}");
        if play.fixture.names().is_empty() {
            prop_assert_eq!(&accepted, &Vec::<String>::new());
            play.fixture.create(ID, "run-after").unwrap();
        }
        let backup = play.fixture.drive(ID);
        if play.fixture.snapshots().iter().any(|snapshot| snapshot.state == SnapshotState::Partial) {
            prop_assert_eq!(backup.state, BackupState::Failed);
        } else {
            prop_assert_eq!(backup.state, BackupState::Complete);
            prop_assert_eq!(play.fixture.names(), [part(ID, 1), part(ID, 2)]);
        }
        for run_id in accepted {
            prop_assert_eq!(backup.run_id.as_ref(), Some(&run_id));
        }
    }

    #[test]
    fn a_deletion_and_its_second_look_leave_nothing(
        dialect in prop::sample::select(&Dialect::ALL[..]),
        turns in turns(&[Act::Advance, Act::Advance, Act::Delete, SUCCEED]),
    ) {
        let play = Play::new(dialect);
        play.fixture.create(ID, "run-1").unwrap();
        play.finish(SnapshotState::Success);
        turns.iter().for_each(|turn| play.take(turn));
        let runs = play.deleted.take();
        if !runs.is_empty() {
            play.fixture.delete(ID, Some(&runs)).unwrap();
            prop_assert_eq!(play.fixture.names(), Vec::<String>::new());
        }
    }
}
