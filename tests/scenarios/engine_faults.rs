//! Engines that fail.
