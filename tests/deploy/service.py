"""A whole service, with clients that keep it busy."""

from clients import Clients, Wrk
from fleet import Fleet
from fronts import Front


class Service:
    """The fleet, a proxy in front, and clients that keep it busy, for one `with` block."""

    def __init__(self, network, kind, folder):
        self.fleet = Fleet(network, "--shutdown-delay", "2")
        self.front = Front(kind, folder)
        self.keeping = Clients(self.front, keep_alive=True)
        self.closing = Clients(self.front)
        self._wrk = Wrk(self.front)
        self._parts = (self.fleet, self.front, self.keeping, self.closing, self._wrk)

    def __enter__(self):
        self._entered = []
        try:
            for part in self._parts:
                part.__enter__()
                self._entered.append(part)
            for instance in self.fleet.instances:
                self.keeping.wait_for(instance)
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind, *_):
        for part in reversed(self._entered):
            part.__exit__(kind, None, None)

    def assert_flawless(self):
        for clients in (self.keeping, self.closing, self._wrk):
            clients.assert_flawless()
