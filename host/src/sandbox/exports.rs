//! Where the functions of a component are. They are looked up once, and not for each call.

use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, ComponentType, Lift, Lower};

use super::Operation;

/// The arguments of a function.
pub(super) trait Arguments: ComponentNamedList + Lower + Send + Sync {}
impl<T: ComponentNamedList + Lower + Send + Sync> Arguments for T {}

/// What a function returns, if it is no error.
pub(super) trait Returned: ComponentType + Lift + Send + Sync + 'static {}
impl<T: ComponentType + Lift + Send + Sync + 'static> Returned for T {}

pub(super) struct Exports {
    create: ComponentExportIndex,
    advance: ComponentExportIndex,
    get: ComponentExportIndex,
    progress: ComponentExportIndex,
    list: ComponentExportIndex,
    delete: ComponentExportIndex,
    expire: ComponentExportIndex,
    plan_restore: ComponentExportIndex,
    advance_restore: ComponentExportIndex,
    get_restore: ComponentExportIndex,
    begin_verification: ComponentExportIndex,
    advance_verification: ComponentExportIndex,
    verification_traces: ComponentExportIndex,
    clear_verification: ComponentExportIndex,
}

const BACKUPS: &str = "optimize:backup/backups@1.0.0";
const RESTORES: &str = "optimize:backup/restores@1.0.0";
const RETENTION: &str = "optimize:backup/retention@1.0.0";
const VERIFICATIONS: &str = "optimize:backup/verifications@1.0.0";

impl Exports {
    pub(super) fn of(component: &Component) -> wasmtime::Result<Self> {
        let function = |operation: Operation| {
            let (interface, name) = function_of(operation);
            let found = component.get_export_index(None, interface);
            let found = found.and_then(|interface| component.get_export_index(Some(&interface), name));
            found.ok_or_else(|| wasmtime::format_err!("it has no function `{name}` in `{interface}`"))
        };
        Ok(Self {
            create: function(Operation::Create)?,
            advance: function(Operation::Advance)?,
            get: function(Operation::Get)?,
            progress: function(Operation::Progress)?,
            list: function(Operation::List)?,
            delete: function(Operation::Delete)?,
            expire: function(Operation::Expire)?,
            plan_restore: function(Operation::PlanRestore)?,
            advance_restore: function(Operation::AdvanceRestore)?,
            get_restore: function(Operation::GetRestore)?,
            begin_verification: function(Operation::BeginVerification)?,
            advance_verification: function(Operation::AdvanceVerification)?,
            verification_traces: function(Operation::VerificationTraces)?,
            clear_verification: function(Operation::ClearVerification)?,
        })
    }

    pub(super) fn of_operation(&self, operation: Operation) -> ComponentExportIndex {
        match operation {
            Operation::Create => self.create,
            Operation::Advance => self.advance,
            Operation::Get => self.get,
            Operation::Progress => self.progress,
            Operation::List => self.list,
            Operation::Delete => self.delete,
            Operation::Expire => self.expire,
            Operation::PlanRestore => self.plan_restore,
            Operation::AdvanceRestore => self.advance_restore,
            Operation::GetRestore => self.get_restore,
            Operation::BeginVerification => self.begin_verification,
            Operation::AdvanceVerification => self.advance_verification,
            Operation::VerificationTraces => self.verification_traces,
            Operation::ClearVerification => self.clear_verification,
        }
    }
}

/// The interface that has an operation, and what it is called there.
fn function_of(operation: Operation) -> (&'static str, &'static str) {
    match operation {
        Operation::Expire => (RETENTION, "expire"),
        Operation::PlanRestore => (RESTORES, "plan"),
        Operation::AdvanceRestore => (RESTORES, "advance"),
        Operation::GetRestore => (RESTORES, "get"),
        Operation::BeginVerification => (VERIFICATIONS, "begin"),
        Operation::AdvanceVerification => (VERIFICATIONS, "advance"),
        Operation::VerificationTraces => (VERIFICATIONS, "traces"),
        Operation::ClearVerification => (VERIFICATIONS, "clear"),
        Operation::Create
        | Operation::Advance
        | Operation::Get
        | Operation::Progress
        | Operation::List
        | Operation::Delete => (BACKUPS, operation.name()),
    }
}
