# Culvert. `make run` brings up the lab and shows a subscriber come up; `make test` runs everything that CI runs.
SWIFT_FLAGS := -c release
PACKAGES    := Tools/install-packages
# Programs that are no test's dependency.
TEST_PROGRAMS := model-harness simulate bench-forwarding bench-table bench-feed bench-journal bench-setup

PREFIX      := /usr/local

.PHONY: run test build build-tests setup install deb bench fuzz soak format clean proto

run: setup build            ## the lab: a real client, Culvert, a real LNS (root)
	/usr/bin/python3 Lab/run.py

test: setup                 ## every test; without root it runs what it can and names what it skipped
	Tools/run-tests.py

setup:                      ## installs the Debian packages that are missing (root; without, it names them)
	$(PACKAGES) all || [ "$$(id -u)" != 0 ]

build:                      ## the three programs, release
	swift build $(SWIFT_FLAGS) --product culvert-dataplane
	swift build $(SWIFT_FLAGS) --product culvertd
	swift build $(SWIFT_FLAGS) --product culvert

# Not --build-tests: that compiles what dependencies have for their own use as well, a whole protoc in C++.
build-tests: build          ## everything, tests and benchmarks included
	swift build $(SWIFT_FLAGS) --product culvertPackageTests
	set -e; for program in $(TEST_PROGRAMS); do swift build $(SWIFT_FLAGS) --product $$program; done

install: build              ## programs, manual pages, completions, units: DESTDIR=FOLDER, PREFIX=/usr/local
	packaging/link-static .build/static
	packaging/install .build/static "$(DESTDIR)" "$(PREFIX)"

deb: build                  ## .build/deb/culvert_VERSION_ARCHITECTURE.deb
	packaging/build-deb

fuzz:                       ## each fuzz target for SECONDS (default 60)
	Tests/Fuzz/build.sh --run $(or $(SECONDS),60)

soak: setup build           ## an hour of clients, traffic and processes that end and come back (root); MINUTES=N, SEED=N
	/usr/bin/python3 Tests/Soak/run.py --minutes $(or $(MINUTES),60) $(if $(SEED),--seed $(SEED))

format:                     ## rewrites the Swift files as .swift-format says
	git ls-files -- '*.swift' | grep -v /Generated/ | xargs swift format --in-place --parallel

proto:                      ## generates the Swift of the .proto anew
	Tools/generate-proto

clean:
	rm -rf .build .build-*

-include Bench/bench.mk
