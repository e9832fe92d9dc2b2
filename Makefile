# Fairlead: every command that people and CI run. `make help` lists them.
# Node 26 comes from the `node` package: it stands first on PATH in every recipe.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
.DEFAULT_GOAL := help

.PHONY: help run test fuzz test-unit check lint format types tidy generate walk bench rolling clean prerequisites prerequisites-test

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# Compiled code is kept, so that a start takes half the time: from the installation on.
compiled := NODE_COMPILE_CACHE=$(CURDIR)/node_modules/.cache/node

run: node_modules/.installed ## serve examples/bookshop and print curl lines to try
	@$(compiled) node controller/cli/fairlead.ts dev examples/bookshop

test: prerequisites-test node_modules/.installed ## all tests, with a real Kubernetes API server (builds it when it is missing)
	@test/cluster/build.sh
	@test/own-network.sh node test/run.ts

test-unit: node_modules/.installed ## the tests beside the sources only
	@node test/run.ts --unit

fuzz: node_modules/.installed ## bytes of clients, changed at random: SECONDS=60 SEED=1
	@SECONDS_MAX='$(or $(SECONDS),60)' SEED='$(SEED)' node test/front/fuzz.ts

check: node_modules/.installed lint format types generate-check tidy ## everything that reads the code without running it

lint: node_modules/.installed ## oxlint with its type-aware rules
	@oxlint --type-aware --quiet .

format: node_modules/.installed ## Biome: fail on unformatted files
	@biome format .

types: node_modules/.installed ## tsc with the strictest options
	@tsc

tidy: node_modules/.installed ## architecture and style, executed
	@node --test test/tidy.test.ts test/tidy/*.test.ts

generate: node_modules/.installed ## rewrite generated files: CRD manifests, chart CRDs, reference
	@node crds/generate.ts
	@node test/generate-chart.ts

generate-check: node_modules/.installed
	@node crds/generate.ts --check
	@node test/generate-chart.ts --check

walk: node_modules/.installed ## rewrite the golden walks; review the difference as code
	@UPDATE=1 node --test test/walk/walk.test.ts

bench: node_modules/.installed ## measure beside its peers; results to test/bench/results
	@test/cluster/build.sh
	@node test/bench/bench.ts

rolling: node_modules/.installed ## rolling restarts under load, which must lose nothing: ROUNDS=50
	@ROUNDS='$(or $(ROUNDS),50)' node --test test/crash/rolling.test.ts

clean: ## remove what make made here (not the cache of cluster binaries)
	@rm -rf node_modules dist

prerequisites:
	@test/prerequisites.sh

prerequisites-test:
	@test/prerequisites.sh test
	@test/cluster/build.sh --check

node_modules/.installed: package.json package-lock.json | prerequisites
	@echo "installing dependencies …"
	@npm ci --no-audit --no-fund --loglevel=error
	@node --version | grep -q '^v26\.' || { echo "the node package did not bring Node 26; run: npm rebuild node" >&2; exit 2; }
	@$(compiled) node -e 'import("./controller/cli/dev.ts"); import("./dataplane/main.ts"); import("./dataplane/worker.ts").catch(() => {})'
	@touch $@
