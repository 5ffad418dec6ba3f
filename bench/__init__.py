"""Benches: what Salon costs and how fast it is, measured against a running server. See bench/README.md."""
