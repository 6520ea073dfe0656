import resource
from dataclasses import dataclass
from pathlib import Path

from devkit.testing.stub_server import StubServer

FRONT_END = "https://app.example.com"
SUBJECT = "c0ffee00-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class RunningGateway:
    """A gateway process, and the stubs of its services."""

    port: int
    pid: int
    log: Path
    tasks: StubServer
    users: StubServer

    @property
    def resident_bytes(self) -> int:
        """The resident memory of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()
