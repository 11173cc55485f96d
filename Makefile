# The two commands of the README are `make demo` and `make test`; both do all set-up on a fresh Debian machine that has
# Go and Node. Everything made lands in build/, node_modules/ and web/static/vendor/, which git ignores.

GO ?= go
BUILD := build
GOLANGCI := v2.15.0
TEST_FLAGS ?=
SHELL := /bin/bash

.PHONY: demo build assets test race tools lint bench sweep judges clean

demo: build
	$(BUILD)/outlay demo

# Without -trimpath, so that a build and the tests share the compiled packages.
build: assets
	$(GO) build -o $(BUILD)/outlay ./cmd/outlay

# Front-end files come from npm and are embedded by the build. Without them pages work as with JavaScript off.
assets: web/static/vendor/.done

web/static/vendor/.done: package.json package-lock.json web/assets.sh
	npm ci --omit=dev --ignore-scripts --no-audit --no-fund
	bash web/assets.sh
	touch $@

# What the tests need beside Go and Node: a browser and PostgreSQL from Debian, Azurite and axe from npm.
tools:
	bash packaging/test-tools.sh

# SEEDS is how many times the crash sweep kills each point; 2 when a package is tested by itself.
SEEDS ?= 25

# The sweep fills every core for minutes, so it comes after the tests that a browser or a clock waits in.
test: assets tools
	$(GO) vet ./...
	$(GO) test -timeout 30m $(TEST_FLAGS) $$($(GO) list ./... | grep -v /provision$$)
	OUTLAY_SWEEP_SEEDS=$(SEEDS) $(GO) test -timeout 60m $(TEST_FLAGS) ./provision

# The rooms that share memory between goroutines, under the race detector.
race: assets tools
	$(GO) test -race -timeout 20m . ./auth ./control ./operation ./detect ./secret ./sqldb ./web/...

lint: $(BUILD)/golangci-lint-$(GOLANGCI)
	$(BUILD)/golangci-lint-$(GOLANGCI) run ./...

$(BUILD)/golangci-lint-$(GOLANGCI):
	mkdir -p $(BUILD)
	GOBIN=$(CURDIR)/$(BUILD) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv $(BUILD)/golangci-lint $@

# Ratios in one run (docs/bench.md). ROWS=10000000 by default.
bench:
	$(GO) run ./bench

# The crash sweep alone, with more seeds than make test has: make sweep SEEDS=250
sweep:
	$(GO) test -timeout 120m ./provision -run Sweep -v -args -sweep.seeds=$(SEEDS)

# Judges that are too heavy, or too particular, for make test: packaging/judges.sh says which.
judges:
	GO=$(GO) bash packaging/judges.sh

clean:
	rm -rf $(BUILD) node_modules web/static/vendor
