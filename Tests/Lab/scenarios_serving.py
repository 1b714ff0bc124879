"""What culvertd serves to machines: metrics for Prometheus, the RPC by TLS, logs as JSON."""

import json
import re
import shutil
import sys

from Lab.process import execute, wait_until
from stage import expect, expect_equal, scenario

METRICS, RPC = "127.0.0.1:9464", "127.0.0.1:7443"

FETCH = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())"


def certificates(stage):
    """An authority, a server's and two clients' certificates; the paths' common beginning."""
    base = stage.lab.path("tls-")

    def openssl(*arguments):
        execute(["openssl", *arguments])

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *curve, "-days", "30", "-subj", "/CN=Lab CA", "-keyout", f"{base}ca.key", "-out", f"{base}ca.pem")
    for name in ("server", "operator", "viewer"):
        openssl("req", *curve, "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{base}{name}.key",
                "-out", f"{base}{name}.csr")
        openssl("x509", "-req", "-in", f"{base}{name}.csr", "-CA", f"{base}ca.pem", "-CAkey", f"{base}ca.key", "-CAcreateserial",
                "-days", "30", "-copy_extensions", "copy", "-out", f"{base}{name}.pem")
    return base


def scrape(stage):
    """The text of a scrape, and its samples: numbers by name and labels."""
    text = stage.lab.node.execute(sys.executable, "-c", FETCH, f"http://{METRICS}/metrics").stdout
    samples = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            expect(name not in samples, f"{name} is there twice")
            samples[name] = float(value)
    return text, samples


@scenario(150)
def watched(stage):
    """Prometheus' numbers are those of the screens, promtool is content with a real scrape, the RPC answers by TLS to whom it
    should, and every line of the log is JSON."""
    client, node, _ = stage.up(server={"echo": 0})
    node.stop()
    base = certificates(stage)
    with open(node.file) as file:
        text = file.read()
    control = (f'control:\n  log-format: json\n  metrics: {{address: "{METRICS}", per-tunnel: true}}\n'
               f'  rpc-tcp: {{address: "{RPC}", certificate: {base}server.pem, private-key: {base}server.key, '
               f"client-ca: {base}ca.pem, read-only: viewer}}\n")
    with open(node.file, "w") as file:
        file.write(text.replace("control:\n", control, 1))
    node.start()
    dial = client.dial(echo=0).wait_up()
    expect_equal(dial.ping(count=10), (10, 10), "pings sent and answered")

    text, samples = scrape(stage)
    for name, value in (('culvert_connections{state="open"}', 1), ('culvert_sessions{state="established"}', 1),
                        ('culvert_tunnels{state="established"}', 1), ("culvert_dataplane_up", 1),
                        ('culvert_port_link_up{port="core0"}', 1), ('culvert_capacity_used{table="sessions"}', 1)):
        expect_equal(samples.get(name), value, name)
    for counter in node.objects("pppoe-ac", "statistics"):
        name = re.sub("[A-Z]", lambda match: "_" + match[0].lower(), counter["name"])
        expect_equal(samples.get(f"culvert_ac_{name}_total"), counter["value"], name)
    before = samples
    shown = {counter["name"]: counter["value"]
             for counter in json.loads(node.command("show", "counters", "--json").stdout)["total"]}
    _, after = scrape(stage)
    for name, value in shown.items():
        metric = f"culvert_dataplane_{re.sub('for_us$', 'for_this_node', name)}_total"
        low, high = before[metric], after[metric]
        expect(low <= value <= high, f"{name} is {value} on the screen, {low} and {high} in scrapes before and after")
    expect(samples["culvert_dataplane_encapsulated_frames_total"] >= 10, "the pings are not counted")
    expect(samples["culvert_host_arp_answered_total"] + samples["culvert_host_arp_requested_total"] > 0, "no ARP is counted")
    tunnel, = node.tunnels()
    expect_equal(samples.get(f'culvert_tunnel_sessions{{tunnel="{tunnel["id"]}",name="{tunnel["name"]}",'
                             f'peer="{tunnel["remote_address"]}"}}'), 1, "sessions of the tunnel")
    if shutil.which("promtool"):
        checked = execute(["promtool", "check", "metrics"], input=text, check=False)
        expect_equal((checked.returncode, checked.stdout + checked.stderr), (0, ""), "what promtool says")

    def call(name, *arguments):
        return stage.lab.node.execute(
            node.program("culvert"), "--connect", RPC, "--ca", f"{base}ca.pem", "--certificate", f"{base}{name}.pem",
            "--private-key", f"{base}{name}.key", *arguments, check=False)

    expect_equal(json.loads(call("viewer", "show", "l2tp", "session", "--json").stdout), node.sessions(), "sessions by TLS")
    refused = call("viewer", "clear", "all")
    expect(refused.returncode == 1 and "'viewer' may only look" in refused.stderr, f"viewer may clear: {refused.stderr}")
    expect_equal(node.state(), (1, 1, 1), "connections, tunnels and sessions behind the refusal")
    cleared = call("operator", "clear", "all")
    expect_equal(cleared.returncode, 0, f"the operator's clear by TLS, {cleared.stderr}")
    node.wait_state(0, None, 0)
    wait_until(lambda: scrape(stage)[1]["culvert_ac_routes_deleted_total"] == 1, 10, "the scrape tells of the route's end")

    expect_equal(node.stop(), (0, 0), "exit statuses of data plane and culvertd")
    lines = [json.loads(line) for line in node.daemon.text().splitlines()]
    messages = [line["message"] for line in lines]
    for message in ("session up", "RPC refused: its client may only look", "RPC that changes something", "ended"):
        expect(message in messages, f"no line of the log says {message!r}")
    refusal = next(line for line in lines if line["message"].startswith("RPC refused"))
    expect_equal((refusal["level"], refusal["method"], refusal["client"]), ("notice", "Clear", "viewer"), "the refusal's line")
