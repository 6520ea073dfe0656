"""A Secret that is missing or incomplete stops an installation with a sentence."""

import json
from secrets import token_hex

import pytest

from e2e.support.kubernetes_release import KubernetesRelease, secret_manifest


async def test_a_missing_secret_is_named(kubernetes_release: KubernetesRelease) -> None:
    history = await kubernetes_release.helm("history", kubernetes_release.name, "--output=json")

    with pytest.raises(RuntimeError) as failure:
        await kubernetes_release.upgrade("--set=existingSecret=forgotten")

    message = str(failure.value)
    assert f'the namespace {kubernetes_release.name} has no Secret "forgotten"' in message
    assert "It must hold the keys PASSPORT_PRIVATE_KEY, PASSPORT_PUBLIC_KEYS, " in message
    after = await kubernetes_release.helm("history", kubernetes_release.name, "--output=json")
    assert json.loads(after) == json.loads(history)


async def test_missing_keys_are_named_all_at_once(kubernetes_release: KubernetesRelease) -> None:
    name = f"incomplete-{token_hex(4)}"
    secrets = dict(kubernetes_release.secrets)
    del secrets["TASKS_DATABASE_URL"]
    secrets["PASSPORT_PRIVATE_KEY"] = ""
    await kubernetes_release.kubectl("apply", "-f", "-", stdin=secret_manifest(name, secrets))

    with pytest.raises(RuntimeError) as failure:
        await kubernetes_release.upgrade(f"--set=existingSecret={name}")

    message = str(failure.value)
    for key in ("TASKS_DATABASE_URL", "PASSPORT_PRIVATE_KEY"):
        assert f'the Secret "{name}" lacks the key {key}, or it is empty' in message
    assert "USERS_DATABASE_URL" not in message


async def test_missing_secrets_of_edge_and_registry_are_named(
    kubernetes_release: KubernetesRelease,
) -> None:
    values = "edge.tls.existingSecret=forgotten,image.pullSecrets={registry}"

    with pytest.raises(RuntimeError) as failure:
        await kubernetes_release.upgrade(f"--set={values}")

    message = str(failure.value)
    assert 'no Secret "forgotten" with the keys tls.crt and tls.key' in message
    assert (
        f'image.pullSecrets: the namespace {kubernetes_release.name} has no Secret "registry"'
        in (message)
    )
