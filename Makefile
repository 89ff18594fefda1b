# Everything a person or CI does here. What a target needs, it fetches into .cache.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

CARGO ?= cargo
# Where Terraform's registry is out of reach, a stand-in that has the provider's schemas serves.
STAND_IN := $(abspath $(wildcard ../shared/terraform-schema/terraform))
TERRAFORM ?= $(or $(STAND_IN),terraform)
unexport TERRAFORM # the stand-in would take it for the real one
TF = $(TERRAFORM) -chdir=terraform
TFVARS = -var-file=environments/$(ENV).tfvars
ENVIRONMENTS := $(basename $(notdir $(sort $(wildcard terraform/environments/*.tfvars))))

TOOL = $(CARGO) run --release --locked --no-default-features --features tool --

SAMPLE := fixtures/events.jsonl
SAMPLE_SETTINGS = --event-years 2020-2030 --event-types "$$(cat fixtures/event_types.txt)"

help: ## what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the main job on the sample events: into the folder lake
	$(TOOL) run $(SAMPLE) --lake lake $(SAMPLE_SETTINGS)

log: ## the sample events into an event log, the folder log, and one of them looked up
	$(TOOL) log $(SAMPLE) --event-id /event_uuid --search-key /user/id
	$(TOOL) log search u-0352

star: ## sample packets into a star, the folder star, and whether it holds together
	$(TOOL) star fixtures/packets --into star
	$(TOOL) star check star

check: ## format, lints, fixtures, Terraform; changes nothing
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -Dwarnings
	$(CARGO) clippy --all-targets --locked --no-default-features --features firehose-transform -- -Dwarnings
	python3 fixtures/make_events.py --check
	python3 fixtures/make_requests.py --check
	python3 fixtures/make_packets.py --check
	python3 fixtures/make_star.py --check
	python3 fixtures/make_aggregates.py --check
	python3 fixtures/make_records.py --check
	python3 fixtures/make_streams.py --check
	$(TERRAFORM) fmt -check -recursive terraform

test: test-terraform test-code ## every test, the whole chain among them; fetches the emulators

test-code: fetch
	python3 -m unittest discover -s tests/oracle
	$(CARGO) test --locked
	NOZZLE_TERRAFORM="$(TERRAFORM)" .cache/venv/bin/python -m unittest -v tests/chain/test_chain.py

build-tests:
	$(CARGO) test --locked --no-run

fetch:
	tests/tools/fetch

test-terraform:
	tests/tools/terraform "$(TERRAFORM)"

fuzz: ## look for input that breaks a promise: make fuzz SECONDS=60, for each target
	fuzz/run $(or $(SECONDS),60)

deny: ## licences, sources and doubled versions of what we depend on; minutes the first time
	@test -x .cache/deny/bin/cargo-deny || $(CARGO) install --quiet --locked --root .cache/deny cargo-deny@0.20.2
	.cache/deny/bin/cargo-deny --all-features --locked check licenses bans sources

mutants: ## faults planted in the code that no test notices; two hours
	tests/tools/mutants

soak: ## faults from seed to seed, nothing lost: make soak SECONDS=600
	NOZZLE_SOAK_SECONDS=$(or $(SECONDS),600) $(CARGO) test --locked --test conservation --test event_log --test event_processor --test star_schema -- --nocapture

bench: ## Nozzle beside what people would write instead, and each of its parts; half an hour
	benches/functions/fetch
	$(CARGO) bench --locked --no-default-features --features tool --bench functions --bench star --bench run
	$(CARGO) bench --locked --no-default-features --features tool --bench parts --bench partitions

build: ## the functions' zips, for arm64: make build FUNCTIONS="event-log", else all; five minutes the first time
	CARGO="$(CARGO)" build/build $(FUNCTIONS)

dist: ## what a release is made of, in target/dist: tool and zips for x86-64 and arm64; half an hour the first time
	CARGO="$(CARGO)" build/dist

site: ## the pages as a site, in target/site/index.html; its links are checked
	$(CARGO) build --locked --no-default-features --features tool --bin nozzle
	build/site/build

reproducible: build ## the zips a second time, from another folder: the same bytes
	CARGO="$(CARGO)" build/reproducible $(FUNCTIONS)

named:
	@test -f "terraform/environments/$(ENV).tfvars" || { echo "which environment? $(if $(ENV),There is no $(ENV). )There are $(ENVIRONMENTS): make $(or $(MAKECMDGOALS),plan) ENV=$(firstword $(ENVIRONMENTS))" >&2; exit 1; }

environment: named
	@$(TF) init -input=false > /dev/null
	@$(TF) workspace select -or-create $(ENV)

plan: environment ## what an apply would change: make plan ENV=dev
	$(TF) plan $(TFVARS) $(TFFLAGS)

deploy: named build environment ## apply: make deploy ENV=dev
	$(TF) apply $(TFVARS) $(TFFLAGS)

destroy: named ## take an environment down: make destroy ENV=dev (prod: CONFIRM=prod too)
	@test "$(ENV)" != prod -o "$(CONFIRM)" = prod || { echo "this is prod: make destroy ENV=prod CONFIRM=prod" >&2; exit 1; }
	@$(MAKE) --no-print-directory environment
	$(TF) destroy $(TFVARS) $(TFFLAGS)

.PHONY: help run log star check test test-code build-tests fetch test-terraform fuzz deny mutants soak bench build dist reproducible named environment plan deploy destroy
