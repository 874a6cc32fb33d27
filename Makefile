# Run make help for what there is.

GO ?= go
# gRPC without its page for debugging, which nobody serves: it brings html/template,
# half a millisecond of each start and 5 of 31 MB.
export GOFLAGS += -tags=grpcnotrace
FUZZTIME ?= 5s

# Pinned, run through the module cache, and no part of this module.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: build
build: ## build the programs to bin/, without C: they run on any machine of their kind
	CGO_ENABLED=0 $(GO) build -o bin/ ./cmd/...
	@# The linker writes through a mapping, which leaves the file in the kernel's memory
	@# page by page; a copy, as what is installed is, lies there in larger pieces, and each
	@# start takes 8 % less.
	@for p in $(notdir $(wildcard cmd/*)); do cp -p bin/$$p bin/$$p.new && mv bin/$$p.new bin/$$p; done

.PHONY: man
man: build ## write the manual pages to bin/man/man1/
	bin/bst manual-pages bin/man/man1

.PHONY: demo
demo: ## set up what is missing, build real software with each strategy, measure it
	@contrib/demo

.PHONY: test
test: ## run all tests
	$(GO) test ./...

# RACE=PACKAGES and RACEFLAGS=-short run less of it.
RACE ?= ./...
.PHONY: race
race: ## run all tests with the race detector, which needs a C compiler
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=10 $(GO) test -race $(RACEFLAGS) $(RACE)

# BST_CRASH_SEED=N repeats a run's choices.
ROUNDS ?= 200
.PHONY: crash
crash: ## kill processes of builds at random, ROUNDS times with each strategy; end stubborn jobs in every way
	BST_CRASH_ROUNDS=$(ROUNDS) $(GO) test ./testscripts/crash -v -timeout 3h

.PHONY: test-wine
test-wine: ## run the tests as Windows programs under Wine; makes a Debian 13 for it
	@contrib/test-wine

.PHONY: lint
lint: ## gofmt, go vet (for Windows too), staticcheck, govulncheck
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "not gofmt-ed:"; echo "$$files"; exit 1; fi
	$(GO) vet ./...
	GOOS=windows GOARCH=amd64 $(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@contrib/vulnerabilities $(GO) run $(GOVULNCHECK) ./...

.PHONY: fuzz-smoke
fuzz-smoke: ## run every fuzzer for FUZZTIME
	@contrib/fuzz-smoke $(FUZZTIME)

.PHONY: bench-wine
bench-wine: ## record what works under Wine (no times), to reports/raw/wine.txt, and make the report
	@contrib/bench-wine
	$(MAKE) report

# Each is static and needs nothing beside it; the plans are in bst-bench.
DIST = linux/amd64 linux/arm64 windows/amd64 darwin/arm64
.PHONY: dist
dist: ## build bst and bst-bench for other platforms, to dist/PLATFORM/: docs/platforms.md
	@set -e; commit=$$(git rev-parse --short=12 HEAD); [ -z "$$(git status --porcelain --untracked-files=no)" ] || commit=$$commit+changes; \
	for p in $(DIST); do echo "dist/$${p%/*}-$${p#*/}"; \
		CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -ldflags "-X bst/bench/environ.built=$$commit" -o dist/$${p%/*}-$${p#*/}/ ./cmd/bst ./cmd/bst-bench; done

.PHONY: bench
bench: build ## measure by a plan of bench/plans (bin/bst-bench plans), to reports/: PLAN=full, PEER=NAME=PATH
	bin/bst-bench run --plan $(or $(PLAN),full) $(if $(PEER),--peer $(PEER)) $(if $(FREEDESKTOP_SDK),--project freedesktop-sdk=$(FREEDESKTOP_SDK))
	$(MAKE) report

.PHONY: watch
watch: build ## compare bin/bst with the last release's: fails on what is clearly worse
	contrib/watch-regressions

.PHONY: bench-quick
bench-quick: build ## measure small stacks, to tmp/bench-quick/
	bin/bst-bench run --plan quick -o tmp/bench-quick/raw
	bin/bst-bench report --dir tmp/bench-quick
	@echo "The report: tmp/bench-quick/README.md"

.PHONY: bench-stopped bench-go
bench-stopped: ## compare builds whose frontend reads nothing with others: wall time, the backend's memory
	mkdir -p reports/raw/parts
	$(GO) test -run '^$$' -bench . -benchtime 1x -count 6 -timeout 2h ./bench/stopped > reports/raw/parts/go-stopped.new
	mv reports/raw/parts/go-stopped.new reports/raw/parts/go-stopped.txt
	$(MAKE) report

# What strategies alone cost an event, without a UI.
bench-go: ## measure what an event costs, with go test -bench
	mkdir -p reports/raw/parts
	$(GO) test -run '^$$' -bench '^BenchmarkStrategies$$/^(inprocess|pipe|pipe.batched)$$/^Events$$' -count 6 ./strategies > reports/raw/parts/go-linux.new
	mv reports/raw/parts/go-linux.new reports/raw/parts/go-linux.txt
	$(MAKE) report

# Twenty objects of 256 MiB are 5 GiB.
.PHONY: bench-sharing
bench-sharing: ## measure push, pull and large objects against bst-artifact-server, on this machine
	mkdir -p reports/raw/parts
	$(GO) test -run '^$$' -bench . -benchtime 1x -count 6 -timeout 1h ./bench/sharing > reports/raw/parts/go-sharing.new
	$(GO) test -run '^$$' -bench '^BenchmarkNames$$/^rtt=1ms$$' -benchtime 1x -count 6 ./impl/remote >> reports/raw/parts/go-sharing.new
	$(GO) test -run '^$$' -bench '^Benchmark(Upload|Download)$$' -benchtime 20x -count 6 -timeout 1h ./impl/server >> reports/raw/parts/go-sharing.new
	mv reports/raw/parts/go-sharing.new reports/raw/parts/go-sharing.txt
	$(MAKE) report

.PHONY: report
report: build ## regenerate reports/ and the table of defaults from reports/raw/
	bin/bst-bench report

.PHONY: parity
parity: build ## compare keys with BuildStream's own: PARITY=DIR, and git directories (see the error)
	$(GO) run ./bench/parity --facts "$(PARITY)" --sdk "$(FREEDESKTOP_SDK_GIT)" \
		--plugins "$(BUILDSTREAM_PLUGINS_GIT)" --buildstream "$(BUILDSTREAM_GIT)"

.PHONY: help
help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | expand -t 14
