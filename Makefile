# `make help` lists what there is. Everything here also works without a terminal.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-build root test check fuzz generate demo demo-clean bench bench-downtime image

CARGO ?= cargo
# Set by CI systems, and of no use to a build that starts from nothing.
export CARGO_INCREMENTAL ?= $(if $(CI),0,1)

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup: root ## install with apt what building and testing need, as far as it is missing
	@scripts/setup build test

setup-build:
	@scripts/setup build

root:
	@[ "$$(id -u)" = 0 ] || { echo "This needs root: it starts Docker engines in network namespaces. Try: sudo -E env PATH=\"\$$PATH\" make $(MAKECMDGOALS)" >&2; exit 1; }

check: setup-build ## formatting and lints only; needs no root once everything is installed
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings

test: setup check ## everything: formatting, lints, all tests, the ones on a real swarm included, and 60 s of each fuzz target
	@scripts/test
	@scripts/fuzz

fuzz: setup ## feed any text to what reads text, until it breaks: an hour each target, or FUZZ_SECONDS=n
	@scripts/fuzz $${FUZZ_SECONDS:-3600}

generate: setup-build ## write the schemas, docs/cli.md and docs/compose.md anew, from the code
	SKEP_GENERATE=1 $(CARGO) test --locked --test all documents

demo: root ## see skep bring a swarm to what a git repository says, from nothing, in about a minute
	@scripts/setup build demo
	$(CARGO) build --release --locked
	@scripts/demo

demo-clean: root ## remove every trace of the demo
	@scripts/demo clean

bench: setup ## measure skep beside docker stack deploy, and skep render beside docker stack config (docs/benchmarks.md)
	$(CARGO) bench --bench render
	$(CARGO) bench --bench swarm

bench-downtime: setup ## measure what updates lose, through docker stack deploy and skep, in about 45 minutes (docs/benchmarks.md)
	@scripts/setup bench
	$(CARGO) bench --bench downtime

image: ## build the container image, skep:latest (IMAGE=name:tag)
	@scripts/image $${IMAGE:-skep:latest}
