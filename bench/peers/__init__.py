"""Salon's engine beside other servers, on the same machine in the same run. See "Against others" in docs/benchmarks.md."""
