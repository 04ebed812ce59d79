//! Real engines, real hosts and believable Optimize installations, for tests and the demo.
//!
//! Everything that is started here ends with the process that started it, also when that is killed.

pub mod aws;
pub mod client;
pub mod compiler;
pub mod contents;
pub mod engine;
pub mod fault;
pub mod fixture;
mod guardian;
pub mod host;
pub mod installation;
pub mod journal;
pub mod matrix;
pub mod memory;
pub mod programs;
pub mod repository;
mod target;
mod wait;

pub use self::target::target_folder;
pub use self::wait::poll_until;
