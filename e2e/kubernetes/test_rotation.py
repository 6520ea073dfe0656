"""The key of passports is rotated as `docs/kubernetes.md` describes, and no request fails."""

from devkit.platform.keys import derive_passport_keys, generate_private_key
from e2e.support.kubernetes_release import KubernetesRelease
from e2e.support.load_generator import LoadReport


async def test_the_passport_key(kubernetes_release: KubernetesRelease, load: LoadReport) -> None:
    new = derive_passport_keys(generate_private_key())
    old_public_key = kubernetes_release.secrets["PASSPORT_PUBLIC_KEYS"]

    await kubernetes_release.update_secret(PASSPORT_PUBLIC_KEYS=f"{old_public_key},{new.public}")
    await kubernetes_release.restart("tasks", "users")
    await kubernetes_release.wait_until_settled("tasks")
    await kubernetes_release.wait_until_settled("users")
    await kubernetes_release.update_secret(PASSPORT_PRIVATE_KEY=new.private)
    await kubernetes_release.restart("auth-gateway")
    await kubernetes_release.wait_until_settled("auth-gateway")
    await kubernetes_release.update_secret(PASSPORT_PUBLIC_KEYS=new.public)
    await kubernetes_release.restart("tasks", "users")

    assert load.failures == {}
