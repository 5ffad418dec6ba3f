# Salon's commands. `make run` and `make test` need nothing but Python 3.11+, Rust, Node and a C compiler (and, for tests, Debian's packages).
# Each step leaves a stamp in .build/ and runs again only when what it depends on has changed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .build
STEP := scripts/step

ENGINE := salon/relay/_engine.abi3.so
CLIENT := salon/web/client/index.html
ENGINE_SOURCES := $(shell find media \( -name target -o -name fuzz \) -prune -o -type f \( -name '*.rs' -o -name 'Cargo.*' \) -print)
CLIENT_SOURCES := $(shell find web -name node_modules -prune -o -type f -print 2>/dev/null)
MESSAGES := $(wildcard salon/locale/*/LC_MESSAGES/django.po)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

.PHONY: run
run: build ## install, build and start everything on http://localhost:8000
	@exec $(BIN)/salon serve

.PHONY: build
build: $(STAMPS)/tools $(STAMPS)/python $(STAMPS)/postgres $(ENGINE) $(CLIENT) $(STAMPS)/messages

$(STAMPS)/tools:
	@mkdir -p $(STAMPS)
	@scripts/check-tools $(PYTHON)
	@touch $@

$(STAMPS)/python: requirements.txt pyproject.toml | $(STAMPS)/tools
	@$(STEP) "Python packages" scripts/install-python $(PYTHON) $(VENV) requirements.txt
	@touch $@

$(STAMPS)/python-dev: requirements-dev.txt $(STAMPS)/python
	@$(STEP) "Python packages for tests" scripts/install-python $(PYTHON) $(VENV) requirements-dev.txt
	@touch $@

$(STAMPS)/postgres: | $(STAMPS)/tools
	@scripts/install-debian postgresql
	@touch $@

$(ENGINE): $(ENGINE_SOURCES) | $(STAMPS)/tools
	@$(STEP) "media engine (Rust)" cargo build --quiet --locked --release --manifest-path media/Cargo.toml -p salon-python
	@cp media/target/release/lib_engine.so $@.new && mv $@.new $@

$(STAMPS)/node: web/package-lock.json | $(STAMPS)/tools
	@$(STEP) "client's packages (npm)" npm --prefix web ci --no-audit --no-fund --loglevel=error
	@touch $@

$(CLIENT): $(CLIENT_SOURCES) $(STAMPS)/node
	@$(STEP) "client (TypeScript)" npm --prefix web run --silent build
	@touch $@

$(STAMPS)/messages: $(MESSAGES) $(STAMPS)/python
	@$(STEP) "translations" $(BIN)/python -m salon.locale.compile
	@touch $@

$(STAMPS)/test-tools: $(STAMPS)/python-dev
	@scripts/install-debian chromium-headless-shell flite sox haproxy iproute2 nftables
	@touch $@

CARGO_TEST = cargo test --quiet --locked --manifest-path media/Cargo.toml --workspace
PYTEST_AGAIN = { echo "Once more, what failed:"; $(BIN)/python -m pytest tests -m "$(1)" --last-failed --last-failed-no-failures none; }

.PHONY: test
test: build $(STAMPS)/test-tools ## everything: engine, server, client, journeys in real browsers
	@# Some tests use real sockets and hear real sound in real time, and a machine that pauses for a second can spoil one: what failed gets
	@# one second chance, in plain sight.
	$(CARGO_TEST) --no-fail-fast || { echo "Once more, since one failed:"; $(CARGO_TEST); }
	npm --prefix web run --silent test
	@# A file stays in one process: what its tests share (ports, a cluster, a running Salon) is theirs alone. Each process starts a cluster.
	$(BIN)/python -m pytest tests -m "not journey" -n auto --maxprocesses 8 --dist loadfile || $(call PYTEST_AGAIN,not journey)
	$(BIN)/python -m pytest tests -m journey || $(call PYTEST_AGAIN,journey)

.PHONY: journeys
journeys: build $(STAMPS)/test-tools ## the browser journeys alone; ONLY=word picks those whose name has it
	$(BIN)/python -m pytest tests/e2e -m journey -k "$(ONLY)"

.PHONY: check
check: $(STAMPS)/python-dev $(STAMPS)/node ## lint, types and import layers of all three languages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cargo fmt --manifest-path media/Cargo.toml --all --check
	cargo clippy --quiet --locked --manifest-path media/Cargo.toml --workspace --all-targets -- -D warnings
	npm --prefix web run --silent check
	npm --prefix web run --silent lint
	scripts/check-locks
	scripts/check-links

.PHONY: bench
bench: build $(STAMPS)/python-dev ## the figures, as JSON lines
	@$(BIN)/python -m bench.run | $(BIN)/python -m bench.results
	@$(BIN)/python -m bench.table

.PHONY: bench-crowd
bench-crowd: build $(STAMPS)/python-dev ## what coming in costs, and how many can at a time: five minutes
	@$(BIN)/python -m bench.crowd | $(BIN)/python -m bench.results

.PHONY: bench-plot
bench-plot: build $(STAMPS)/python-dev ## draw the cost of a packet against listeners: five minutes
	@$(BIN)/python -m bench.plot

.PHONY: bench-page
bench-page: $(STAMPS)/python-dev ## put the figures that were measured last into docs/benchmarks.md
	@$(BIN)/python -m bench.page

.PHONY: bench-peers
bench-peers: build $(STAMPS)/python-dev ## Salon beside mediasoup, LiveKit, Janus and Mumble: ten minutes, the first time twenty
	@scripts/install-debian janus mumble-server || true
	@$(BIN)/python -m bench.peers.run | $(BIN)/python -m bench.results

.PHONY: bench-bypass
bench-bypass: build $(STAMPS)/python-dev ## what a packet costs around the kernel's UDP stack: four minutes, root
	@$(BIN)/python -m bench.bypass | $(BIN)/python -m bench.results

.PHONY: bench-mouth-to-ear
bench-mouth-to-ear: build $(STAMPS)/test-tools ## how long sound takes from one browser to another: a minute
	@$(BIN)/python -m bench.mouth_to_ear | $(BIN)/python -m bench.results

.PHONY: bench-paths
bench-paths: build $(STAMPS)/test-tools ## a listener's address changes, the path dies, UDP is dropped: three minutes, root
	@$(BIN)/python -m bench.paths.run | $(BIN)/python -m bench.results

.PHONY: bench-faults
bench-faults: build $(STAMPS)/python-dev ## media killed and replaced under 1,000 listeners, people who vanish: fifteen minutes
	@$(BIN)/python -m bench.faults.run | $(BIN)/python -m bench.results

.PHONY: bench-silencing
bench-silencing: build $(STAMPS)/python-dev ## how soon who was muted, removed or blocked is silent: five minutes
	@$(BIN)/python -m bench.silencing | $(BIN)/python -m bench.results

.PHONY: bench-hostile
bench-hostile: build $(STAMPS)/python-dev ## floods, forgeries, races and bombs against running processes: four minutes
	@$(BIN)/python -m bench.hostile.run | $(BIN)/python -m bench.results

.PHONY: bench-loss
bench-loss: $(STAMPS)/python-dev ## how speech sounds that came over lossy legs, in emulated time: three minutes
	@scripts/install-debian gcc libopus0
	@$(STEP) "PESQ" $(BIN)/python -m pip install --quiet --no-deps --require-hashes -r bench/loss/requirements.txt
	@cargo build --quiet --locked --manifest-path media/Cargo.toml -p salon-engine --example lossy_path
	@$(BIN)/python -m bench.loss.run | $(BIN)/python -m bench.results

.PHONY: fuzz
fuzz: $(STAMPS)/python-dev $(ENGINE) ## every fuzz target for a few seconds (make test replays their corpora)
	for target in $$(scripts/fuzz list); do scripts/fuzz $$target 5 || exit 1; done
	for target in $$(scripts/fuzz-python list); do scripts/fuzz-python $$target 5 || exit 1; done

.PHONY: fuzz-nightly
fuzz-nightly: $(STAMPS)/python-dev $(ENGINE) ## every fuzz target for ten minutes; what reaches new code joins its corpus
	for target in $$(scripts/fuzz list); do scripts/fuzz $$target 600 && scripts/fuzz $$target merge || exit 1; done
	for target in $$(scripts/fuzz-python list); do scripts/fuzz-python $$target 600 && scripts/fuzz-python $$target merge || exit 1; done

.PHONY: wheel
wheel: $(CLIENT) $(STAMPS)/messages $(STAMPS)/python-dev ## a wheel with the engine and the client inside: needs neither Rust nor Node to install
	@$(STEP) "wheel" $(BIN)/maturin build --quiet --release --locked --out dist

.PHONY: lock
lock: ## write the lock files anew from pyproject.toml (needs uv)
	uv export --quiet --no-emit-project --no-dev --extra demo --format requirements-txt --no-header -o requirements.txt
	uv export --quiet --no-emit-project --extra demo --format requirements-txt --no-header -o requirements-dev.txt
	scripts/strip-funding
	scripts/check-locks

.PHONY: clean
clean: ## forget everything built; .salon (the data) stays
	rm -rf $(VENV) $(STAMPS) $(ENGINE) salon/web media/target web/node_modules dist
