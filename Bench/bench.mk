# make bench                what a packet costs: the tables, in about three minutes
# make bench JSON=FILE      the same figures as a JSON array in FILE
# make bench PLOTS=FOLDER   plots of cycles against sessions and packet size, SVG, in FOLDER
# make bench BENCH="--stage cycles --sessions 1000000 --rounds 500"   other cases (bench-forwarding --help)
# As root it takes huge pages for its time, where there are none; else it runs on small ones and says so.
.PHONY: bench
bench:
	swift build -c release --product bench-forwarding
	Bench/Baseline/build-gcc.sh .build/bench/libbaseline-gcc.so
	.build/release/bench-forwarding --gcc-baseline .build/bench/libbaseline-gcc.so $(if $(JSON),--json $(JSON)) \
		$(if $(PLOTS),--plots $(PLOTS)) $(BENCH)

# make bench-table           the session table: fill, churn, look-up, memory, forwarding beside changes; JSON=FILE as above
# make bench-setup           clients through Culvert to LNSs: log-ins a second, holding 60,000, all cut off and back, in five minutes;
#                            JSON=FILE and PLOTS=FOLDER as above, SETUP="--sessions 1000 --tunnels 100" other cases (bench-setup --help).
#                            `make bench` has its short form; make bench SETUP= the whole
# make bench-feed            sessions a second through culvertd's RPC
# make bench-journal         accounting records a second to the disk and off it again
.PHONY: bench-table bench-setup bench-feed bench-journal
bench: bench-table bench-setup
bench: SETUP = --short
bench-table:
	swift build -c release --product bench-table
	.build/release/bench-table $(if $(JSON),--json $(JSON).table) $(TABLE)
bench-setup:
	swift build -c release --product culvert-dataplane
	swift build -c release --product culvertd
	swift build -c release --product bench-setup
	.build/release/bench-setup $(if $(JSON),--json $(JSON).setup) $(if $(PLOTS),--plots $(PLOTS)) $(SETUP)
bench-feed:
	swift build -c release --product culvertd
	swift build -c release --product bench-feed
	.build/release/bench-feed $(FEED)
bench-journal:
	swift build -c release --product bench-journal
	.build/release/bench-journal $(JOURNAL)
