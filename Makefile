# Two commands matter: `make demo` and `make test`. CONTRIBUTING.md has the rest and the times.

# Compiled dependencies live outside the checkout, so that a fresh clone does not compile them again.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/throughline
export CARGO_TARGET_DIR ?= $(CACHE)/target
BIN := $(CARGO_TARGET_DIR)/debug
DENY := $(CACHE)/tools/bin/cargo-deny

.PHONY: demo test build ui functions clients fmt lint test-rust test-ui test-functions test-browser tidy deny clean help

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | column -t -s '	'

demo: need build big-mouth ## build everything, run a restaurant service with users, print the page's address
	@scripts/moto >/dev/null
	@exec $(BIN)/throughline demo $(DEMO)

demo-checkout: need build checkout ## the same with the small example of three functions
	@exec $(BIN)/throughline demo --example checkout $(DEMO)
.PHONY: demo-checkout

test: need fmt ui lint tidy build budget functions clients test-ui test-functions test-layers test-rust test-soak test-browser deny ## every check and test there is
	@echo "make test: all passed"

need:
	@scripts/need
.PHONY: need

# --- building

build: ui ## the binaries, with the page inside
	cargo build --locked --workspace --bins

ui: ui/dist/index.html ## the page, as static files

UI_SOURCES := $(shell find ui/src ui/public ui/index.html ui/package-lock.json ui/vite.config.ts -type f 2>/dev/null)
ui/dist/index.html: ui/node_modules/.stamp $(UI_SOURCES)
	npm --prefix ui run build
	@touch $@

ui/node_modules/.stamp: ui/package-lock.json
	npm --prefix ui ci --no-audit --no-fund
	@touch $@

functions: checkout big-mouth ## the functions of the examples, with their dependencies
checkout: build
	@$(MAKE) --no-print-directory -C examples/checkout build
big-mouth: build
	@$(MAKE) --no-print-directory -C examples/big-mouth build
.PHONY: checkout big-mouth

clients: ## the runtime clients and SDKs that the sandbox is tested with, once into the cache
	@scripts/clients

# --- checking

fmt:
	cargo fmt --all --check

lint:
	cargo clippy --locked --workspace --all-targets -- -D warnings
	npm --prefix ui run check
	npm --prefix ui run lint

tidy: ## layers, file sizes, links, words
	cargo xtask tidy

budget: ## the size and the memory of the extension, as it is shipped
	cargo xtask budget
.PHONY: budget

servers: ## what the tests need of other people's servers, moto, Kafka, RabbitMQ and databases, once into the cache
	@scripts/moto >/dev/null || echo "moto's server cannot be installed; its tests are skipped"
	@scripts/kafka >/dev/null || echo "Kafka's broker cannot be fetched; its test is skipped"
	@scripts/debian >/dev/null || echo "MariaDB and RabbitMQ cannot be fetched; tests with them are skipped"
	@scripts/mongo >/dev/null || echo "what speaks MongoDB's protocol cannot be fetched; tests with it are skipped"
	@layers/python/venv servers >/dev/null || echo "Postgres and Redis cannot be installed; tests with them are skipped"
	@scripts/readers >/dev/null || echo "DuckDB cannot be installed; tests with it are skipped"
.PHONY: servers

test-rust: functions clients servers ## unit, integration and end-to-end tests
	cargo test --locked --workspace

simulate: ## the extension in a simulated world, 100,000 seeds (SEEDS=n); one of them with SEED=n
	THROUGHLINE_SEEDS=$(or $(SEEDS),100000) $(if $(SEED),THROUGHLINE_SEED=$(SEED)) CARGO_PROFILE_RELEASE_LTO=false \
		cargo test --locked --release --config 'profile.release.package.throughline-extension.debug-assertions=true' \
		--package throughline-extension --test simulate -- --nocapture
.PHONY: simulate

test-ui: ui/node_modules/.stamp ## the page's unit tests
	npm --prefix ui test

test-functions: functions ## the examples' own tests
	@$(MAKE) --no-print-directory -C examples/checkout test
	@if scripts/moto >/dev/null; then $(MAKE) --no-print-directory -C examples/big-mouth test; \
		else echo "moto's server cannot be installed; the tests of big-mouth are skipped"; fi

layers: layers-python layers-node ## the layers for functions, as zips in target/layers
layers-python:
	@python3 layers/python/pack.py target/layers
layers-node:
	@node layers/node/pack.mjs target/layers
.PHONY: layers layers-python layers-node

test-layers: test-layers-python test-layers-node ## the layers' own tests
test-layers-python: build
	@python=$$(layers/python/venv test):$$(layers/python/venv aio) || echo "the layer's libraries cannot be installed; its tests with them are skipped"; \
		moto=$$(scripts/moto) || echo "moto's server cannot be installed; tests with it are skipped"; \
		servers=$$(layers/python/venv servers) || echo "Postgres and Redis cannot be installed; tests with them are skipped"; \
		kafka=$$(scripts/kafka) || echo "Kafka's broker cannot be fetched; its test is skipped"; \
		debian=$$(scripts/debian) || echo "MariaDB and RabbitMQ cannot be fetched; tests with them are skipped"; \
		mongo=$$(scripts/mongo) || echo "what speaks MongoDB's protocol cannot be fetched; its test is skipped"; \
		cd layers/python && THROUGHLINE_TEST_PYTHON=$$python THROUGHLINE_BIN=$(BIN) THROUGHLINE_MOTO=$$moto \
		THROUGHLINE_SERVERS=$$servers THROUGHLINE_KAFKA=$$kafka THROUGHLINE_DEBIAN=$$debian THROUGHLINE_MONGO=$$mongo python3 -m unittest discover --quiet -s . -t .
test-layers-node: functions layers-node
	@THROUGHLINE_BIN=$(BIN) layers/node/test
.PHONY: test-layers test-layers-python test-layers-node

bench-layers: bench-layers-python bench-layers-node ## what the layers cost a function: target/bench/layers.json
bench-layers-python:
	@python3 layers/python/bench.py target/bench/layers.json
bench-layers-node:
	@npm --prefix layers/node/bench ci --silent
	@node layers/node/bench/bench.mjs target/bench/layers.json
.PHONY: bench-layers bench-layers-python bench-layers-node

test-browser: build functions ## the page in Chromium, against fixtures and against the running product
	scripts/test-browser

orders: functions ## a thousand orders of big-mouth under load (ORDERS=n): each has its e-mail, and is one trace
	BIG_MOUTH_ORDERS=$(or $(ORDERS),1000) cargo test --locked --workspace --test orders -- --nocapture
.PHONY: orders

misbehaviours: functions ## what goes wrong in big-mouth without an error, looked for in its telemetry: four minutes
	BIG_MOUTH_MISBEHAVES=1 cargo test --locked --workspace --test orders -- --nocapture what_goes_wrong
.PHONY: misbehaviours

sentences: functions ui/node_modules/.stamp ## what is told of what goes wrong in big-mouth, in mail, Slack and on the page, kept in target/sentences: three quarters of an hour
	@scripts/moto >/dev/null
	THROUGHLINE_BIN=$(BIN)/throughline npm --prefix ui run sentences
.PHONY: sentences

record-incidents: functions ui/node_modules/.stamp ## what big-mouth sends while all is well and while each thing goes wrong, with its cause, kept in DIR=target/incidents (NAMES='timeout retry-storm' for some): more than an hour
	@scripts/moto >/dev/null
	THROUGHLINE_BIN=$(BIN)/throughline node ui/e2e/sentences/record.mjs $(abspath $(or $(DIR),target/incidents)) $(NAMES)
.PHONY: record-incidents

crowd: functions clients servers ## a thousand user actions at once, whose traces must not mix
	cargo test --locked --workspace --test propagation -- a_thousand
.PHONY: crowd

bench-sandbox: ## how fast the sandbox is: target/bench/sandbox.json
	cargo run --locked $(BENCH_FLAGS) --package throughline-sandbox --example bench target/bench/sandbox.json
.PHONY: bench-sandbox

completeness: build ## 10,000 invocations with random faults, compared span by span with what the server has
	PROOF_INVOCATIONS=10000 cargo test --locked --workspace --test proof -- the_server_has
.PHONY: completeness

EXTENSION = $(CARGO_TARGET_DIR)/$(shell rustc -vV | sed -n 's/^host: //p')/extension
bench-extension: budget ## what the extension costs its function: target/bench/extension.json
	cargo run --locked $(BENCH_FLAGS) --package throughline-sandbox --example bench-extension -- $(EXTENSION)/throughline-extension $(EXTENSION)/examples/register_only target/bench/extension.json
.PHONY: bench-extension

bench-insight: ## how good and how quick the analysis is: target/bench/insight.json (PARTS='contrast graph watch incidents petshop recorded quota'; PETSHOP=DIR, RECORDED=DIR for incidents whose causes are known)
	@if [ -n "$(PETSHOP)$(RECORDED)" ]; then cargo build --locked $(BENCH_FLAGS) --workspace --bin throughline; fi
	PETSHOP='$(abspath $(PETSHOP))' RECORDED='$(abspath $(RECORDED))' THROUGHLINE_BIN=$(CARGO_TARGET_DIR)/$(if $(BENCH_FLAGS),release,debug)/throughline \
	cargo run --locked $(BENCH_FLAGS) --package throughline-insight --example bench_insight target/bench/insight.json $(PARTS)
.PHONY: bench-insight

bench-ingest: ## how fast spans become durable, and what they cost
	cargo build --locked $(BENCH_FLAGS) --workspace --example bench_ingest
	@bench=$(CARGO_TARGET_DIR)/$(if $(BENCH_FLAGS),release,debug)/examples/bench_ingest; \
		$$bench wire; for case in store-512 store-10 grpc-512 grpc-10 http-512 http-10; do $$bench $$case; done
.PHONY: bench-ingest

bench-batches: ## what it costs to store each batch once
	cargo run --locked $(BENCH_FLAGS) --package throughline-store --example bench_batches
.PHONY: bench-batches

bench-corpus: ## what the telemetry that the store is measured with looks like, and how fast it is made
	@for signal in traces logs metrics; do for what in speed stats; do \
		cargo run --quiet --locked $(BENCH_FLAGS) --package throughline-bench --bin bench-corpus $$what $$signal; done; done
.PHONY: bench-corpus

bench-segments: ## what segments take, and what it costs to write and read them
	cargo run --locked $(BENCH_FLAGS) --package throughline-store --example bench_segments
.PHONY: bench-segments

# The directory of what BENCH_FLAGS builds.
BENCH_BIN = $(CARGO_TARGET_DIR)/$(if $(findstring --release,$(BENCH_FLAGS)),release,debug)
ROWS ?= 10000000

bench-binaries:
	cargo build --locked $(BENCH_FLAGS) --workspace --bins
.PHONY: bench-binaries

bench-store: bench-binaries ## the store with 10 million spans and log records each (ROWS=n), kept with KEEP=1: target/bench/store.json
	$(BENCH_BIN)/bench-store $(BENCH_BIN)/throughline $(ROWS) $(if $(KEEP),--keep)
.PHONY: bench-store

# A server's data with many spans; what `make bench-store KEEP=1` leaves.
STORE ?= target/bench/store-work/data
bench-ui: ui bench-binaries ## how quick the page is in Chromium, over a large store too (STORE=FOLDER): target/bench/ui.json
	node ui/bench/ui.mjs $(BENCH_BIN)/throughline target/bench/ui.json $(STORE)
.PHONY: bench-ui

bench-store-full: ## the same with 100 million, hours and 25 GB; goes on where it was broken off
	$(MAKE) bench-store ROWS=100000000
.PHONY: bench-store-full

bench-peers: bench-store ## the same rows in ClickHouse's engine and in DuckDB, side by side: target/bench/peers.json
	@mkdir -p target/bench
	$(BENCH_BIN)/bench-corpus export target/bench/peers-work $(ROWS)
	$$(scripts/peers) benches/peers/peers.py target/bench/peers-work target/bench/store.json target/bench/peers.json; \
		status=$$?; rm -rf target/bench/peers-work; exit $$status
.PHONY: bench-peers

SOAK_SECONDS ?= 1800
soak: bench-binaries ## half an hour of telemetry and questions (SOAK_SECONDS=n): memory and files stay flat, target/bench/soak.json
	$(BENCH_BIN)/bench-soak $(BENCH_BIN)/throughline $(SOAK_SECONDS) --retention 150MB
.PHONY: soak

test-soak: build ## the same in two and a half minutes, with everything kept
	$(BIN)/bench-soak $(BIN)/throughline 150 --rate 2000 --out target/bench/soak-short.json
.PHONY: test-soak

# `make bench-sandbox BENCH_FLAGS=` measures what is built anyhow.
BENCH_FLAGS ?= --release

fuzz: ## every decoder fed with arbitrary bytes, FUZZ_SECONDS (60) each; needs a nightly Rust
	scripts/fuzz
.PHONY: fuzz

deny: $(DENY) ## licences and banned dependencies
	$(DENY) --all-features check --hide-inclusion-graph bans licenses sources

$(DENY):
	CARGO_TARGET_DIR=$(CACHE)/tools/target cargo install --locked --root $(CACHE)/tools cargo-deny@0.20.2
	@rm -rf $(CACHE)/tools/target

clean: ## what was built from this checkout; dependencies in the cache stay
	rm -rf ui/dist ui/node_modules examples/checkout/inventory/.venv examples/checkout/notify/node_modules examples/checkout/checkout/bin examples/big-mouth/.build examples/big-mouth/node_modules
