"""How an LNS is found: by RADIUS, by DNS, by the domain map; several of them, and some that do not answer."""

from Lab.culvert import radius_sections
from Lab.management import RADIUS_SECRET, RadiusServer, Tunnel, domain_user, tunnel_user
from Lab.peers import LNS_ADDRESS, PASSWORD, SECOND_LNS_ADDRESS, USER, DeafServer, L2TPNSServer, PPPoEClient, XL2TPDServer
from Lab.process import LabError, wait_until
from stage import FROM_ACCESS, FROM_CORE, FROM_MANAGEMENT, PADT, expect, expect_equal, scenario

DEAF_ADDRESS = "10.99.0.9"
SCCRQ = "l2tp.avp.message_type == 1"
BY_DOMAIN = {"peer-address": "radius-lookup group my_group", "radius-style": "domain"}
BY_USER = {"peer-address": "radius-lookup group my_group", "radius-style": "user"}
BY_DNS = {"peer-address": "dns-lookup prefix lns"}
# A call goes on to the next LNS after 2 s; one that did not answer is passed over for long.
FAILOVER = {"failover-timeout": 2, "hold-down": 600, "retry-timeout": 1, "max-retries": 3, "hello-timeout": 2}
ACCEPT, REJECT = "2", "3"


class Pair:
    """A client, two LNSs that listen, and the node of a scenario; captures run."""

    def __init__(self, stage, first=True, second=True, prepare=None, **settings):
        """`prepare` is called with the stage before the node starts and answers what to add to the node's settings."""
        guests = [stage.lab.guest("client", "access", mtu=1508)]
        guests += [stage.lab.guest(name, "core") if wanted else None for name, wanted in (("lns", first), ("lns2", second))]
        stage.capture()
        added = prepare(stage) if prepare else {}
        self.node = stage.node(**{**settings, **added})
        self.first = XL2TPDServer(guests[1].wait_booted()).serve() if first else None
        self.second = XL2TPDServer(guests[2].wait_booted()).serve_second() if second else None
        self.client = PPPoEClient(guests[0].wait_booted())

    def sessions(self):
        """Sessions of the first and of the second LNS."""
        return tuple(server.sessions() if server else 0 for server in (self.first, self.second))


def expect_in(pair, dial, sessions):
    """The dial passes pings, and the LNSs have so many sessions."""
    expect_equal(dial.ping(count=20, interval=0.02), (20, 20), "pings sent and answered")
    expect_equal(pair.sessions(), sessions, "sessions of the first and second LNS")


def refused(pair, **dialling):
    """A dial that does not get in and is told so; pppd's exit status. Nothing is left of it."""
    status = pair.client.dial(echo=0, **dialling).wait_down(40)
    expect(status != 0, "the client got in")
    return status


@scenario(120)
def radius_tunnels(stage):
    """The user's own tunnels of RADIUS (RFC 2868): the lowest preference is taken, with its password and names."""
    def prepare(stage):
        radius = stage.radius(tunnel_user(
            USER, PASSWORD, Tunnel(SECOND_LNS_ADDRESS, 20, "tunsecret", "second", "lac-of-radius", "lns2"),
            Tunnel(LNS_ADDRESS, 10, "tunsecret", "first", "lac-of-radius", "lns1")))
        return {"sections": radius_sections(radius)}

    # The profile's secret is wrong; that of the answer counts.
    pair = Pair(stage, prepare=prepare, l2tp=BY_USER, secret="not this one")
    expect_in(pair, pair.client.dial().wait_up(), (1, 0))
    (tunnel,) = pair.node.tunnels()
    expect_equal(tunnel["remote_host_name"], "lns1", "name of the LNS")
    core = stage.frames("core")
    expect_equal(core.fields(f"{FROM_CORE} && {SCCRQ}", "ip.dst", "l2tp.avp.host_name"), [[LNS_ADDRESS, "lac-of-radius"]],
                 "requests for tunnels")
    asked = stage.frames("management").fields(f"{FROM_MANAGEMENT} && radius.code == 1", "radius.User_Name", "radius.NAS_Identifier")
    expect_equal(asked, [[USER, "lac1"]], "requests to the RADIUS server")


@scenario(120)
def radius_rejects(stage):
    """A rejected user is refused and leaves nothing; whoever is in does not notice; the right password gets in."""
    def prepare(stage):
        pair_users = [tunnel_user(USER, PASSWORD, Tunnel(LNS_ADDRESS, password="tunsecret"))]
        return {"sections": radius_sections(stage.radius(*pair_users))}

    pair = Pair(stage, second=False, prepare=prepare, l2tp=BY_USER)
    dial = pair.client.dial(echo=0).wait_up()
    expect_equal(refused(pair, password="wrong"), 19, "pppd's exit status (19: authentication failed)")
    pair.node.wait_state(1, 1, 1)
    expect_in(pair, dial, (1, 0))
    counted = pair.node.statistics()
    expect_equal((counted["lnsLookupSuccessfulRequests"], counted["lnsLookupFailedRequests"], counted["lnsLookupRadiusFailures"]),
                 (1, 1, 1), "look-ups that found an LNS, that did not, of these by RADIUS")
    expect_in(pair, pair.client.dial().wait_up(), (2, 0))


@scenario(120)
def radius_failover(stage):
    """The first RADIUS server is silent: the second is asked. When the first is back, it is found out, and it is asked again."""
    servers = []

    def prepare(stage):
        user = domain_user("isp1.com", LNS_ADDRESS)
        servers.extend([stage.radius(user), stage.radius(user, name="radius2", address="10.98.0.3")])
        servers[0].pause()
        return {"sections": radius_sections(*servers, **{"status-server": True, "dead-time": 600})}

    pair = Pair(stage, second=False, prepare=prepare, l2tp=BY_DOMAIN)
    first, second = servers
    expect_in(pair, pair.client.dial().wait_up(), (1, 0))
    expect_equal((first.logins(), second.logins()), ([], [(True, "isp1.com")]), "logins at the two servers")
    expect_in(pair, pair.client.dial().wait_up(), (2, 0))
    # Killed, it never sees what waits for it.
    first.process.kill()
    first.start()
    pair.node.daemon.wait_for(rf"RADIUS server {first.address}:1812 answers (Status-Server|authentication requests) again", 60)
    expect_in(pair, pair.client.dial().wait_up(), (3, 0))
    expect_equal((len(first.logins()), len(second.logins())), (1, 2), "logins at the two servers")
    probes = stage.frames("management").fields(f"{FROM_MANAGEMENT} && radius.code == 12", "ip.dst")
    expect([first.address] in probes, f"Status-Server (RFC 5997) went to {probes} alone")


@scenario(120)
def radius_wrong_secret(stage):
    """A server with another secret is not believed: the client is refused, the log names the server."""
    def prepare(stage):
        server = RadiusServer(stage.lab, secret="another secret", message_authenticator=False)
        server.serve(domain_user("isp1.com", LNS_ADDRESS))
        server.secret = RADIUS_SECRET  # what the node is told
        return {"sections": radius_sections(server)}

    pair = Pair(stage, second=False, prepare=prepare, l2tp=BY_DOMAIN)
    refused(pair)
    pair.node.wait_state(0, 0, 0)
    expect("10.98.0.2" in pair.node.daemon.text(), f"the log does not name the server: {pair.node.daemon.tail()}")
    expect_equal(pair.node.statistics()["lnsLookupRadiusFailures"], 1, "look-ups by RADIUS that failed")
    expect(stage.frames("access").count(f"{FROM_ACCESS} && {PADT}") >= 1, "no PADT to the client")


@scenario(180)
def dead_server(stage):
    """The preferred LNS says nothing: the call goes to the second tunnel, and the next call does not ask the dead one again."""
    def prepare(stage):
        DeafServer(stage.lab, DEAF_ADDRESS)
        radius = stage.radius(tunnel_user(
            USER, PASSWORD, Tunnel(DEAF_ADDRESS, 10, "tunsecret"), Tunnel(SECOND_LNS_ADDRESS, 20, "tunsecret")))
        return {"sections": radius_sections(radius)}

    pair = Pair(stage, first=False, prepare=prepare, l2tp=BY_USER, profile=FAILOVER)
    expect_in(pair, pair.client.dial(echo=0).wait_up(60), (0, 1))
    capture = stage.lab.captures["core"]
    to_dead = f"{FROM_CORE} && {SCCRQ} && ip.dst == {DEAF_ADDRESS}"
    asked = {row[0] for row in capture.fields(to_dead, "l2tp.avp.assigned_tunnel_id")}
    expect_equal(len(asked), 1, "tunnels that the dead LNS was asked for")
    expect_in(pair, pair.client.dial(echo=0).wait_up(10), (0, 2))
    again = {row[0] for row in capture.fields(to_dead, "l2tp.avp.assigned_tunnel_id")}
    expect_equal(again, asked, "tunnels that the dead LNS was asked for after it was known to be dead")


@scenario(180)
def server_dies(stage):
    """The preferred LNS loses its power under a session: the client learns it, and its next dial reaches the second one."""
    def prepare(stage):
        radius = stage.radius(tunnel_user(
            USER, PASSWORD, Tunnel(LNS_ADDRESS, 10, "tunsecret"), Tunnel(SECOND_LNS_ADDRESS, 20, "tunsecret")))
        return {"sections": radius_sections(radius)}

    pair = Pair(stage, prepare=prepare, l2tp=BY_USER, profile=FAILOVER)
    dial = pair.client.dial(echo=0).wait_up()
    expect_in(pair, dial, (1, 0))
    pair.first.guest.kill()
    pair.first = None
    dial.wait_down(60)
    expect_in(pair, pair.client.dial(echo=0).wait_up(60), (0, 1))


@scenario(120)
def load_is_shared(stage):
    """Two LNSs of one preference, an xl2tpd and an l2tpns, get as many sessions each."""
    def prepare(stage):
        second = L2TPNSServer(stage.lab.namespaces["core"], "br0", stage.lab.path("l2tpns"), address=SECOND_LNS_ADDRESS)
        stage.lab.undo.append(second.stop)
        second.wait_listening()
        radius = stage.radius(tunnel_user(
            USER, PASSWORD, Tunnel(LNS_ADDRESS, 10, "tunsecret"), Tunnel(SECOND_LNS_ADDRESS, 10, "tunsecret")))
        return {"sections": radius_sections(radius)}

    pair = Pair(stage, second=False, prepare=prepare, l2tp=BY_USER)
    for _ in range(4):
        dial = pair.client.dial().wait_up()
    expect_in(pair, dial, (2, 0))
    addresses = {tunnel["id"]: tunnel["remote_address"] for tunnel in pair.node.tunnels()}
    expect_equal(sorted(addresses[session["tunnel_id"]] for session in pair.node.sessions()),
                 [LNS_ADDRESS] * 2 + [SECOND_LNS_ADDRESS] * 2, "LNSs of the sessions")


@scenario(120)
def dns_names(stage):
    """DNS: an alias and several addresses of which one is dead; an answer serves as long as its TTL says and no longer."""
    servers = []

    def prepare(stage):
        DeafServer(stage.lab, DEAF_ADDRESS)
        servers.append(stage.names({
            "isp1.com": ["lns 120 CNAME many.isp2.com."],
            "isp2.com": [f"many 120 A {DEAF_ADDRESS}", f"many 120 A {LNS_ADDRESS}", f"lns 1 A {LNS_ADDRESS}"]}))
        return {"sections": {"ip-name-server": [servers[0].address]}}

    pair = Pair(stage, second=False, prepare=prepare, l2tp=BY_DNS, profile=FAILOVER)
    pair.first.add_user("user@isp2.com")

    def asked(name):
        return sum(1 for question in servers[0].queries() if question == (name, "A"))

    expect_in(pair, pair.client.dial(echo=0).wait_up(60), (1, 0))
    expect_in(pair, pair.client.dial(echo=0).wait_up(60), (2, 0))
    expect_equal(asked("lns.isp1.com"), 1, "questions for a name with a TTL of two minutes")
    expect_in(pair, pair.client.dial(user="user@isp2.com", echo=0).wait_up(60), (3, 0))
    # Nothing tells that a TTL is over but time.
    pair.client.guest.run("busybox sleep 2")
    expect_in(pair, pair.client.dial(user="user@isp2.com", echo=0).wait_up(60), (4, 0))
    expect_equal(asked("lns.isp2.com"), 2, "questions for a name with a TTL of one second")
    counted = pair.node.statistics()
    expect_equal((counted["lnsLookupSuccessfulRequests"], counted["lnsLookupFailedRequests"]), (4, 0), "look-ups")


@scenario(120)
def dns_fails(stage):
    """No such name, and a name server that says nothing: the client is refused and told so, and all is well afterwards."""
    servers = []

    def prepare(stage):
        servers.append(stage.names({"isp1.com": [f"lns A {LNS_ADDRESS}"]}))
        return {"sections": {"ip-name-server": [servers[0].address]}}

    pair = Pair(stage, second=False, prepare=prepare, l2tp=BY_DNS)
    refused(pair, user="user@nowhere.example")
    servers[0].pause()
    refused(pair)
    servers[0].resume()
    pair.node.wait_state(0, None, 0)
    counted = pair.node.statistics()
    expect_equal((counted["lnsLookupFailedRequests"], counted["lnsLookupDnsFailures"]), (2, 2), "look-ups that failed, by DNS")

    def is_up():
        dial = pair.client.dial()
        try:
            return dial.wait_up()
        except LabError:
            return None

    # For some seconds nobody asks again what the name servers have just failed to answer.
    expect_in(pair, wait_until(is_up, 30, "the name is looked up again"), (1, 0))


@scenario(120)
def domains(stage):
    """The domain map: each domain has its LNS, others have the default, and users without a domain theirs."""
    entries = [
        {"domain": "isp1.com", "peer-address": f"static {LNS_ADDRESS}"},
        {"domain": "isp2.com", "tunnels": [{"address": SECOND_LNS_ADDRESS, "preference": 10}]},
        {"domain": "default", "peer-address": f"static {SECOND_LNS_ADDRESS}"},
        {"domain": "none", "peer-address": f"static {LNS_ADDRESS}"},
    ]
    pair = Pair(stage, l2tp={"peer-address": "domain-map"}, sections={"l2tp-domain": entries})
    for server in (pair.first, pair.second):
        for user in ("user@ISP2.com", "user@elsewhere.net", "plain"):
            server.add_user(user)
    for user, sessions in ((USER, (1, 0)), ("user@ISP2.com", (1, 1)), ("user@elsewhere.net", (1, 2)), ("plain", (2, 2))):
        expect_in(pair, pair.client.dial(user=user).wait_up(), sessions)
