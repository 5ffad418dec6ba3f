"""The worker: procrastinate's jobs, and the keeper that holds places in step with who really has sound."""
