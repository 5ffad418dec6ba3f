//! The engine on an emulated network: joining, hearing, being silenced, losing packets and getting them back, and being attacked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, missing_debug_implementations)]

mod flood;
mod gates;
mod hearing;
mod hostile;
mod joining;
mod lifetime;
mod long_packets;
mod network;
mod outliving;
mod repair;
mod routes;
mod sharing;
mod stage;
mod storm;
mod support;
mod talk;
