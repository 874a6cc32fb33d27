# Run make help for what there is.

GO ?= go
FUZZTIME ?= 5s

# Pinned, run through the module cache, and no part of this module.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: build
build: ## build the programs to bin/
	$(GO) build -o bin/ ./cmd/...

.PHONY: demo
demo: ## set up what is missing, build real software with each strategy, measure it
	@contrib/demo

.PHONY: test
test: ## run all tests
	$(GO) test ./...

.PHONY: race
race: ## run all tests with the race detector, which needs a C compiler
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=10 $(GO) test -race ./...

.PHONY: lint
lint: ## gofmt, go vet, staticcheck, govulncheck
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "not gofmt-ed:"; echo "$$files"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@contrib/vulnerabilities $(GO) run $(GOVULNCHECK) ./...

.PHONY: fuzz-smoke
fuzz-smoke: ## run every fuzzer for FUZZTIME
	@contrib/fuzz-smoke $(FUZZTIME)

.PHONY: bench-quick
bench-quick: build ## measure small stacks, to tmp/bench-quick/
	bin/bst-bench run -o tmp/bench-quick/raw/quick.txt --stack debian-git,rapid-200 -n 6
	bin/bst-bench report --dir tmp/bench-quick
	@echo "The report: tmp/bench-quick/README.md"

# The folders of all runs go only when the last has ended: see harness.Options.
BENCH = bin/bst-bench run --work tmp/bench/$(1) -o reports/raw/$(1).txt
.PHONY: bench
bench: build ## measure what reports/ is made of; with PEER=NAME=PATH a peer too
	rm -rf tmp/bench && mkdir -p tmp/bench
	$(call BENCH,gnome) --stack debian-gnome -n 10 $(if $(PEER),--peer $(PEER) --peer-repetitions 2)
	$(call BENCH,shapes) --stack chain-300,fan-1000,diamond-1000,rapid-2000 -n 6
	$(call BENCH,whole) --stack debian-all --command show -n 6
	rm -rf tmp/bench
	$(MAKE) report

.PHONY: report
report: build ## regenerate reports/README.md from reports/raw/
	bin/bst-bench report

.PHONY: parity
parity: build ## compare keys with BuildStream's own: PARITY=DIR, and git directories (see the error)
	$(GO) run ./bench/parity --facts "$(PARITY)" --sdk "$(FREEDESKTOP_SDK_GIT)" \
		--plugins "$(BUILDSTREAM_PLUGINS_GIT)" --buildstream "$(BUILDSTREAM_GIT)"

.PHONY: help
help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | expand -t 14
