# Everything a person or CI does here. Each target installs what it needs into .cache.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

CARGO ?= cargo
# Where Terraform's registry is out of reach, a stand-in with the provider's schemas serves.
SCHEMA_ONLY := $(wildcard ../shared/terraform-schema/terraform)
TERRAFORM ?= $(if $(SCHEMA_ONLY),$(abspath $(SCHEMA_ONLY)),terraform)
VENV := .cache/venv
SAMPLE := fixtures/events.jsonl
SAMPLE_SETTINGS = --event-years 2020-2030 --event-types $(shell python3 fixtures/make_events.py --types)

help: ## what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the main job on the sample events: into the folder lake
	$(CARGO) run --release --no-default-features --features tool -- run $(SAMPLE) --lake lake $(SAMPLE_SETTINGS)

check: ## what must hold before a commit: format, lints, Terraform; changes nothing
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -Dwarnings
	python3 fixtures/make_events.py --check

test: ## every test; fetches the emulators
	python3 -m unittest discover -s tests/oracle
	$(CARGO) test --locked

.PHONY: help run check test
