"""A network of its own for a test: network namespaces on a bridge, which end with the test, whatever becomes of it."""

import ctypes
import os
import shutil
import socket
import subprocess

from harness import _die_with_parent, wait_until

FRONT = "10.78.0.1"
CLIENT = "10.78.0.2"  # another address of the machine in front
MACHINES = ("10.78.0.11", "10.78.0.12", "10.78.0.13")

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def connect(host, port):
    """A connection from the address of clients."""
    return socket.create_connection((host, port), timeout=10, source_address=(CLIENT, 0))


def why_none():
    """Why there can be no such network here; nothing if it can."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    if shutil.which("ip") is None:
        return "ip is not installed (Debian: iproute2)"
    script = "ip link set lo up && ip link add b0 type bridge && ip link add v0 type veth peer name v1"
    tried = subprocess.run(["unshare", "-n", "sh", "-c", script], capture_output=True, text=True)
    return f"no network namespaces here: {tried.stderr.strip()}" if tried.returncode else ""


def _call(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _ip(lines, *wrapper):
    subprocess.run([*wrapper, "ip", "-batch", "-"], input="\n".join(lines), text=True, check=True, capture_output=True)


class Network:
    """The calling thread, and what it starts from then on, is on the machine in front for one `with` block."""

    def __enter__(self):
        self._before = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._holders = []
        _call(_libc.unshare(_CLONE_NEWNET))
        try:
            addresses = [f"addr add {address}/24 dev front" for address in (FRONT, CLIENT)]
            _ip(["link set lo up", "link add front type bridge", *addresses, "link set front up"])
            for number, address in enumerate(MACHINES):
                self._add(f"m{number}", address)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for holder in self._holders:
            holder.kill()
            holder.wait()
        _call(_libc.setns(self._before, _CLONE_NEWNET))
        os.close(self._before)

    def _add(self, name, address):
        ours = os.readlink("/proc/self/ns/net")
        holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"], preexec_fn=_die_with_parent)
        self._holders.append(holder)
        wait_until(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != ours, what="a namespace")
        _ip([
            f"link add {name} type veth peer name eth0 netns {holder.pid}",
            f"link set {name} master front",
            f"link set {name} up",
        ])
        _ip(["link set lo up", f"addr add {address}/24 dev eth0", "link set eth0 up"], *self.on(len(self._holders) - 1))

    def set_link(self, machine, state):
        """With "down", the machine is gone for the others: nothing answers, not even its kernel."""
        _ip([f"link set m{machine} {state}"])

    def on(self, machine):
        """The wrapper that runs a program on one of the machines, 0 to 2."""
        return ["nsenter", "-t", str(self._holders[machine].pid), "-n", "--"]
