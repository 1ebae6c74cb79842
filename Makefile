# Everything a bare machine needs is installed by the targets that need it.
GO      ?= go
FUZZTIME ?= 10000x
THRESHOLD ?= 0
WORKERS ?= $(shell getconf _NPROCESSORS_ONLN)

.PHONY: build test unit race fuzz mutate lint bench conformance browser pictures drive clean

build: ## one binary
	$(GO) build -o bin/regain .

test: ## everything CI checks
	./scripts/test

unit: ## tests without the race detector, browser or fuzzing
	./scripts/mongo
	$(GO) test -shuffle=on ./...

race: ## tests with the race detector
	./scripts/mongo
	$(GO) test -race -shuffle=on ./...

fuzz: ## every fuzz target for FUZZTIME (a duration, or executions)
	FUZZTIME=$(FUZZTIME) ./scripts/fuzz

mutate: ## changes of PKG=./a/package that its tests do not notice; TESTS='./more ./suites', THRESHOLD=92 (docs/mutation.md)
	./scripts/mongo
	nice $(GO) run ./scripts/mutate -equivalent scripts/mutate/equivalent.txt -p $(WORKERS) -threshold $(THRESHOLD) -tests '$(TESTS)' $(PKG)

lint: ## format, vet, and golangci-lint where it is installed
	./scripts/lint

bench: ## benchmarks, and one load run
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) run . load --duration 10s

browser: ## the nineteen steps in Chromium
	./scripts/browser

drive: ## the journeys over HTTP, without a browser
	$(GO) run . demo --drive

conformance: drive browser ## our own conformance runs

clean:
	rm -rf bin conformance/browsertest/node_modules

pictures: ## the pictures that the README shows
	PICTURES=docs/images ./scripts/browser
