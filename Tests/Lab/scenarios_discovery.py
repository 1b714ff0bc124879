"""PPPoE discovery with a real client: which service names are answered."""

from stage import FROM_ACCESS, PADI, PADO, expect, expect_equal, scenario


@scenario(120)
def service_name(stage):
    """A client that asks for another service gets no PADO; one that asks for ours gets in."""
    client, node, _ = stage.up(node={"service_name": "remote-office"})
    refused = client.dial(service="elsewhere", padi=3)
    expect(refused.wait_down(30) != 0, "the client with the wrong service got in")
    expect_equal(node.state()[0], 0, "connections after a refused discovery")
    dial = client.dial(service="remote-office").wait_up()
    expect_equal(dial.ping(), (3, 3), "pings sent and answered")
    access = stage.frames("access")
    wrong = 'pppoed.tags.service_name == "elsewhere"'
    expect(access.count(f"{PADI} && {wrong}") >= 2, "the client did not ask for the wrong service")
    expect_equal(access.count(f"{FROM_ACCESS} && {PADO} && {wrong}"), 0, "PADOs for the wrong service")
    # All PADOs came after the first PADI with the right service.
    first = int(access.fields(f'{PADI} && pppoed.tags.service_name == "remote-office"', "frame.number")[0][0])
    early = access.count(f"{PADO} && frame.number < {first}")
    expect_equal(early, 0, "PADOs before the right service was asked for")
