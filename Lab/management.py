"""What stands in the management network beside the node: FreeRADIUS and unbound, both real, each in a folder of the lab.

    RadiusServer, NameServer [management]  br0 -- veth -- mgmt0  [node]
                     10.98.0.2, .3, ...                10.98.0.1

Both are ready when their constructor or `serve` returns, and both can be stopped, started, and frozen (SIGSTOP): a server
that is gone is refused by the kernel at once, one that is frozen says nothing.
"""

import json
import os
import re
import signal

from .process import LabError, Process, execute, wait_until

NODE_MANAGEMENT = "10.98.0.1"
SERVER_MANAGEMENT = "10.98.0.2"
RADIUS_SECRET = "testing123-1"
DYNAMIC_AUTHORIZATION_PORT = 3799


class Daemon:
    """A program in the management namespace that can be stopped, started and frozen."""

    def __init__(self, lab, name, address, length=24):
        self.lab = lab
        self.name = name
        self.address = address
        self.namespace = lab.namespaces["management"]
        self.folder = lab.path(name)
        self.starts = 0
        self.process = None
        os.mkdir(self.folder, 0o700)
        if f" {address}/" not in self.namespace.ip("-o", "addr", "show", "dev", "br0").stdout:
            self.namespace.ip("addr", "add", f"{address}/{length}", "dev", "br0", *(["nodad"] if ":" in address else []))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def launch(self, arguments, ready):
        """Starts the program; `ready` is what it logs when it serves."""
        self.starts += 1
        self.process = Process(self.name, self.namespace.command(*arguments), self.path(f"{self.name}-{self.starts}.log"))
        self.lab.undo.append(self.process.kill)
        self.process.wait_for(ready, 20)
        return self

    def stop(self):
        """Ends it: its ports are closed."""
        self.process.stop()

    def pause(self):
        """Freezes it: requests are taken by its sockets and not answered."""
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def log(self):
        """All that it has logged, over all its starts."""
        text = ""
        for number in range(1, self.starts + 1):
            with open(self.path(f"{self.name}-{number}.log"), errors="replace") as file:
                text += file.read()
        return text


class User:
    """Someone that a RADIUS server knows: a name, a password, and what it is told of them: (attribute, value) in order."""

    def __init__(self, name, password, *reply):
        self.name, self.password, self.reply = name, password, list(reply)

    def text(self):
        """As FreeRADIUS reads it in a users file. `+=`: an attribute may come several times."""
        lines = [f"{json.dumps(self.name)} Cleartext-Password := {json.dumps(self.password)}"]
        if self.reply:
            lines.append(",\n".join(f"\t{name} += {json.dumps(value)}" for name, value in self.reply))
        return "\n".join(lines) + "\n"


def domain_user(domain, lns, password="password"):
    """A domain as a user, its LNS in Framed-IP-Address: the look-up by domain."""
    return User(domain, password, ("Service-Type", "Outbound-User"), ("Framed-IP-Address", lns))


class Tunnel:
    """One tunnel of an answer (RFC 2868); what is nothing is not sent."""

    def __init__(self, server, preference=None, password=None, assignment=None, client_name=None, server_name=None,
                 client=None):
        self.server, self.preference, self.password, self.assignment = server, preference, password, assignment
        self.client_name, self.server_name, self.client = client_name, server_name, client

    def attributes(self, tag):
        """Its attributes with this tag, 1 to 31; 0: without one."""
        medium = "IPv6" if ":" in self.server else "IPv4"
        values = (("Tunnel-Type", "L2TP"), ("Tunnel-Medium-Type", medium), ("Tunnel-Client-Endpoint", self.client),
                  ("Tunnel-Server-Endpoint", self.server), ("Tunnel-Password", self.password),
                  ("Tunnel-Assignment-Id", self.assignment), ("Tunnel-Preference", self.preference),
                  ("Tunnel-Client-Auth-Id", self.client_name), ("Tunnel-Server-Auth-Id", self.server_name))
        return [(f"{name}:{tag}", value) for name, value in values if value is not None]


def tunnel_user(name, password, *tunnels, reply=()):
    """A user with tunnels, tagged from 1 on, and further attributes."""
    tagged = [pair for tag, tunnel in enumerate(tunnels, 1) for pair in tunnel.attributes(tag)]
    return User(name, password, ("Service-Type", "Framed-User"), ("Framed-Protocol", "PPP"), *tagged, *reply)


class RadiusServer(Daemon):
    """FreeRADIUS. Whom it does not know it rejects; accounting goes to a detail file."""

    def __init__(self, lab, name="radius", address=SERVER_MANAGEMENT, length=24, secret=RADIUS_SECRET, auth_port=1812,
                 acct_port=1813, message_authenticator=True, node=NODE_MANAGEMENT):
        """`message_authenticator`: whether it demands that attribute of requests and puts it into its answers. `node` is
        where CoA and Disconnect go."""
        super().__init__(lab, name, address, length)
        self.secret, self.auth_port, self.acct_port, self.node = secret, auth_port, acct_port, node
        sign = "update reply { Message-Authenticator := 0x00 }\n ok" if message_authenticator else "ok"
        family = "ipv6addr" if ":" in address else "ipaddr"
        everyone = "::/0" if ":" in address else "0.0.0.0/0"
        self.write("dictionary", "$INCLUDE /usr/share/freeradius/dictionary\n")
        # What may stand in an Access-Reject (RFC 2865, section 5.44).
        self.write("reject", "DEFAULT\n\tReply-Message =* ANY,\n\tEAP-Message =* ANY\n")
        configuration = f"""
name = radiusd
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {self.folder}
run_dir = {self.folder}
raddbdir = {self.folder}
max_request_time = 5
cleanup_delay = 1
max_requests = 65536
hostname_lookups = no
proxy_requests = no
log {{
    destination = stdout
    auth = yes
}}
security {{
    allow_core_dumps = no
    max_attributes = 200
    reject_delay = 0
    status_server = yes
}}
thread pool {{
    start_servers = 2
    max_servers = 4
    min_spare_servers = 1
    max_spare_servers = 2
}}
client everyone {{
    {family} = {everyone}
    secret = {json.dumps(secret)}
    require_message_authenticator = {"yes" if message_authenticator else "no"}
}}
modules {{
    pap {{ }}
    chap {{ }}
    eap {{
        default_eap_type = md5
        md5 {{ }}
    }}
    always ok {{ rcode = ok }}
    attr_filter reject {{
        key = "%{{User-Name}}"
        filename = {self.folder}/reject
    }}
    files {{ usersfile = {self.folder}/users }}
    detail {{
        filename = {self.folder}/detail
        permissions = 0600
        header = "%t"
    }}
}}
server default {{
    listen {{
        type = auth
        {family} = {address}
        port = {auth_port}
    }}
    listen {{
        type = acct
        {family} = {address}
        port = {acct_port}
    }}
    authorize {{
        chap
        eap {{ ok = return }}
        files
        pap
        Autz-Type Status-Server {{ {sign} }}
    }}
    authenticate {{
        Auth-Type PAP {{ pap }}
        Auth-Type CHAP {{ chap }}
        eap
    }}
    preacct {{ ok }}
    accounting {{
        detail
        Acct-Type Status-Server {{ {sign} }}
    }}
    post-auth {{
        {sign}
        Post-Auth-Type REJECT {{ reject\n {sign} }}
    }}
}}
"""
        # Its reader wants each statement on a line of its own.
        self.write("radiusd.conf", configuration.replace("{ ", "{\n").replace(" }", "\n}"))
        self.write("users", "")

    def serve(self, *users):
        """Knows these users from now on, and no others. Starts it, or starts it again."""
        if self.process is not None and self.process.running:
            self.stop()
        self.write("users", "\n".join(user.text() for user in users))
        return self.start()

    def start(self):
        return self.launch(["freeradius", "-f", "-l", "stdout", "-d", self.folder, "-n", "radiusd"],
                           r"Ready to process requests")

    def logins(self):
        """Users that were accepted and rejected: (whether it was accepted, name), in order."""
        return [(word == "OK", name) for word, name in re.findall(r"Login (OK|incorrect)[^\[]*: \[([^/\]]*)", self.log())]

    def records(self):
        """The accounting requests, each a dictionary; an attribute that came several times has a list. Names keep their
        tags, as in `Tunnel-Server-Endpoint:0`; numbers are numbers."""
        try:
            with open(self.path("detail"), errors="replace") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        records = []
        # What has no empty line behind it is still being written.
        for entry in text.split("\n\n")[:-1]:
            record = {}
            for name, value in re.findall(r"^\t(\S+) = (.*)$", entry, re.MULTILINE):
                value = int(value) if value.isdigit() else value.strip('"')
                if name in record:
                    value = (record[name] if isinstance(record[name], list) else [record[name]]) + [value]
                record[name] = value
            records.append(record)
        return records

    def wait_records(self, condition, timeout=20, what=""):
        """Waits for accounting requests of which `condition` holds; those requests, at least one, in order."""
        return wait_until(lambda: [record for record in self.records() if condition(record)], timeout,
                          f"{self.name} gets an accounting request {what}; it has {self.records()[-3:]}")

    def setting(self, **settings):
        """This server as an element of `radius-server`."""
        return {"host": self.address, "key": self.secret, "auth-port": self.auth_port, "acct-port": self.acct_port, **settings}

    def ask(self, kind, *attributes, to=None, port=DYNAMIC_AUTHORIZATION_PORT, secret=None, signed=True, source=None,
            patience=5):
        """Sends a request by radclient: `kind` is auth, acct, status, disconnect or coa. The answer's name, such as
        `Disconnect-ACK`, and its attributes; nothing where none comes in `patience` seconds."""
        lines = [f"{name} = {json.dumps(value)}" for name, value in attributes]
        if signed:
            lines.append("Message-Authenticator = 0x00")
        source = source or self.address
        lines.append(f"Packet-Src-IP{'v6' if ':' in source else ''}-Address = {source}")
        done = execute(
            self.namespace.command("radclient", "-x", "-r", 1, "-t", patience, "-d", self.folder, f"{to or self.node}:{port}",
                                   kind, secret or self.secret),
            input="\n".join(lines) + "\n", check=False)
        answer = re.search(r"^Received (\S+) Id [^\n]*\n((?:\t.*\n)*)", done.stdout, re.MULTILINE)
        if answer is None:
            if "No reply" in done.stdout + done.stderr:
                return None, {}
            raise LabError(f"radclient says: {(done.stdout + done.stderr).strip()}")
        return answer[1], {name: value.strip('"') for name, value in re.findall(r"^\t(\S+) = (.*)$", answer[2], re.MULTILINE)}

    def disconnect(self, *attributes, **options):
        """Sends Disconnect-Request (RFC 5176)."""
        return self.ask("disconnect", *attributes, **options)

    def change(self, *attributes, **options):
        """Sends CoA-Request (RFC 5176)."""
        return self.ask("coa", *attributes, **options)


class NameServer(Daemon):
    """unbound as the resolver of a management network. It recurses over zones of its own, so that CNAMEs are followed and
    TTLs run down as they do from any resolver; a name that it has not does not exist."""

    def __init__(self, lab, records, name="names", address=SERVER_MANAGEMENT, length=24, port=53):
        """`records` maps a domain to the lines of its zone, names relative to it: {"isp1.com": ["lns 5 A 10.99.0.2"]}; a TTL that
        is not given is 60."""
        super().__init__(lab, name, address, length)
        self.port = port
        self.serve(records)

    def serve(self, records):
        """Has these zones from now on, and an empty cache. Starts it, or starts it again."""
        if self.process is not None and self.process.running:
            self.stop()
        zones = [self._zone("root", ".", [])]
        zones += [self._zone(f"zone-{domain}", domain, lines) for domain, lines in records.items()]
        self.write("unbound.conf", f"""
server:
    interface: {self.address}@{self.port}
    access-control: 0.0.0.0/0 allow
    access-control: ::0/0 allow
    directory: "{self.folder}"
    chroot: ""
    username: ""
    pidfile: "{self.folder}/unbound.pid"
    do-daemonize: no
    use-syslog: no
    logfile: ""
    verbosity: 1
    log-queries: yes
    num-threads: 1
    module-config: "iterator"
    do-ip6: {"yes" if ":" in self.address else "no"}
    # A name may lead to any address.
    minimal-responses: yes
remote-control:
    control-enable: no
""" + "".join(zones))
        return self.start()

    def _zone(self, file, domain, lines):
        origin = domain.rstrip(".") + "."
        # unbound takes the last TTL that was given for the next record without one, whatever $TTL says.
        records = [line if line.split()[1].isdigit() else line.replace(" ", " 60 ", 1) for line in lines]
        path = self.write(file, "\n".join([
            f"$ORIGIN {origin}", "@ 3600 SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 5", "@ 3600 NS ns.invalid.",
            *records]) + "\n")
        return f"""auth-zone:
    name: "{origin}"
    zonefile: "{path}"
    for-upstream: yes
    for-downstream: no
    fallback-enabled: no
"""

    def start(self):
        return self.launch(["unbound", "-d", "-p", "-c", self.path("unbound.conf")], r"start of service")

    def queries(self):
        """The questions that it was asked: (name without the last dot, type), in order."""
        return [(name.rstrip("."), kind) for name, kind in re.findall(r"info: \S+ (\S+) (\S+) IN$", self.log(), re.MULTILINE)]

    def look_up(self, name, kind="A"):
        """What dig gets: the status, and the answers as (TTL, type, data)."""
        text = self.namespace.execute("dig", "+time=2", "+tries=1", "+noedns", f"@{self.address}", "-p", self.port, name,
                                      kind, check=False).stdout
        status = re.search(r"status: (\w+)", text)
        answers = re.findall(r"^[^;\s]\S*\s+(\d+)\s+IN\s+(\S+)\s+(\S+)$", text, re.MULTILINE)
        return status and status[1], [(int(ttl), kind, data) for ttl, kind, data in answers]
