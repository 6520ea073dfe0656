"""`make token`: print a development token.

Not named `token`, like the module of the standard library: `pip_install.py` beside it runs as a
script, so this folder comes first on its module path.
"""

import argparse

from devkit.platform.settings import VAR, load_settings
from devkit.platform.tokens import DAY_SECONDS, DEVELOPER, development_secret, mint_token


def main() -> None:
    """Print a token that the gateway of `make run` accepts."""
    parser = argparse.ArgumentParser(prog="make token", description=main.__doc__)
    parser.add_argument("--sub", default=DEVELOPER, help="subject (default: %(default)s)")
    parser.add_argument("--email", help="e-mail address (default: none)")
    parser.add_argument(
        "--days", type=float, default=1.0, help="lifetime in days (default: %(default)s)"
    )
    arguments = parser.parse_args()
    token = mint_token(
        development_secret(load_settings(), VAR),
        arguments.sub,
        email=arguments.email,
        seconds=arguments.days * DAY_SECONDS,
    )
    print(token)


if __name__ == "__main__":
    main()
