"""Makes a database ready, and an account to sign in with. Started by bin/demo and bin/dev."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import django
from django.core.management import call_command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--account", required=True, help="its name; made when there is no other account yet")
    parser.add_argument("--password-file", type=Path, required=True)
    parser.add_argument("--collect-static", action="store_true")
    wanted = parser.parse_args()

    call_command("migrate", interactive=False, verbosity=1)
    if wanted.collect_static:
        call_command("collectstatic", interactive=False, verbosity=1)
    give_account(wanted.account, wanted.password_file.read_text().strip())


def give_account(name: str, password: str) -> None:
    """Make or mend the account, unless this database has other people in it only."""
    from django.contrib.auth.models import User

    if User.objects.exists() and not User.objects.filter(username=name).exists():
        print("There are accounts already: none was made.")
        return
    user, _ = User.objects.get_or_create(username=name)
    user.is_active = user.is_staff = user.is_superuser = True
    if not user.check_password(password):
        user.set_password(password)  # not each time: it would end the sessions of those who are signed in
    user.save()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jointo.settings")
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    django.setup()
    main()
