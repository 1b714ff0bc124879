# make bench             the table
# make bench JSON=FILE   the table, and the same figures as a JSON array in FILE
# make bench BENCH="--sessions 1000000 --rounds 500"   other cases
.PHONY: bench
bench:
	swift build -c release --product bench-forwarding
	Bench/Baseline/build-gcc.sh .build/bench/libbaseline-gcc.so
	.build/release/bench-forwarding --gcc-baseline .build/bench/libbaseline-gcc.so $(if $(JSON),--json $(JSON)) $(BENCH)
