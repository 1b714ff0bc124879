# make bench             the table
# make bench JSON=FILE   the table, and the same figures as a JSON array in FILE
# make bench BENCH="--sessions 1000000 --rounds 500"   other cases
.PHONY: bench
bench:
	swift build -c release --product bench-forwarding
	Bench/Baseline/build-gcc.sh .build/bench/libbaseline-gcc.so
	.build/release/bench-forwarding --gcc-baseline .build/bench/libbaseline-gcc.so $(if $(JSON),--json $(JSON)) $(BENCH)

# make bench-table           the session table: fill, churn, look-up, memory, forwarding beside changes; JSON=FILE as above
# make bench-feed            sessions a second through culvertd's RPC
.PHONY: bench-table bench-feed
bench: bench-table
bench-table:
	swift build -c release --product bench-table
	.build/release/bench-table $(if $(JSON),--json $(JSON).table) $(TABLE)
bench-feed:
	swift build -c release --product culvertd
	swift build -c release --product bench-feed
	.build/release/bench-feed $(FEED)
