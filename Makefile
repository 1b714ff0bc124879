# Culvert. `make run` brings up the lab, `make test` runs everything CI runs.
.PHONY: build
build:
	swift build -c release
