"""What the server makes for a developer by itself: an App, and a certificate."""

from __future__ import annotations

import datetime
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509

from server.configuration import load_configuration
from server.dev_tls import ensure_development_tls
from server.development import ensure_development_config
from server.doctor import _certificate
from server.settings import ServerSettings, Settings

NOW = datetime.datetime.now(datetime.UTC)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_development_app_is_made_once_and_kept(tmp_path: Path) -> None:
    path = ensure_development_config(tmp_path / ".hearth")
    text = path.read_text()
    assert ensure_development_config(tmp_path / ".hearth").read_text() == text
    settings = load_configuration(path, environment={}).settings
    (app,) = settings.apps
    assert settings.server.development
    assert len(app.server_secrets[0].get_secret_value()) == 32
    assert app.callback_secret is not None and len(app.callback_secret.get_secret_value()) == 32
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert [entry.name for entry in path.parent.iterdir()] == ["hearth.toml"]


def test_two_starts_at_once_agree_on_one_app(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(ensure_development_config(tmp_path / ".hearth").read_text())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


def test_each_app_is_another(tmp_path: Path) -> None:
    assert ensure_development_config(tmp_path / "a").read_text() != ensure_development_config(tmp_path / "b").read_text()


def test_certificate_is_good_for_this_machine_and_signed_by_its_authority(tmp_path: Path) -> None:
    tls = ensure_development_tls(tmp_path, NOW, ["192.0.2.7", "2001:db8::7"])
    certificate = x509.load_pem_x509_certificate(tls.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert {"127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"} <= {str(ip) for ip in names.get_values_for_type(x509.IPAddress)}
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(tls.authority.read_bytes()))
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls.certificate, tls.key)
    assert mode(tls.key) == mode(tmp_path / "ca-key.pem") == 0o600


def test_certificate_is_kept_until_something_changes(tmp_path: Path) -> None:
    first = ensure_development_tls(tmp_path, NOW, ["192.0.2.7"])
    authority, certificate = first.authority.read_bytes(), first.certificate.read_bytes()
    assert ensure_development_tls(tmp_path, NOW, ["192.0.2.7"]).certificate.read_bytes() == certificate
    moved = ensure_development_tls(tmp_path, NOW, ["192.0.2.8"])
    assert moved.certificate.read_bytes() != certificate
    assert moved.authority.read_bytes() == authority


def test_start_that_was_cut_off_between_a_key_and_its_certificate_is_made_good(tmp_path: Path) -> None:
    first = ensure_development_tls(tmp_path / "first", NOW, [])
    other = ensure_development_tls(tmp_path / "other", NOW, [])
    first.key.write_bytes(other.key.read_bytes())
    again = ensure_development_tls(tmp_path / "first", NOW, [])
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(again.certificate, again.key)

    (tmp_path / "first" / "ca-key.pem").write_bytes((tmp_path / "other" / "ca-key.pem").read_bytes())
    again.certificate.unlink()
    again = ensure_development_tls(tmp_path / "first", NOW, [])
    authority = x509.load_pem_x509_certificate(again.authority.read_bytes())
    x509.load_pem_x509_certificate(again.certificate.read_bytes()).verify_directly_issued_by(authority)


@pytest.mark.parametrize("name", ["ca.pem", "ca-key.pem", "cert.pem", "key.pem"])
def test_file_that_is_damaged_is_made_anew(tmp_path: Path, name: str) -> None:
    ensure_development_tls(tmp_path, NOW, [])
    (tmp_path / name).write_bytes(b"not PEM")
    assert len(_certificate(Settings(server=ServerSettings(data_dir=tmp_path, dev_tls=True)))) == 1
    tls = ensure_development_tls(tmp_path, NOW, [])
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls.certificate, tls.key)
    authority = x509.load_pem_x509_certificate(tls.authority.read_bytes())
    x509.load_pem_x509_certificate(tls.certificate.read_bytes()).verify_directly_issued_by(authority)


def test_certificate_is_renewed_before_it_ends_and_its_authority_is_kept(tmp_path: Path) -> None:
    first = ensure_development_tls(tmp_path, NOW, [])
    authority, certificate = first.authority.read_bytes(), first.certificate.read_bytes()
    later = ensure_development_tls(tmp_path, NOW + datetime.timedelta(days=390), [])
    assert later.certificate.read_bytes() != certificate
    assert later.authority.read_bytes() == authority
