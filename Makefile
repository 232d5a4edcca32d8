# One target a task. `make run` and `make test` need nothing but Python 3.11+ (and Java 17 + Maven for Cassandra).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
COMPILED := build/compiled
WITH_COMPILED := PYTHONSAFEPATH=1 PYTHONPATH=$(COMPILED):.
ROOMS  := appserver audit authoring business capacity charging cluster console country datacenter details directory documents domainservers evidence gateways house loadtest mediation onetier_client runtime storage watch

.PHONY: help install run up test fast slow compiled compiled-tests check format lint types imports proto proto-check reasons languages bench fuzz chaos-mediation loadtest lock sbom house links clean
help:            ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

install: $(STAMP) ## the virtual environment with everything in it

run: $(STAMP)    ## the main job on the embedded default: tiers, numbering plan, 20,000 subscribers, 200,000 events, bills, proof
	$(BIN)/onetier demo

up: $(STAMP)     ## keep the same system running for clients, with switches that write files; Ctrl-C drains it
	$(BIN)/onetier up --switches

test: check      ## everything, the real Cassandra included
	$(MAKE) --no-print-directory --jobs 2 slow compiled-tests BESIDE="nice -n 10"

check: $(STAMP) lint types imports proto-check fast  ## format, lint, types, imports, stubs, fast tests

fast: $(STAMP)   ## the tests that need no Cassandra and few seconds
	$(BIN)/pytest -n 2 -m "not slow and not cassandra and not processes"

slow: $(STAMP)   ## simulation, processes, real Cassandra
	$(BIN)/pytest -n 2 -m slow tests/simulation
	$(BIN)/pytest -m "slow or cassandra or processes" --ignore=tests/simulation

# `make test` compiles, and tests what is compiled, with what the slow tests leave of the machine: they wait a lot.
$(COMPILED)/.installed: $(STAMP) hatch_build.py pyproject.toml $(wildcard $(foreach depth,/*.py /*/*.py /*/*/*.py,$(addsuffix $(depth),$(ROOMS))))
	rm -rf $(COMPILED)
	ONETIER_COMPILE=1 $(BESIDE) $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --target $(COMPILED) .
	@touch $@

compiled: $(COMPILED)/.installed ## the wheel with its hot modules compiled by mypyc, below build/

# Compares what a catalogue compiles to, closures included; mypyc's closures show nothing of what they hold.
LOOKS_INSIDE := --deselect tests/unit/charging/test_catalogue_effects.py::test_every_key_changes_what_is_compiled_or_is_listed_with_the_reason

compiled-tests: compiled ## rating, ledger, platform, slots and a whole system on the compiled modules
	$(WITH_COMPILED) $(BIN)/python -c "from charging.rating import rating; assert rating.__file__.endswith('.so'), rating.__file__"
	$(WITH_COMPILED) $(BESIDE) $(BIN)/pytest tests/golden tests/unit/charging tests/unit/appserver tests/unit/domainservers \
	  tests/cluster/test_small_system.py $(LOOKS_INSIDE)

bench: compiled  ## every figure beside its own limit, also in reports/bench.md; FULL=1 adds a million subscribers and entries
	GRPC_ENABLE_FORK_SUPPORT=0 $(WITH_COMPILED) $(BIN)/python -m bench.everything $(if $(FULL),--full) $(if $(QUICK),--quick)

fuzz: $(STAMP)   ## messages at random to every service for ten minutes; ONETIER_FUZZ_SECONDS, ONETIER_FUZZ_SEED
	ONETIER_FUZZ_SECONDS=$(or $(ONETIER_FUZZ_SECONDS),600) $(BIN)/pytest -n 0 -s tests/cluster/test_wire_fuzz.py

chaos-mediation: $(STAMP) ## kill the line of mediation at 200 points drawn by chance; ONETIER_KILLS, ONETIER_SEED
	ONETIER_KILLS=$(or $(ONETIER_KILLS),200) $(BIN)/pytest -n 0 -s tests/cluster/test_chaos_mediation.py

loadtest: $(STAMP) ## locust scenarios, headless and bounded; HTML reports in reports/
	$(BIN)/onetier loadtest

format: $(STAMP) ## rewrite the sources in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(STAMP)   ## format and lint, without changing a file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)  ## strict types
	$(BIN)/mypy $(ROOMS) testkit bench

imports: $(STAMP) ## the import rules of ARCHITECTURE.md
	$(BIN)/lint-imports

reasons: $(STAMP) ## write docs/reasons.md, and the lists in manual and contracts, from the register of reasons
	$(BIN)/python .ci/reasons.py generate

languages: $(STAMP) ## bring new texts for people into the files that translators fill in
	$(BIN)/python .ci/languages.py update

proto: $(STAMP)  ## regenerate the committed stubs
	$(BIN)/python .ci/protos.py generate

proto-check: $(STAMP) ## buf STANDARD, no breaking change, stubs and reasons up to date
	$(BIN)/python .ci/protos.py check
	$(BIN)/python .ci/reasons.py check

lock: $(STAMP)   ## pin what pyproject.toml asks for, with hashes; UPGRADE=1 takes the newest of everything
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --extra load --extra workers --group dev \
	  $(if $(UPGRADE),--upgrade) --output-file requirements.lock pyproject.toml

sbom: $(STAMP)   ## the bill of materials of what is locked, CycloneDX, in reports/sbom.json
	@mkdir -p reports
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file reports/sbom.json

house: $(STAMP)  ## measure the house: floors and arrows of rooms, long classes, words; BEFORE=commit to compare
	$(BIN)/python .ci/house.py $(if $(BEFORE),@$(BEFORE))

links: $(STAMP)  ## lead the documents' links to lines of code to where their names are defined now
	$(BIN)/python .ci/links.py write

clean:           ## remove what the targets made
	rm -rf $(VENV) build .onetier .mypy_cache .ruff_cache .pytest_cache .hypothesis reports
