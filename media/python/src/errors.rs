//! The engine's errors as Python's own exceptions; nowhere else are exceptions made.

#![allow(missing_docs)] // The macro's types; the stub documents them.

use pyo3::PyErr;
use pyo3::exceptions::PyException;

pyo3::create_exception!(salon.relay._engine, EngineError, PyException, "The engine could not start or is stopped.");
pyo3::create_exception!(salon.relay._engine, OfferRefused, PyException, "The peer's SDP cannot be used; args[0] says why.");
pyo3::create_exception!(salon.relay._engine, SessionUnknown, PyException, "No such session: it ended, or never was.");

pub(crate) fn engine_error(error: salon_driver::DriverError) -> PyErr {
    EngineError::new_err(error.0)
}

pub(crate) fn offer_refused(refused: salon_driver::engine::OfferRefused) -> PyErr {
    OfferRefused::new_err(refused.0)
}
